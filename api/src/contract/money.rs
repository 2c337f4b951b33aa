//! Money: credits, top-ups, earnings, and quotes.

use common::identity::Permission::Purchase;
use common::webhooks::EventType;
use serde_json::{Map, Value};

use super::operation::{Operation, get, post};
use crate::access::Access::{May, Operator, Provider, SignedIn};
use crate::openapi::Modes;
use crate::routes::{admin, ledger, payments, quotes};

pub fn operations() -> Vec<Operation> {
    let rows = [credits(), top_ups(), earnings(), quotes()];
    let rows = rows.into_iter().flatten().map(|row| row.tagged("credits"));
    let operators = operators().into_iter().map(|row| row.tagged("operators"));
    rows.chain([notice().tagged("system")])
        .chain(operators)
        .collect()
}

fn credits() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/credits",
            ledger::get_credits,
            SignedIn,
            "Get your credits",
        )
        .gives(200, "The balance."),
        get(
            "/api/ai/credits/statement",
            ledger::list_credits,
            SignedIn,
            "List the changes of your credits",
        )
        .gives(200, "A page, newest first."),
    ]
}

fn top_ups() -> Vec<Operation> {
    vec![
        get("/api/ai/credits/top-ups", payments::list_top_ups, SignedIn, "List your top-ups")
            .waiting()
            .gives(200, "A page, newest first."),
        post("/api/ai/credits/top-ups", payments::create_top_up, May(Purchase), "Buy credits with a card")
            .waiting()
            .gives(200, "The credits are there.")
            .gives(202, "The payment is under way, or the payer must act at the card provider. Follow `statusUrl`.")
            .faults(&[402])
            .calls_back("webhookUrl", Modes::Plain, &[EventType::TopUpCompleted, EventType::TopUpFailed]),
        get("/api/ai/credits/top-ups/{top_up_id}", payments::get_top_up, SignedIn, "Get a top-up")
            .waiting()
            .gives(200, "The top-up."),
    ]
}

fn earnings() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/earnings",
            ledger::get_earnings,
            SignedIn,
            "Get your earnings",
        )
        .gives(200, "The balance."),
        get(
            "/api/ai/earnings/statement",
            ledger::list_earnings,
            SignedIn,
            "List the changes of your earnings",
        )
        .gives(200, "A page, newest first."),
    ]
}

fn quotes() -> Vec<Operation> {
    vec![
        post(
            "/api/ai/quotes",
            quotes::create_quote,
            May(Purchase),
            "Get a price that holds for ten minutes",
        )
        .about("The quote is signed, and buys the package once at this price.")
        .replayed()
        .tool("quote_purchase", "Get a price that holds for ten minutes.")
        .gives(201, "The quote.")
        .faults(&[404]),
    ]
}

fn notice() -> Operation {
    post("/api/webhooks/stripe", payments::take_card_notice, Provider, "Receive a notice of the card provider")
        .about("Only for the card provider: it signs the body with a secret that it shares with the marketplace.")
        .limited_as(None)
        .header("Stripe-Signature")
        .takes::<Map<String, Value>>()
        .gives(200, "Received.")
        .faults(&[401, 404])
}

fn operators() -> Vec<Operation> {
    vec![
        get(
            "/admin/payments",
            admin::list_payments,
            Operator,
            "List payments by card",
        )
        .gives(200, "A page, newest first."),
        get(
            "/admin/payments/{payment_id}",
            admin::get_payment,
            Operator,
            "Get a payment by card",
        )
        .gives(200, "The payment."),
        get(
            "/admin/chargebacks",
            admin::list_chargebacks,
            Operator,
            "List chargebacks",
        )
        .gives(200, "A page, newest first, with the deadline of each."),
        post(
            "/admin/chargebacks/{chargeback_id}/evidence",
            admin::answer_chargeback,
            Operator,
            "Answer a cardholder's dispute",
        )
        .about("Once and for good. A worker sends the evidence to the card provider.")
        .gives(202, "The evidence will be sent."),
        post(
            "/admin/credits",
            admin::adjust_credits,
            Operator,
            "Give or take credits",
        )
        .gives(200, "An earlier request with this id did it.")
        .gives(201, "The credits were changed.")
        .faults(&[404]),
        post(
            "/admin/ledger/audit",
            admin::audit_ledger,
            Operator,
            "Audit the ledger",
        )
        .gives(200, "The result of each check."),
    ]
}
