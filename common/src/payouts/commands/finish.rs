//! An operator says what became of a payout: it left the house, or it could not.

use super::tell::tell_in_tx;
use crate::ids::PayoutId;
use crate::ledger::{self, Posting};
use crate::outbox::Outbox;
use crate::payouts::{Payout, PayoutError, PayoutState, find};

/// How a payout ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With what the bank calls it.
    Paid { reference: String },
    /// With the reason that the seller reads.
    Returned { reason: String },
}

impl End {
    fn state(&self) -> PayoutState {
        match self {
            Self::Paid { .. } => PayoutState::Paid,
            Self::Returned { .. } => PayoutState::Returned,
        }
    }

    fn reference(&self) -> Option<&str> {
        match self {
            Self::Paid { reference } => Some(reference),
            Self::Returned { .. } => None,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Paid { .. } => None,
            Self::Returned { reason } => Some(reason),
        }
    }

    fn is_that_of(&self, payout: &Payout) -> bool {
        payout.state == self.state()
            && payout.reference.as_deref() == self.reference()
            && payout.reason.as_deref() == self.reason()
    }

    fn posting(&self, payout: &Payout) -> Posting {
        match self {
            Self::Paid { .. } => Posting::payout_paid(payout.id.0, payout.amount_minor),
            Self::Returned { .. } => {
                Posting::payout_returned(payout.id.0, payout.seller_id, payout.amount_minor)
            }
        }
    }
}

/// Ends a requested payout. The same end again changes nothing, another one is refused.
pub async fn finish(
    outbox: &Outbox,
    id: PayoutId,
    end: &End,
    trace: &str,
) -> Result<Payout, PayoutError> {
    let mut tx = outbox.begin().await?;
    let finished = sqlx::query(
        "update payouts
         set state = $2, reference = $3, reason = $4, finished_at = now(), version = version + 1
         where id = $1
           and state = 'requested'",
    )
    .bind(id)
    .bind(end.state())
    .bind(end.reference())
    .bind(end.reason())
    .execute(&mut *tx)
    .await?;
    let payout = find(&mut *tx, id, None)
        .await?
        .ok_or(PayoutError::NotFound)?;
    if finished.rows_affected() == 0 {
        return if end.is_that_of(&payout) {
            Ok(payout)
        } else {
            Err(PayoutError::EndedBefore(payout.state))
        };
    }
    ledger::post_in_tx(&mut tx, &end.posting(&payout), &payout.currency, trace).await?;
    tell_in_tx(&mut tx, &payout, trace).await?;
    tx.commit().await?;
    Ok(payout)
}
