//! Takes back what dead workers held: leases in PostgreSQL, fetched calls in Redis.

use std::time::{Duration, Instant};

use common::jobs::{self, QueueSpec};
use common::limits::{CRASHES_MAX, LEASE};
use common::outbox::Outbox;
use common::pipeline::{self, GiveUp};
use common::telemetry::metrics;

use super::SweepError;

/// Finished calls that one step takes out of Redis, per queue.
const FINISHED_MAX: usize = 2_000;
/// A gap between two good looks at PostgreSQL that means it was away, and workers could not renew.
const GAP: Duration = Duration::from_secs(3);

/// Remembers when PostgreSQL last answered.
#[derive(Debug)]
pub struct OrphanSweep {
    last_look: Instant,
    not_before: Instant,
}

impl Default for OrphanSweep {
    fn default() -> Self {
        Self {
            last_look: Instant::now(),
            not_before: Instant::now(),
        }
    }
}

impl OrphanSweep {
    /// Makes the jobs of dead workers ready again. After PostgreSQL was away, workers first get the
    /// time to renew, so that an outage does not count as the death of them all.
    pub async fn reclaim(&mut self, outbox: &Outbox) -> Result<(), common::db::Error> {
        if self.last_look.elapsed() > GAP {
            self.not_before = Instant::now() + LEASE;
        }
        if Instant::now() < self.not_before {
            common::db::ping(outbox.pool()).await?;
            self.last_look = Instant::now();
            return Ok(());
        }
        let reclaimed = jobs::reclaim(outbox.pool()).await?;
        self.last_look = Instant::now();
        metrics().jobs_reclaimed.inc_by(reclaimed.len() as u64);
        for job in reclaimed {
            tracing::warn!(job.id = %job.job, job.name = job.name, job.crashes = job.crashes, "Took a job back from a dead worker");
            if job.crashes > CRASHES_MAX {
                let reason = format!("{} workers died while they ran it", job.crashes);
                if let Err(error) =
                    pipeline::give_up_waiting(outbox, job.job, GiveUp::Quarantined, &reason).await
                {
                    tracing::error!(%error, job.id = %job.job, "Could not quarantine a job");
                }
            }
        }
        Ok(())
    }
}

/// Gives back what dead workers had fetched, and removes what is finished.
pub async fn tidy_queues(outbox: &Outbox) -> Result<(), SweepError> {
    for spec in QueueSpec::ALL {
        outbox.queue().rescue_orphans(spec.name).await?;
        outbox
            .queue()
            .sweep_finished(spec.name, FINISHED_MAX)
            .await?;
    }
    Ok(())
}
