//! Which job causes what happens.

use crate::ids::JobId;

tokio::task_local! {
    static JOB: JobId;
}

/// Does the work of a job: the events that it appends say so.
pub async fn caused_by<W: Future>(job: JobId, work: W) -> W::Output {
    JOB.scope(job, work).await
}

/// The job whose work this is; none in a request.
pub(super) fn current() -> Option<JobId> {
    JOB.try_with(|job| *job).ok()
}
