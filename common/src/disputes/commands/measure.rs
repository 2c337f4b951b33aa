//! The package was measured again: the report is kept, and decides where it can.
//!
//! Locks in order: the job, the purchase, the dispute, accounts.

use super::resolve::{Resolution, count, resolve_in_tx};
use super::tell::{Step, tell_in_tx};
use crate::disputes::{Decider, DisputeError, DisputeState, Finding, find};
use crate::ids::DisputeId;
use crate::jobs::{self, Lease, LeaseLost};
use crate::outbox::Outbox;
use crate::purchases::commands::Cause;
use crate::purchases::lock_in_tx;
use crate::webhooks::EventType;

/// What the re-measurement came to.
#[derive(Debug, Clone)]
pub struct Measurement {
    pub finding: Finding,
    /// The verdict's report, or why there is none.
    pub report: serde_json::Value,
}

/// Ends the job with its measurement. A dispute that was measured or decided meanwhile stays as it is.
pub async fn record_measurement(
    outbox: &Outbox,
    lease: &Lease,
    measurement: &Measurement,
) -> Result<Result<(), LeaseLost>, DisputeError> {
    let id = DisputeId(lease.subject);
    let mut tx = outbox.begin().await?;
    if jobs::finish_in_tx(&mut tx, lease).await?.is_err() {
        return Ok(Err(LeaseLost));
    }
    let dispute = find(&mut *tx, id).await?.ok_or(DisputeError::NotFound)?;
    let purchase = lock_in_tx(&mut tx, dispute.purchase_id)
        .await?
        .ok_or(DisputeError::NotFound)?;
    let measured = sqlx::query(
        "update disputes
         set state = 'measured', finding = $2, report = $3, measured_at = now(), version = version + 1
         where id = $1
           and state = 'open'",
    )
    .bind(id)
    .bind(measurement.finding)
    .bind(&measurement.report)
    .execute(&mut *tx)
    .await?;
    if measured.rows_affected() == 0 {
        tx.commit().await?;
        return Ok(Ok(()));
    }
    let dispute = find(&mut *tx, id).await?.ok_or(DisputeError::NotFound)?;
    let step = Step {
        event_type: EventType::DisputeMeasured,
        state: DisputeState::Measured,
        finding: Some(measurement.finding),
        decision: None,
        note: None,
        trace: &lease.trace,
    };
    tell_in_tx(&mut tx, &purchase, &dispute, step).await?;
    let decision = measurement.finding.decision();
    let is_resolved = dispute.reason.is_measurable()
        && resolve_in_tx(
            &mut tx,
            &purchase,
            &dispute,
            Resolution {
                decision,
                by: Decider::Measurement,
                note: None,
                cause: Cause::Dispute,
                trace: &lease.trace,
            },
        )
        .await?;
    tx.commit().await?;
    if is_resolved {
        count(&dispute, decision);
    }
    Ok(Ok(()))
}
