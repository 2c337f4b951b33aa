//! Takes a request for more credits.

use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::PaymentId;
use crate::outbox::Outbox;
use crate::payments::{NewPayment, PaymentError, TopUpRequest};

use super::begin_in_tx;

/// The top-up that a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreatedTopUp {
    pub id: PaymentId,
    /// True if an earlier request with the same key made it.
    pub is_replay: bool,
}

/// Records the top-up and the answer for its idempotency key, in one transaction. The id is ours: no
/// caller names the payment that is credited.
pub async fn top_up(
    outbox: &Outbox,
    request: &TopUpRequest,
    key: Option<&IdempotencyKey>,
) -> Result<CreatedTopUp, PaymentError> {
    let id = PaymentId::new();
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: request.fingerprint(),
            status: 202,
            body: serde_json::json!({ "topUpId": id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return again(&earlier, &answer.fingerprint);
        }
    }
    let new = NewPayment {
        user: request.user,
        api_key: request.api_key,
        purchase: None,
        amount_minor: request.amount_minor,
        currency: request.currency.clone(),
        method_id: request.method_id.clone(),
        request_id: request.request_id.clone(),
        webhook_url: request.webhook_url.clone(),
    };
    begin_in_tx(&mut tx, id, &new).await?;
    tx.commit().await?;
    Ok(CreatedTopUp {
        id,
        is_replay: false,
    })
}

/// The answer that the key got before, if it was to the same content.
fn again(earlier: &StoredAnswer, fingerprint: &[u8]) -> Result<CreatedTopUp, PaymentError> {
    let id = earlier.body.get("topUpId").and_then(|id| id.as_str());
    match id.and_then(PaymentId::parse) {
        Some(id) if earlier.fingerprint == fingerprint => Ok(CreatedTopUp {
            id,
            is_replay: true,
        }),
        _ => Err(PaymentError::IdempotencyConflict),
    }
}
