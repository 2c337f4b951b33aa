//! The pipeline: what each job means for the thing it is about, in one list.
//!
//! `jobs` knows nothing of uploads and deliveries; what happens to them when a job is given up,
//! cancelled or revived is decided here, in the transaction that changes the job.

use uuid::Uuid;

use crate::disputes::{self, DisputeState};
use crate::ids::{DisputeId, JobId, PaymentId, PurchaseId, UploadId};
use crate::jobs::{self, JobName, JobState, JobsError, Lease, LeaseLost};
use crate::ledger::HoldEnd;
use crate::outbox::{Outbox, Tx};
use crate::purchases::{self, PurchaseState};
use crate::uploads::{self, Refusal, Stage, UploadStatus};

/// How a running job ends without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// For a reason of its own: the subject's owner reads it.
    Cancelled,
    /// It keeps failing: set aside for an operator, the owner is told that it is our fault.
    Quarantined,
}

/// Ends a running job without success, and its subject with it.
pub async fn give_up(
    outbox: &Outbox,
    lease: &Lease,
    how: GiveUp,
    reason: &str,
) -> Result<Result<(), LeaseLost>, sqlx::Error> {
    let mut tx = outbox.begin().await?;
    let ended = match how {
        GiveUp::Cancelled => jobs::cancel_in_tx(&mut tx, lease, reason).await?,
        GiveUp::Quarantined => jobs::quarantine_in_tx(&mut tx, lease, reason).await?,
    };
    if ended.is_err() {
        return Ok(Err(LeaseLost));
    }
    end_subject_in_tx(
        &mut tx,
        &lease.name,
        lease.subject,
        &lease.trace,
        how,
        reason,
    )
    .await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// Ends a waiting job without success, and its subject with it.
pub async fn give_up_waiting(
    outbox: &Outbox,
    id: JobId,
    how: GiveUp,
    reason: &str,
) -> Result<(), JobsError> {
    let job = jobs::find_job(outbox.pool(), id).await?.job;
    let state = match how {
        GiveUp::Cancelled => JobState::Cancelled,
        GiveUp::Quarantined => JobState::Quarantined,
    };
    let mut tx = outbox.begin().await?;
    if !jobs::cancel_waiting_in_tx(&mut tx, id, state, reason).await? {
        return Err(JobsError::WrongState(job.state.to_string()));
    }
    end_subject_in_tx(&mut tx, &job.name, job.subject, &job.trace, how, reason).await?;
    tx.commit().await?;
    Ok(())
}

/// An operator cancels a job: at once if it waits, by its worker if it runs. An alarm stands for its
/// endpoint for ever, so it is not for cancelling.
pub async fn cancel(outbox: &Outbox, id: JobId, reason: &str) -> Result<(), JobsError> {
    let job = jobs::find_job(outbox.pool(), id).await?.job;
    if job.name.parse() == Ok(JobName::DeliverWebhook) {
        let alarm =
            "the alarm of a webhook endpoint (pause the queue, or have the endpoint disabled)";
        return Err(JobsError::WrongState(alarm.to_owned()));
    }
    if jobs::request_cancel(outbox.pool(), id, reason).await? {
        return Ok(());
    }
    give_up_waiting(outbox, id, GiveUp::Cancelled, reason).await
}

/// An operator runs a job again, with all its attempts; a subject that failed with it is opened again.
pub async fn retry(outbox: &Outbox, id: JobId) -> Result<(), JobsError> {
    let job = jobs::find_job(outbox.pool(), id).await?.job;
    let mut tx = outbox.begin().await?;
    let state = jobs::requeue_in_tx(&mut tx, id).await?;
    if state != JobState::Ready && !revive_subject_in_tx(&mut tx, &job.name, job.subject).await? {
        return Err(JobsError::WrongState(format!(
            "{state}, and what it was about has ended"
        )));
    }
    tx.commit().await?;
    Ok(())
}

async fn end_subject_in_tx(
    tx: &mut Tx,
    job: &str,
    subject: Uuid,
    trace: &str,
    how: GiveUp,
    reason: &str,
) -> Result<(), sqlx::Error> {
    match job.parse() {
        Ok(JobName::ValidateUpload | JobName::PublishUpload) => {
            let Some(upload) = uploads::find(&mut **tx, UploadId(subject)).await? else {
                return Ok(());
            };
            let refusal = match how {
                GiveUp::Cancelled => Refusal {
                    code: "CANCELLED".to_owned(),
                    message: reason.to_owned(),
                },
                GiveUp::Quarantined => uploads::commands::internal_refusal(),
            };
            uploads::commands::fail_in_tx(tx, &upload, &refusal, trace).await
        }
        // A cancelled purchase gives its hold back. A quarantined one is ours to mend: it stays pending
        // until an operator retries the job, or its time is over.
        Ok(JobName::SettlePurchase) if how == GiveUp::Cancelled => {
            let failure = purchases::commands::Failure {
                code: "CANCELLED",
                message: reason.to_owned(),
                hold: HoldEnd::Voided,
            };
            let id = PurchaseId(subject);
            purchases::commands::fail_in_tx(tx, id, &failure, trace).await?;
            Ok(())
        }
        // A dispute that could not be measured stays open, for an operator to decide.
        Ok(JobName::SettlePurchase | JobName::AnnouncePurchase | JobName::RemeasurePackage) => {
            Ok(())
        }
        // The card may have been charged. Once cancelled, the sweep asks again; a quarantined one waits
        // for an operator.
        Ok(JobName::ProcessPayment) => {
            let id = PaymentId(subject);
            purchases::commands::doubt_payment_in_tx(tx, id, reason, trace).await
        }
        // An alarm that is given up keeps its deliveries; an operator's retry sends them.
        Ok(JobName::DeliverWebhook | JobName::RecoverWebhooks) => Ok(()),
        // What was known of the card stays, until it is renewed; a task stays open until an operator retries the job
        // or a participant acts.
        Ok(JobName::FetchAgentCard | JobName::EndAgentTask) => Ok(()),
        // A job of a newer version: nothing here knows its subject.
        Err(_) => Ok(()),
    }
}

async fn revive_subject_in_tx(tx: &mut Tx, job: &str, subject: Uuid) -> Result<bool, sqlx::Error> {
    match job.parse() {
        Ok(JobName::ValidateUpload) => {
            let (status, stage) = (UploadStatus::Pending, Stage::Queued);
            uploads::commands::revive_in_tx(tx, UploadId(subject), status, stage).await
        }
        Ok(JobName::PublishUpload) => {
            let (status, stage) = (UploadStatus::Processing, Stage::Publishing);
            uploads::commands::revive_in_tx(tx, UploadId(subject), status, stage).await
        }
        Ok(JobName::SettlePurchase) => {
            let purchase = purchases::find(&mut **tx, PurchaseId(subject)).await?;
            Ok(purchase.is_some_and(|purchase| purchase.state == PurchaseState::Pending))
        }
        Ok(
            JobName::AnnouncePurchase
            | JobName::ProcessPayment
            | JobName::DeliverWebhook
            | JobName::RecoverWebhooks
            | JobName::FetchAgentCard
            | JobName::EndAgentTask,
        ) => Ok(true),
        Ok(JobName::RemeasurePackage) => {
            let dispute = disputes::find(&mut **tx, DisputeId(subject)).await?;
            Ok(dispute.is_some_and(|dispute| dispute.state == DisputeState::Open))
        }
        Err(_) => Ok(true),
    }
}
