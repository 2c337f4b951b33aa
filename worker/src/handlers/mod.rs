//! One file per job; each loads its row, acts, and ends in one transaction.

mod announce_purchase;
mod deliver_webhook;
mod end_agent_task;
mod fetch_agent_card;
mod process_payment;
mod publish_upload;
mod recover_webhooks;
mod remeasure_package;
mod settle_purchase;
mod validate_upload;

use common::jobs::{self, JobName, Lease};
use common::outbox::Outbox;

use crate::{Context, JobError};

/// Runs the handler of that job.
pub async fn run(context: &Context, name: JobName, lease: &Lease) -> Result<(), JobError> {
    match name {
        JobName::ValidateUpload => validate_upload::run(context, lease).await,
        JobName::PublishUpload => publish_upload::run(context, lease).await,
        JobName::SettlePurchase => settle_purchase::run(context, lease).await,
        JobName::AnnouncePurchase => announce_purchase::run(context, lease).await,
        JobName::ProcessPayment => process_payment::run(context, lease).await,
        JobName::RemeasurePackage => remeasure_package::run(context, lease).await,
        JobName::DeliverWebhook => deliver_webhook::run(context, lease).await,
        JobName::RecoverWebhooks => recover_webhooks::run(context, lease).await,
        JobName::FetchAgentCard => fetch_agent_card::run(context, lease).await,
        JobName::EndAgentTask => end_agent_task::run(context, lease).await,
    }
}

/// Ends a job whose subject needs nothing any more.
async fn finish_alone(outbox: &Outbox, lease: &Lease) -> Result<(), JobError> {
    let mut tx = outbox.begin().await?;
    jobs::finish_in_tx(&mut tx, lease).await??;
    tx.commit().await?;
    Ok(())
}
