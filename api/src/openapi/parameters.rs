//! Parameters that several operations take.

use common::agents::AgentId;
use common::events::STREAM_NAME_PATTERN;
use common::ids::{
    AgentTaskId, BatchPublicId, ChargebackId, DeliveryId, DisputeId, EndpointId, EventId,
    PackagePublicId, PaymentId, PayoutId, PurchaseId, RecoveryId, UploadPublicId,
};
use common::leases::Resource;
use common::limits::{CLIENT_STREAM_NAME_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX, WAIT_SECONDS_MAX};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::contract::reference_to;
use crate::version::ApiVersion;

/// All of them by name.
pub fn all(version: ApiVersion) -> Map<String, Value> {
    path(version).into_iter().chain(headers()).collect()
}

fn path(version: ApiVersion) -> Vec<(String, Value)> {
    let (purchase, about_purchase) = match version {
        ApiVersion::V1 => (
            json!({ "type": "integer", "format": "int64" }),
            "The purchase. Its id is taken too.",
        ),
        _ => (id::<PurchaseId>(), "The purchase."),
    };
    let text = || json!({ "type": "string" });
    let row = || json!({ "type": "string", "format": "uuid" });
    let stream = json!({
        "type": "string",
        "pattern": STREAM_NAME_PATTERN,
        "maxLength": CLIENT_STREAM_NAME_BYTES_MAX,
        "example": "orders-17",
    });
    let named = [
        ("packageId", id::<PackagePublicId>(), "The package."),
        ("endpointId", id::<EndpointId>(), "The endpoint."),
        ("deliveryId", id::<DeliveryId>(), "The delivery."),
        ("eventId", id::<EventId>(), "The event."),
        ("recoveryId", id::<RecoveryId>(), "The recovery."),
        ("uploadId", id::<UploadPublicId>(), "The upload."),
        ("batchId", id::<BatchPublicId>(), "The batch."),
        ("purchaseId", purchase, about_purchase),
        ("topUpId", id::<PaymentId>(), "The top-up."),
        ("paymentId", id::<PaymentId>(), "The payment."),
        ("chargebackId", id::<ChargebackId>(), "The chargeback."),
        ("payoutId", id::<PayoutId>(), "The payout."),
        ("disputeId", id::<DisputeId>(), "The dispute."),
        ("keyId", row(), "The key."),
        ("sessionId", row(), "The session."),
        ("sellerId", row(), "The seller."),
        ("userId", row(), "The user."),
        ("agentId", id::<AgentId>(), "The agent."),
        ("taskId", id::<AgentTaskId>(), "The task."),
        ("reviewId", row(), "The review."),
        ("jobId", row(), "The job."),
        ("resource", id::<Resource>(), "What is locked."),
        ("payloadId", text(), "The payload."),
        ("queue", text(), "The queue."),
        ("stream", stream, "The stream."),
        ("subscription", text(), "The name of the subscription."),
        ("task", text(), "The task."),
        (
            "packageType",
            reference_to("PackageType"),
            "The type of the package.",
        ),
        ("file", text(), "The file."),
        ("page", text(), "The page."),
        ("code", text(), "The code."),
    ];
    let parameter =
        |(name, schema, about): (&str, Value, &str)| parameter(name, "path", true, about, &schema);
    named.map(parameter).into()
}

/// The schema of an id.
fn id<T: JsonSchema>() -> Value {
    T::json_schema(&mut SchemaGenerator::default()).to_value()
}

fn headers() -> Vec<(String, Value)> {
    let text = || json!({ "type": "string" });
    let wait =
        format!("`wait=N`: wait for the outcome for up to N seconds, at most {WAIT_SECONDS_MAX}.");
    let lease_token = json!({ "type": "string", "pattern": "^lt_[0-9a-f]{32}$" });
    let headers = [
        (
            "Idempotency-Key",
            false,
            json!({ "type": "string", "maxLength": IDEMPOTENCY_KEY_CHARS_MAX }),
            "Of your choice: a request that is repeated with it is carried out once.",
        ),
        ("Prefer", false, text(), wait.as_str()),
        (
            "Last-Event-ID",
            false,
            text(),
            "The id of the last event that you have: the stream goes on after it.",
        ),
        (
            "Lease-Token",
            false,
            lease_token.clone(),
            "The token of a lease that you hold: if it was lost, nothing happens, and the answer is 410.",
        ),
        (
            "If-None-Match",
            false,
            text(),
            "The entity tag that you know; what has not changed is not sent again.",
        ),
        (
            "If-Match",
            true,
            text(),
            "The entity tag that you have seen; `*` for any. What is compared is the version that it begins with.",
        ),
        (
            "Stripe-Signature",
            false,
            text(),
            "The time and the HMAC of the body.",
        ),
    ];
    let parameter = |(name, is_required, schema, about): (&str, bool, Value, &str)| {
        parameter(name, "header", is_required, about, &schema)
    };
    let (_, held) = parameter((
        "Lease-Token",
        true,
        lease_token.clone(),
        "The token of the lease.",
    ));
    let mut headers: Vec<(String, Value)> = headers.map(parameter).into();
    headers.push(("Held-Lease-Token".to_owned(), held));
    headers
}

fn parameter(
    name: &str,
    place: &str,
    is_required: bool,
    about: &str,
    schema: &Value,
) -> (String, Value) {
    let parameter = json!({
        "name": name,
        "in": place,
        "required": is_required,
        "description": about,
        "schema": schema,
    });
    (name.to_owned(), parameter)
}
