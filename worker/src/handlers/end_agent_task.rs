//! Ends the state of a task between agents whose time is over.

use common::agent_tasks::commands;
use common::jobs::Lease;

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    commands::end_if_due(&context.outbox, lease).await??;
    Ok(())
}
