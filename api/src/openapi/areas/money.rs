//! Money: credits, earnings, quotes, payouts.

use serde_json::{Map, Value};

use super::super::fields;
use super::super::operation::Operation;

const TAG: &str = "credits";
const STATEMENT: &str = "currency?: currency USD if nothing is said.
        cursor?: text `nextCursor` of the page before.
        limit?: range(1,100) How many lines.";
const BALANCE: &str = "currency?: currency USD if nothing is said.
        asOf?: time As it was then.";
const OLDER: &str = "cursor?: text `nextCursor` of the page before.\nlimit?: range(1,200) How many; 50 if nothing is said.";

pub fn operations() -> Vec<Operation> {
    [spending(), earning()].into_iter().flatten().collect()
}

/// What buyers pay with.
fn spending() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/api/ai/credits",
            "get_credits",
            TAG,
            "What can be spent",
        )
        .asks(BALANCE)
        .gives(200, "The balance.", "Credits"),
        Operation::new(
            "get",
            "/api/ai/credits/statement",
            "list_credits",
            TAG,
            "What moved the credits",
        )
        .asks(STATEMENT)
        .gives(200, "The newest first.", "Statement"),
        Operation::new(
            "get",
            "/api/ai/credits/top-ups",
            "list_top_ups",
            TAG,
            "The top-ups by card",
        )
        .asks(OLDER)
        .tells(
            200,
            "The newest first.",
            "topUps: [$TopUp] A page.\nnextCursor: text|null For the next page.",
        ),
        Operation::new(
            "get",
            "/api/ai/credits/top-ups/{topUpId}",
            "get_top_up",
            TAG,
            "Follow a top-up",
        )
        .header("Prefer")
        .header("If-None-Match")
        .gives(200, "Where it stands.", "TopUp")
        .empty_answer(304, "As you know it."),
        Operation::new(
            "post",
            "/api/ai/quotes",
            "create_quote",
            TAG,
            "A price that holds for ten minutes",
        )
        .takes(
            "packageType: word(vector,memory,chain) What kind of package.
                 packageId: text The package.
                 expectedPrice?: num|null Quote this price or none.",
        )
        .header("Idempotency-Key")
        .faults(&[404, 409])
        .gives(201, "Signed: it buys once, at this price.", "Quote"),
    ]
}

/// What sellers earn, and what the card provider tells.
fn earning() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/api/ai/earnings",
            "get_earnings",
            TAG,
            "What sales have brought",
        )
        .asks(BALANCE)
        .gives(200, "The balance.", "Earnings"),
        Operation::new(
            "get",
            "/api/ai/earnings/statement",
            "list_earnings",
            TAG,
            "What moved the earnings",
        )
        .asks(STATEMENT)
        .gives(200, "The newest first.", "Statement"),
        Operation::new(
            "get",
            "/api/ai/payouts",
            "list_payouts",
            TAG,
            "The payouts of a seller",
        )
        .asks(&format!(
            "status?: word(requested,paid,returned) Those alone.\n{OLDER}"
        ))
        .tells(
            200,
            "The newest first.",
            "payouts: [$Payout] A page.\nnextCursor: text|null For the next page.",
        ),
        Operation::new(
            "post",
            "/api/ai/payouts",
            "request_payout",
            TAG,
            "Draw earnings",
        )
        .header("Idempotency-Key")
        .takes(
            "amount: num With at most two decimals.\ncurrency?: currency USD if nothing is said.",
        )
        .gives(201, "Asked for.", "Payout")
        .rehearses(),
        Operation::new(
            "get",
            "/api/ai/payouts/{payoutId}",
            "get_payout",
            TAG,
            "A payout",
        )
        .gives(200, "Where it stands.", "Payout"),
        Operation::new(
            "post",
            "/api/webhooks/stripe",
            "take_card_notice",
            "system",
            "What the card provider tells",
        )
        .about("For the card provider alone: the body is signed with the secret that we share.")
        .header("Stripe-Signature")
        .body(serde_json::json!({ "type": "object" }))
        .tells(200, "Taken.", "received: flag True.")
        .faults(&[401, 404]),
    ]
}

pub fn schemas() -> Map<String, Value> {
    fields::schemas(
        "Credits
        currency: text ISO 4217.
        balance: num All of them.
        balanceMinor: int The same in minor units.
        held: num For purchases under way.
        heldMinor: int The same in minor units.
        available: num What can be spent.
        availableMinor: int The same in minor units.
        asOf: time At this time.

        Earnings
        currency: text ISO 4217.
        balance: num All that was earned and not drawn.
        balanceMinor: int The same in minor units.
        pending: num|null Of sales that may still be refunded or disputed; null of a time in the past.
        pendingMinor: int|null The same in minor units.
        available: num|null What can be drawn.
        availableMinor: int|null The same in minor units.
        nextAvailableAt: time|null When the next share can be drawn.
        nextAvailableMinor: int|null How much that is.
        asOf: time At this time.

        Statement
        currency: text ISO 4217.
        entries: [object] What moved, each with the balance after it.
        nextCursor: text|null For the next page.

        Quote
        quoteId: text The quote.
        quote: text The same as a signed statement (JWS).
        packageId: text The package.
        packageType: text What kind of package it is.
        price: num With two decimals.
        priceMinor: int The same in minor units.
        currency: text ISO 4217.
        listingVersion: int The version of the terms.
        packageSha256: digits(64) The SHA-256 of what is sold.
        wMatrixSha256: digits(64) The SHA-256 of its alignment matrix.
        expiresAt: time Until when.

        PayoutTimes
        requested: time When it was asked for.
        finished: time|null When it was paid or returned.

        Payout
        payoutId: id(out) The payout.
        status: text Where it stands.
        amount: num With two decimals.
        amountMinor: int The same in minor units.
        currency: text ISO 4217.
        reference: text|null What the bank calls it.
        reason: text|null Why it came back.
        timestamps: $PayoutTimes When.",
    )
}
