//! Sends what is due for one endpoint: the job is the endpoint's alarm, and rests instead of ending.

use common::jobs::Lease;

use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    Ok(context.deliverer.drain(lease).await?)
}
