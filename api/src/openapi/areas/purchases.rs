//! Purchases: a package is bought.

use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::super::deliveries::Modes;
use super::super::fields;
use super::super::operation::Operation;
use super::super::schema::{
    id, integer, named, nullable, number, partial, text, time, url, whole, word,
};

/// What a buyer hears at the address of a purchase.
const EVENTS: [EventType; 7] = [
    EventType::PurchaseCompleted,
    EventType::PurchaseFailed,
    EventType::ListingAvailable,
    EventType::PurchaseRefunded,
    EventType::DisputeOpened,
    EventType::DisputeMeasured,
    EventType::DisputeResolved,
];

pub fn operations() -> Vec<Operation> {
    let request = json!({
        "packageType": word("What kind of package it is.", &["vector", "memory", "chain"]),
        "packageId": id("pkg", "The package."),
        "paymentMethod": word("`credits` of the account, or `stripe` for a card.", &["credits", "stripe"]),
        "paymentMethodId": text("The card, as its provider calls it."),
        "expectedPrice": number("Buy at this price alone."),
        "quoteId": text("A quote, or its id, whose price is to be kept."),
        "webhookUrl": url("Where to hear of this purchase."),
    });
    let request = partial(&["packageType", "packageId", "paymentMethod"], request);
    let buy = Operation::new(
        "post",
        "/api/ai/purchase-package",
        "purchase_package",
        "purchases",
        "Buy a package",
    )
    .about(
        "The purchase goes on whether the request waits for it or not. A listing that is reserved for somebody who is \
         paying answers 409 with `reservedUntil`; with `Prefer: wait=N` the request waits for it and tries again, and `listing.available` is sent once it is free.",
    )
    .header("Idempotency-Key")
    .header("Prefer")
    .body(request)
    .answer(200, "Settled.", &named("Purchase"))
    .answer(
        202,
        "Under way, or waiting for its payment; follow `statusUrl`.",
        &named("Purchase"),
    )
    .faults(&[402, 404])
    .rehearses()
    .calls_back("webhookUrl", Modes::Plain, &EVENTS);
    vec![buy]
}

pub fn schemas() -> Map<String, Value> {
    let payment = partial(
        &["paymentId", "status"],
        json!({
            "paymentId": id("pay", "The payment."),
            "status": text("Where it stands."),
            "clientSecret": nullable(text("For the card provider's library, while there is something to do with it.")),
            "declineCode": nullable(text("What the bank said.")),
        }),
    );
    let mut purchase = whole(json!({
        "purchaseId": fields::field("purchase", "The purchase: a number in v1, text from v2 on."),
        "purchase": id("pur", "In v1 beside the number."),
        "status": text("Where it stands."),
        "packageId": id("pkg", "The package."),
        "packageType": text("What kind of package it is."),
        "packageName": text("What it is called."),
        "licenseMode": text("How it is licensed."),
        "price": number("With two decimals."),
        "priceMinor": integer("The same in minor units."),
        "currency": text("ISO 4217."),
        "paymentMethod": text("How it is paid."),
        "payment": nullable(payment),
        "paymentDueAt": nullable(time("Until when it can be paid, while it is not.")),
        "reservedUntil": nullable(time("Until when supply is kept for it, while it is not paid and its payment is under way.")),
        "downloadUrl": nullable(url("Where the package is, once it is settled.")),
        "expiresAt": nullable(time("Until when.")),
        "error": nullable(text("Why it came to nothing, for people.")),
        "errorCode": nullable(text("Why it came to nothing, for machines.")),
        "statusUrl": text("Where it is followed."),
        "nextPollMs": nullable(integer("When to look again, in milliseconds.")),
        "packageSha256": text("The SHA-256 of the bytes that are sold."),
        "wMatrixSha256": text("The SHA-256 of the alignment matrix that is sold."),
        "timestamps": whole(json!({
            "created": time("When it was asked for."),
            "settled": nullable(time("When it was settled.")),
            "finished": nullable(time("When it ended.")),
        })),
        "message": text("Where it stands, for people."),
    }));
    if let Some(required) = purchase["required"].as_array_mut() {
        required.retain(|name| name != "purchase" && name != "message" && name != "payment");
    }
    Map::from_iter([("Purchase".to_owned(), purchase)])
}
