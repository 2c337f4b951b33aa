//! What runs in this process: each run can be stopped, and the heartbeat says what there is.
//!
//! A run is one lease of a job. A job can be leased here once more while an older run of it still ends:
//! PostgreSQL was away, and the scheduler took it back meanwhile.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::ids::JobId;
use common::jobs::Lease;
use tokio::sync::oneshot;

/// The fence of its lease sets a run apart from others of its job.
type Run = (JobId, i32);

/// The runs of one process.
#[derive(Debug, Default)]
pub struct Runs(Mutex<HashMap<Run, oneshot::Sender<String>>>);

impl Runs {
    /// Notes that a job runs here; the receiver gets an operator's reason to stop it.
    pub fn enter(&self, lease: &Lease) -> oneshot::Receiver<String> {
        let (stop, stopped) = oneshot::channel();
        self.lock().insert((lease.job, lease.fence), stop);
        stopped
    }

    /// Notes that it no longer does.
    pub fn leave(&self, lease: &Lease) {
        self.lock().remove(&(lease.job, lease.fence));
    }

    /// What runs here.
    pub fn jobs(&self) -> Vec<JobId> {
        self.lock().keys().map(|(job, _)| *job).collect()
    }

    /// Stops a job that runs here.
    pub fn cancel(&self, job: JobId, reason: &str) {
        let mut runs = self.lock();
        for (_, stop) in runs.extract_if(|(running, _), _| *running == job) {
            // A run that has just ended needs no stopping.
            let _ = stop.send(reason.to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Run, oneshot::Sender<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use common::ids::WorkerId;

    use super::*;

    fn lease(job: JobId, fence: i32) -> Lease {
        Lease {
            job,
            name: "deliver_webhook".to_owned(),
            subject: job.0,
            tenant: None,
            trace: String::new(),
            fence,
            worker: WorkerId::new(),
            attempts: 0,
            snoozes: 0,
            waited_seconds: 0.0,
        }
    }

    #[test]
    fn an_older_run_that_ends_hides_no_newer_one_of_its_job() {
        let (runs, job) = (Runs::default(), JobId::new());
        let (older, newer) = (lease(job, 1), lease(job, 2));
        let _stopped = runs.enter(&older);
        let mut stopped = runs.enter(&newer);
        runs.leave(&older);
        assert_eq!(runs.jobs(), [job]);
        runs.cancel(job, "enough");
        assert_eq!(stopped.try_recv(), Ok("enough".to_owned()));
        assert!(runs.jobs().is_empty());
    }
}
