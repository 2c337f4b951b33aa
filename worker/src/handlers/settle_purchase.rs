//! Settles a purchase: captures its hold, pays the seller, begins the grant.
//!
//! The settlement and the end of the job are one transaction, shared with whatever else is due. What an operator
//! closed meanwhile comes to nothing, and its buyer gets the credits back.

use common::jobs::Lease;
use common::purchases::{Settled, commands};

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    match context.settler.settle(lease).await? {
        Settled::Now | Settled::Before => Ok(()),
        Settled::Closed => Ok(commands::close(&context.outbox, lease).await??),
        Settled::Superseded => Err(JobError::Superseded),
    }
}
