//! Listings: the terms of a package.

use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::super::deliveries::Modes;
use super::super::operation::Operation;
use super::super::schema::{
    flag, id, integer, named, nullable, number, partial, text, time, url, word,
};

/// What a seller hears at the address of a listing.
const EVENTS: [EventType; 7] = [
    EventType::ListingSoldOut,
    EventType::PackageTakenDown,
    EventType::PackageRestored,
    EventType::PurchaseRefunded,
    EventType::DisputeOpened,
    EventType::DisputeMeasured,
    EventType::DisputeResolved,
];
const MODES: [&str; 3] = ["unlimited", "limited", "exclusive"];
const STATUSES: [&str; 4] = ["draft", "active", "paused", "removed"];

pub fn operations() -> Vec<Operation> {
    let changes = json!({
        "price": number("With at most two decimals."),
        "licenseMode": word("Who may buy.", &MODES),
        "supply": integer("How many may, if `limited`."),
        "status": word("Whether it is for sale.", &STATUSES),
        "webhookUrl": nullable(url("Where its seller hears of it; null for nowhere.")),
    });
    let change = Operation::new(
        "patch",
        "/api/ai/listings/{packageId}",
        "change_listing",
        "listings",
        "Change the terms",
    )
    .header("If-Match")
    .header("Idempotency-Key")
    .body(partial(&[], changes))
    .answer(200, "The listing as it is now.", &named("Listing"))
    .rehearses()
    .calls_back("webhookUrl", Modes::Plain, &EVENTS);
    let show = Operation::new(
        "get",
        "/api/ai/listings/{packageId}",
        "get_listing",
        "listings",
        "The terms of a package",
    )
    .header("If-None-Match")
    .gives(200, "As they are now.", "Listing")
    .empty_answer(304, "As you know them.");
    let list = Operation::new(
        "get",
        "/api/ai/listings",
        "list_listings",
        "listings",
        "The caller's own listings",
    )
    .asks("cursor?: text `nextCursor` of the page before.\nlimit?: range(1,200) How many; 50 if nothing is said.")
    .tells(
        200,
        "The newest first.",
        "listings: [$Listing] A page.\nnextCursor: text|null For the next page.",
    );
    vec![list, show, change]
}

pub fn schemas() -> Map<String, Value> {
    let properties = json!({
        "packageId": id("pkg", "The package."),
        "packageType": word("What kind of package it is.", &["vector", "memory", "chain"]),
        "name": text("What it is called."),
        "packageSha256": text("The SHA-256 of its bytes."),
        "wMatrixSha256": text("The SHA-256 of its alignment matrix."),
        "price": number("With two decimals."),
        "priceMinor": integer("The same in minor units."),
        "currency": text("ISO 4217."),
        "licenseMode": word("Who may buy.", &MODES),
        "supply": nullable(integer("How many may, if there is a limit.")),
        "remaining": nullable(integer("How many still may, if there is a limit.")),
        "soldOut": flag("Whether nobody may any more."),
        "status": word(
            "Whether it is for sale.",
            &["draft", "active", "paused", "removed", "taken_down"],
        ),
        "version": integer("Of the terms; the entity tag."),
        "createdAt": time("When it was published."),
        "updatedAt": time("When the terms were changed."),
        "webhookUrl": nullable(url("Where its seller hears of it; shown to the seller alone.")),
        "takenDownBecause": nullable(text("Why operators took it off the market; shown to the seller alone.")),
    });
    let names = properties
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    let required: Vec<&str> = names
        .filter(|name| !["webhookUrl", "takenDownBecause"].contains(name))
        .collect();
    let listing = partial(&required, properties.clone());
    Map::from_iter([("Listing".to_owned(), listing)])
}
