//! A seller asks for earnings: they leave the account at once, if they are there.
//!
//! Locks in order: the idempotency key, the seller's earnings.

use sha2::{Digest as _, Sha256};

use super::tell::tell_in_tx;
use crate::events::{self, Category, NewStream};
use crate::idempotency::{self, IdempotencyKey, StoredAnswer};
use crate::ids::{PayoutId, UserId};
use crate::ledger::{self, Posting};
use crate::outbox::Outbox;
use crate::payouts::{PayoutError, find};
use crate::purchases::lock_earnings_in_tx;

/// What a seller asks for.
#[derive(Debug, Clone)]
pub struct NewPayout {
    pub seller: UserId,
    pub amount_minor: i64,
    pub currency: String,
    pub request_id: String,
}

impl NewPayout {
    fn fingerprint(&self) -> Vec<u8> {
        let content = serde_json::json!([self.amount_minor, self.currency]);
        Sha256::digest(content.to_string()).to_vec()
    }
}

/// Takes the amount from the seller's earnings. A repeated key answers the payout that it made.
pub async fn request(
    outbox: &Outbox,
    new: &NewPayout,
    key: Option<&IdempotencyKey>,
) -> Result<PayoutId, PayoutError> {
    let id = PayoutId::new();
    let mut tx = outbox.begin().await?;
    if let Some(key) = key {
        let answer = StoredAnswer {
            fingerprint: new.fingerprint(),
            status: 201,
            body: serde_json::json!({ "payoutId": id }),
        };
        if let Some(earlier) = idempotency::record_in_tx(&mut tx, key, &answer).await? {
            return again(&earlier, &answer.fingerprint);
        }
    }
    let earnings = lock_earnings_in_tx(&mut tx, new.seller, &new.currency).await?;
    if new.amount_minor > earnings.available_minor() {
        return Err(PayoutError::NotEnough(earnings));
    }
    sqlx::query(
        "insert into payouts (id, seller_id, amount_minor, currency, request_id)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(new.seller)
    .bind(new.amount_minor)
    .bind(&new.currency)
    .bind(&new.request_id)
    .execute(&mut *tx)
    .await?;
    let stream = NewStream {
        id: id.0,
        name: Category::Payout.stream_of(id),
        audience: &[new.seller],
    };
    events::open_in_tx(&mut tx, &stream).await?;
    let posting = Posting::payout(id.0, new.seller, new.amount_minor);
    ledger::post_in_tx(&mut tx, &posting, &new.currency, &new.request_id).await?;
    let payout = find(&mut *tx, id, None).await?;
    let payout = payout.ok_or(PayoutError::NotFound)?;
    tell_in_tx(&mut tx, &payout, &new.request_id).await?;
    tx.commit().await?;
    Ok(id)
}

/// The answer that the key got before, if it was to the same content.
fn again(earlier: &StoredAnswer, fingerprint: &[u8]) -> Result<PayoutId, PayoutError> {
    let id = earlier
        .body
        .get("payoutId")
        .and_then(|id| id.as_str())
        .and_then(PayoutId::parse);
    match id {
        Some(id) if earlier.fingerprint == fingerprint => Ok(id),
        _ => Err(PayoutError::IdempotencyConflict),
    }
}
