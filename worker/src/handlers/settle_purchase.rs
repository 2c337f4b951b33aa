//! Settles a purchase: captures its hold, pays the seller, begins the grant.
//!
//! The settlement and the end of the job are one transaction, shared with whatever else is due.

use common::jobs::Lease;
use common::purchases::Settled;

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    match context.settler.settle(lease).await? {
        Settled::Now | Settled::Before => Ok(()),
        Settled::Superseded => Err(JobError::Superseded),
    }
}
