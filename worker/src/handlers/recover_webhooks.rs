//! Queues what an endpoint should hear again, step by step.

use common::jobs::Lease;
use common::webhooks::recoveries;

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    recoveries::run(&context.outbox, lease).await??;
    Ok(())
}
