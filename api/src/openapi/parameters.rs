//! Parameters that several operations take.

use common::limits::{CLIENT_PAGE_ROWS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, WAIT_SECONDS_MAX};
use serde_json::{Map, Value, json};

use super::fields::field;
use super::schema::{range, text};

/// All of them by name.
pub fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, kind, about) in [
        ("packageId", "text", "The package, `pkg_…`."),
        ("endpointId", "id(whe)", "The endpoint."),
        ("deliveryId", "id(whd)", "The delivery."),
        ("eventId", "id(msg)", "The event."),
        ("recoveryId", "id(whr)", "The recovery."),
        ("uploadId", "text", "The upload, `upload_…`."),
        ("batchId", "text", "The batch, `batch_…`."),
        (
            "purchaseId",
            "purchase",
            "The purchase, or its number in the first version.",
        ),
        ("topUpId", "id(pay)", "The top-up."),
        ("paymentId", "id(pay)", "The payment."),
        ("chargebackId", "id(cbk)", "The chargeback."),
        ("payoutId", "id(out)", "The payout."),
        ("disputeId", "id(dis)", "The dispute."),
        ("keyId", "uuid", "The key."),
        ("sessionId", "uuid", "The session."),
        ("sellerId", "uuid", "The seller."),
        ("userId", "uuid", "The user."),
        ("reviewId", "uuid", "The review."),
        ("jobId", "uuid", "The job."),
        ("payloadId", "text", "The payload."),
        ("queue", "text", "The queue."),
        (
            "packageType",
            "word(vector,memory,chain)",
            "What kind of package.",
        ),
        ("file", "text", "The file."),
        ("page", "text", "The page."),
        ("code", "text", "The code."),
    ] {
        all.insert(
            name.to_owned(),
            parameter(name, "path", true, field(kind, about)),
        );
    }
    let limit = range("How many rows.", 1, CLIENT_PAGE_ROWS_MAX);
    all.insert(
        "limit".to_owned(),
        parameter("limit", "query", false, limit),
    );
    let cursor = text("`nextCursor` of the page before.");
    all.insert(
        "cursor".to_owned(),
        parameter("cursor", "query", false, cursor),
    );
    all.extend(headers());
    all
}

fn headers() -> Map<String, Value> {
    let key = json!({
        "type": "string",
        "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
        "description": "Of your choice: a request that is repeated with it is carried out once.",
    });
    let prefer = text(&format!(
        "`wait=N`: wait for the outcome for up to N seconds, at most {WAIT_SECONDS_MAX}."
    ));
    let known = text("The entity tag that you know; what has not changed is not sent again.");
    let seen = text(
        "The entity tag that you have seen; `*` for any. What is compared is the version that it begins with.",
    );
    let headers = [
        ("Idempotency-Key", false, key),
        ("Prefer", false, prefer),
        ("If-None-Match", false, known),
        ("If-Match", true, seen),
        (
            "Stripe-Signature",
            false,
            text("The time and the HMAC of the body."),
        ),
    ];
    let named = headers.map(|(name, is_required, schema)| {
        (
            name.to_owned(),
            parameter(name, "header", is_required, schema),
        )
    });
    named.into_iter().collect()
}

fn parameter(name: &str, place: &str, is_required: bool, schema: Value) -> Value {
    json!({ "name": name, "in": place, "required": is_required, "schema": schema })
}
