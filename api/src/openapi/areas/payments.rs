//! Payments: credits are bought by card.

use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::super::deliveries::Modes;
use super::super::operation::Operation;
use super::super::schema::{id, integer, named, nullable, number, partial, text, time, url, whole};

const EVENTS: [EventType; 2] = [EventType::TopUpCompleted, EventType::TopUpFailed];

pub fn operations() -> Vec<Operation> {
    let request = json!({
        "amount": number("With at most two decimals."),
        "currency": text("`USD`, which is also the default."),
        "paymentMethodId": text("The card, as its provider calls it."),
        "webhookUrl": url("Where to hear of this top-up."),
    });
    let top_up = Operation::new(
        "post",
        "/api/ai/credits/top-ups",
        "create_top_up",
        "credits",
        "Buy credits by card",
    )
    .header("Idempotency-Key")
    .header("Prefer")
    .body(partial(&["amount"], request))
    .like(json!({ "amount": 20.00, "paymentMethodId": "pm_card_visa" }))
    .answer(200, "The credits are there.", &named("TopUp"))
    .answer(
        202,
        "Under way, or the payer must act; follow `statusUrl`.",
        &named("TopUp"),
    )
    .faults(&[402])
    .calls_back("webhookUrl", Modes::Plain, &EVENTS);
    vec![top_up]
}

pub fn schemas() -> Map<String, Value> {
    let mut top_up = whole(json!({
        "topUpId": id("pay", "The top-up."),
        "status": text("Where it stands."),
        "amount": number("With two decimals."),
        "amountMinor": integer("The same in minor units."),
        "currency": text("ISO 4217."),
        "clientSecret": nullable(text("For the card provider's library, while there is something to do with it.")),
        "error": nullable(text("Why it came to nothing, for people.")),
        "errorCode": nullable(text("Why it came to nothing, for machines.")),
        "declineCode": nullable(text("What the bank said.")),
        "statusUrl": text("Where it is followed."),
        "nextPollMs": nullable(integer("When to look again, in milliseconds.")),
        "timestamps": whole(json!({
            "created": time("When it was asked for."),
            "expires": nullable(time("Until when it can be paid.")),
            "finished": nullable(time("When it ended.")),
        })),
        "message": text("Where it stands, for people."),
    }));
    if let Some(required) = top_up["required"].as_array_mut() {
        required.retain(|name| name != "message");
    }
    Map::from_iter([("TopUp".to_owned(), top_up)])
}
