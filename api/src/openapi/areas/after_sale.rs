//! After a purchase: following it, its receipt, its bytes, its refund, its dispute.

use serde_json::{Map, Value};

use super::super::fields;
use super::super::operation::Operation;

pub fn operations() -> Vec<Operation> {
    let mut operations = payment();
    operations.extend(afterwards());
    operations
}

/// Until a purchase is paid and settled.
fn payment() -> Vec<Operation> {
    let tag = "purchases";
    let one = "/api/ai/purchases/{purchaseId}";
    vec![
        Operation::new("get", "/api/ai/purchases", "list_purchases", tag, "What was bought, or sold")
            .asks(
                "role?: word(buyer,seller) On which side of the sale; buyer if nothing is said.
                 status?: word(awaiting_payment,payment_unknown,pending,settled,disputed,failed,refunded) Those alone.
                 cursor?: text `nextCursor` of the page before.
                 limit?: range(1,50) How many.",
            )
            .tells(200, "The newest first.", "purchases: [object] A page.\nnextCursor: text|null For the next page."),
        Operation::new("get", one, "get_purchase", tag, "Follow a purchase")
            .header("Prefer")
            .header("If-None-Match")
            .gives(200, "Where it stands.", "Purchase")
            .empty_answer(304, "As you know it."),
        Operation::new("delete", one, "cancel_purchase", tag, "Cancel a purchase that is not paid")
            .about("Its supply is free at once and its payment is cancelled at the provider. One whose money may be on its way \
                    is refused: wait for its outcome.")
            .gives(200, "It came to nothing.", "Purchase")
            .rehearses()
            .faults(&[409]),
        Operation::new("post", "/api/ai/purchases/{purchaseId}/pay", "pay_purchase", tag, "Pay an unpaid purchase by other means")
            .about("Its terms stay; the payment that it waited for is called off.")
            .header("Prefer")
            .takes(
                "paymentMethod: word(credits,stripe) `credits` of the account, or `stripe` for a card.
                 paymentMethodId?: text|null The card, as its provider calls it.",
            )
            .gives(200, "Settled.", "Purchase")
            .gives(202, "Under way, or waiting for its payment; follow `statusUrl`.", "Purchase")
            .rehearses()
            .faults(&[402, 409]),
        Operation::new("get", "/api/ai/purchases/{purchaseId}/events", "stream_purchase", tag, "Follow a purchase as a stream")
            .shows(200, "Server-sent events, until it has ended.", "text/event-stream"),
    ]
}

/// What its buyer has of it.
fn afterwards() -> Vec<Operation> {
    let tag = "purchases";
    vec![
        Operation::new("get", "/api/ai/purchases/{purchaseId}/receipt", "get_receipt", tag, "Proof of a sale")
            .gives(200, "Signed, and its claims in clear.", "Receipt"),
        Operation::new("post", "/api/ai/purchases/{purchaseId}/renew", "renew_purchase", tag, "Seven more days to download")
            .header("Idempotency-Key")
            .gives(200, "The purchase.", "Purchase")
            .faults(&[409]),
        Operation::new("post", "/api/ai/purchases/{purchaseId}/refund", "refund_purchase", tag, "Hand a purchase back within 7 days")
            .header("Idempotency-Key")
            .about("Without a download it needs no reason. After one it needs both, and an account does it three times in 30 days; \
                    then its way is a dispute.")
            .may_take(
                "reasonCode?: word(not_as_described,does_not_work,bought_by_mistake,other)|null Why, for machines.
                 reason?: size(0,500)|null Why, in words.",
            )
            .gives(200, "Refunded.", "Purchase")
            .rehearses()
            .faults(&[409]),
        Operation::new("post", "/api/ai/purchases/{purchaseId}/disputes", "open_dispute", tag, "Dispute a purchase within 30 days")
            .header("Idempotency-Key")
            .takes(
                "reason: word(epsilon_too_high,corrupt,not_as_described,other) What is wrong.
                 description: size(1,2000) In words.",
            )
            .gives(201, "Opened; the package is measured again.", "Dispute")
            .rehearses()
            .faults(&[409]),
        Operation::new("get", "/api/ai/disputes/{disputeId}", "get_dispute", tag, "Follow a dispute")
            .header("Prefer")
            .header("If-None-Match")
            .gives(200, "Where it stands.", "Dispute")
            .empty_answer(304, "As you know it."),
        Operation::new("get", "/api/ai/download-package", "download_package", tag, "Where the bytes of a package are")
            .asks("packageType: word(vector,memory,chain) What kind of package.\npackageId: text The package.")
            .gives(200, "Addresses that live for minutes.", "Download")
            .faults(&[404, 409]),
        Operation::new("get", "/api/packages/download/{packageType}/{packageId}", "follow_download_link", tag, "The link of a purchase")
            .asks("blob?: word(package,w-matrix) Which half; the package if nothing is said.")
            .about("`Accept: application/json` gets the address in the answer, for clients that carry their `Authorization` \
                    along when they are redirected: S3 refuses it beside a signed address. `HEAD` tells size and digest and is \
                    not counted as a download; neither is a `Range` that goes on with one.")
            .gives(200, "The address, for who accepts JSON.", "Address")
            .empty_answer(303, "To the bytes.")
            .faults(&[409]),
    ]
}

pub fn schemas() -> Map<String, Value> {
    fields::schemas(
        "Receipt
        receipt: text The signed statement (JWS).
        iss: text Who signed.
        sub: text The purchase.
        iat: int When it was settled, in epoch seconds.
        purchaseId: purchase The purchase.
        buyerId: uuid Who bought.
        sellerId: uuid Who sold.
        packageId: text The package.
        packageType: text What kind of package it is.
        licenseMode: text How it is licensed.
        amountMinor: int What was paid, in minor units.
        currency: text ISO 4217.
        price: text The same as decimal text.
        packageSha256: digits(64) The SHA-256 of the package.
        wMatrixSha256: digits(64) The SHA-256 of its alignment matrix.
        settledAt: time When it was settled.
        refundedAt?: time When it was refunded.

        DisputeTimes
        opened: time When it was opened.
        measured: time|null When the package was measured again.
        resolved: time|null When it was decided.

        Dispute
        disputeId: id(dis) The dispute.
        status: text Where it stands.
        purchaseId: purchase The purchase.
        packageId: text The package.
        reason: text What is wrong.
        description: text In words.
        price: num What was paid.
        priceMinor: int The same in minor units.
        frozenMinor: int What the seller cannot draw meanwhile.
        currency: text ISO 4217.
        finding: any What the measurement came to.
        measurement: any The measurement.
        decision: text|null What was decided.
        decidedBy: text|null By whom.
        note: text|null Why.
        statusUrl: text Where it is followed.
        nextPollMs: int|null When to look again, in milliseconds.
        timestamps: $DisputeTimes When.

        Address
        url: url Where the bytes are. Sent without `Authorization`.
        expiresAt: time Until when it works.
        sha256: digits(64) Their SHA-256.
        bytes: int How many they are.

        Download
        packageUrl: url The package.
        wMatrixUrl: url Its alignment matrix.
        expiresAt: time Until when these addresses work.
        urlsExpireAt: time The same.
        grantExpiresAt: time|null Until when new ones are given.
        purchaseId: purchase|null The purchase; null for the seller's own.
        packageId: text The package.
        packageType: text What kind of package it is.
        packageSha256: digits(64) The SHA-256 of the package.
        wMatrixSha256: digits(64) The SHA-256 of its alignment matrix.
        packageBytes: int Its size.
        wMatrixBytes: int Its size.",
    )
}
