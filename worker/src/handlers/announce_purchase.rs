//! Promises the webhooks of a settled purchase.

use common::jobs::Lease;
use common::purchases;

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    purchases::commands::announce(&context.outbox, lease, &context.public_base_url).await??;
    Ok(())
}
