//! An operator gives a user credits, or takes them.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity;
use crate::ids::UserId;
use crate::ledger::{AdjustmentError, LedgerError, Posting, post_in_tx};
use crate::limits::ADJUSTMENT_REASON_CHARS_MAX;
use crate::outbox::Outbox;
use crate::{db, events};

/// The event that keeps who got how much, and why.
const EVENT: &str = "credits.adjusted";

/// What the operator asks for.
#[derive(Debug, Clone)]
pub struct Adjustment {
    /// Makes a repeat harmless.
    pub id: Uuid,
    pub user: UserId,
    /// Negative takes credits away.
    pub amount_minor: i64,
    pub currency: String,
    pub reason: String,
    pub request_id: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjusted {
    /// Whose credits they are, to be shown.
    pub user_name: String,
    /// False if this id was adjusted before, with the same content; then nothing moved now.
    pub is_new: bool,
}

/// Moves the credits, and keeps the reason as an event, in one transaction.
pub async fn adjust(outbox: &Outbox, asked: &Adjustment) -> Result<Adjusted, AdjustmentError> {
    if asked.amount_minor == 0 {
        return Err(AdjustmentError::AmountZero);
    }
    if !(1..=ADJUSTMENT_REASON_CHARS_MAX).contains(&asked.reason.trim().chars().count()) {
        return Err(AdjustmentError::Reason);
    }
    let user_name = identity::find_name(outbox.pool(), asked.user)
        .await?
        .ok_or(AdjustmentError::UserUnknown)?;
    let adjusted = |is_new| Adjusted { user_name, is_new };
    match post(outbox, asked).await {
        Ok(()) => Ok(adjusted(true)),
        Err(LedgerError::PostedBefore) if is_same(outbox, asked).await? => Ok(adjusted(false)),
        Err(LedgerError::PostedBefore) => Err(AdjustmentError::IdUsed),
        Err(LedgerError::InsufficientCredits) => Err(AdjustmentError::InsufficientCredits),
        Err(LedgerError::Database(error)) => Err(error.into()),
    }
}

async fn post(outbox: &Outbox, asked: &Adjustment) -> Result<(), LedgerError> {
    let posting = Posting::adjustment(asked.id, asked.user, asked.amount_minor);
    let mut tx = outbox.begin().await?;
    post_in_tx(&mut tx, &posting, &asked.currency, &asked.request_id).await?;
    let mut data = content(asked);
    data["reason"] = json!(asked.reason.trim());
    events::append_in_tx(&mut tx, asked.id, EVENT, &asked.request_id, data).await?;
    Ok(tx.commit().await?)
}

/// Whether the id stands for the same content.
async fn is_same(outbox: &Outbox, asked: &Adjustment) -> Result<bool, db::Error> {
    let kept = events::find_first(outbox.pool(), asked.id, EVENT).await?;
    let mut kept = kept.unwrap_or_default();
    if let Some(kept) = kept.as_object_mut() {
        kept.remove("reason");
    }
    Ok(kept == content(asked))
}

fn content(asked: &Adjustment) -> Value {
    json!({
        "user": asked.user,
        "amountMinor": asked.amount_minor,
        "currency": asked.currency,
    })
}
