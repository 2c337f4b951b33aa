//! Money: credits, top-ups, earnings, and quotes.

use common::identity::Permission::Purchase;
use common::webhooks::EventType;
use serde_json::{Map, Value};

use super::operation::{Operation, get, post};
use crate::access::Access::{May, Provider, SignedIn};
use crate::routes::{ledger, payments, quotes};

pub fn operations() -> Vec<Operation> {
    let rows = [credits(), top_ups(), earnings(), quotes()];
    let rows = rows.into_iter().flatten().map(|row| row.tagged("credits"));
    rows.chain([notice().tagged("system")]).collect()
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
            .calls_back("webhookUrl", &[EventType::TopUpCompleted, EventType::TopUpFailed]),
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
