//! One send: its permit, its bytes, its signatures, the request.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;

use super::Deliverer;
use super::claims::Due;
use super::open::Rules;
use super::permits::Kind;
use crate::telemetry::metrics;
use crate::webhooks::client::{Attempt, Header, Message};
use crate::webhooks::envelope::{StoredEvent, render};
use crate::webhooks::sign;

/// A delivery with the receiver's answer.
#[derive(Debug)]
pub(super) struct Sent {
    pub due: Due,
    pub attempt: Attempt,
}

/// Waits for a permit, signs with what is live at that moment, and sends.
pub(super) async fn send(
    deliverer: &Deliverer,
    rules: Arc<Rules>,
    due: Due,
    is_slow: bool,
) -> Sent {
    let kind = Kind {
        tenant: rules.owner,
        is_retry: due.attempts > 0,
        is_slow,
    };
    let _permit = deliverer.permits.take(kind).await;
    let waited = (Utc::now() - due.next_at).to_std().unwrap_or_default();
    metrics()
        .webhook_dispatch_seconds
        .observe(waited.as_secs_f64());
    let Some(stored) = &due.body else {
        let attempt = Attempt::withheld();
        return Sent { due, attempt };
    };
    let event = StoredEvent {
        is_test: due.is_test,
        id: due.event_id,
        event_type: &due.event_type,
        subject: due.subject,
        sequence: due.sequence,
        occurred_at: due.occurred_at,
        body: stored,
    };
    let body = Bytes::from(render(&event, rules.payload, &deliverer.public_base_url));
    let headers = headers(deliverer, &rules, &due, &body);
    let message = Message {
        url: &rules.url,
        headers: &headers,
        body,
        timeout: rules.timeout,
    };
    let attempt = deliverer.client.post(message).await;
    Sent { due, attempt }
}

/// What is ours comes last: nothing of an endpoint's own headers can stand in front of it, and the
/// names that we use are refused there.
fn headers(deliverer: &Deliverer, rules: &Rules, due: &Due, body: &[u8]) -> Vec<Header> {
    let asymmetric = |bytes: &[u8]| deliverer.signer.sign_bytes(bytes);
    let signing = sign::Signing {
        api_key: rules.api_key.secret(),
        secrets: &rules.secrets,
        asymmetric: Some(&asymmetric),
    };
    let signed = signing.headers(&due.event_id.to_string(), Utc::now().timestamp(), body);
    let ours = [
        ("x-awareness-event", due.event_type.clone()),
        ("x-awareness-delivery", due.id.to_string()),
        ("x-awareness-attempt", (due.attempts + 1).to_string()),
        ("x-awareness-sequence", due.sequence.to_string()),
        ("x-request-id", due.trace.clone()),
    ];
    let custom = rules.headers.iter().cloned();
    custom
        .chain(
            signed
                .into_iter()
                .chain(ours)
                .map(|(name, value)| (name.to_owned(), value)),
        )
        .collect()
}
