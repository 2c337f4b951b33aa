//! Looking at a queue and keeping it clean. Costs are bounded and none of this is needed for a
//! single job to run; the scheduler calls it, and workers rescue the orphans of their own lane.

use super::{
    Queue, QueueError,
    limits::{SILENCE_MAX, SWEEP_BATCH_MAX},
    scripts,
    wake::{Lane, LaneKey},
};

/// How much of a queue is where, both lanes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Calls on a list.
    pub waiting: usize,
    /// Those of `waiting` that are on the bulk list.
    pub waiting_bulk: usize,
    /// Calls that a worker holds, running or buffered.
    pub inflight: usize,
    /// Finished and not yet swept.
    pub done: usize,
    /// Ended by something other than their handler, and not yet swept.
    pub dead: usize,
    /// Workers seen within the last 4.5 s.
    pub workers: usize,
}

impl Queue {
    /// Counts a queue's jobs and workers.
    pub async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        let mut depth = Depth::default();
        for lane in Lane::ALL {
            let counts: [usize; 5] = scripts::INSPECT
                .key(self.lane_key(queue, lane).as_str())
                .arg(silence_ms_max())
                .invoke_async(&mut self.connection())
                .await?;
            let [waiting, inflight, done, dead, workers] = counts;
            depth.waiting += waiting;
            depth.inflight += inflight;
            depth.done += done;
            depth.dead += dead;
            depth.workers += workers;
            if lane == Lane::Bulk {
                depth.waiting_bulk = waiting;
            }
        }
        Ok(depth)
    }

    /// Forgets at most `max` finished jobs of each lane and returns how many it were. Nothing of
    /// a swept job is left (`finished_jobs_leave_nothing_behind`).
    pub async fn sweep_finished(&self, queue: &str, max: usize) -> Result<usize, QueueError> {
        let mut swept = 0;
        for lane in Lane::ALL {
            let key = self.lane_key(queue, lane);
            let mut left = max;
            while left > 0 {
                let batch = left.min(SWEEP_BATCH_MAX);
                let count: usize = scripts::SWEEP
                    .key(key.as_str())
                    .arg(batch)
                    .invoke_async(&mut self.connection())
                    .await?;
                swept += count;
                left -= count;
                if count < batch {
                    break;
                }
            }
        }
        Ok(swept)
    }

    /// Gives back what workers held that have been silent for 3 s, and returns how much it was.
    pub async fn rescue_orphans(&self, queue: &str) -> Result<usize, QueueError> {
        let mut rescued = 0;
        for lane in Lane::ALL {
            rescued += self.rescue_lane(&self.lane_key(queue, lane)).await?;
        }
        Ok(rescued)
    }

    pub(super) async fn rescue_lane(&self, key: &LaneKey) -> Result<usize, QueueError> {
        self.release(key, "").await
    }

    /// Gives back what one worker held and forgets it; call it when the worker has ended.
    pub(super) async fn release_worker(
        &self,
        key: &LaneKey,
        worker: &str,
    ) -> Result<usize, QueueError> {
        self.release(key, worker).await
    }

    async fn release(&self, key: &LaneKey, worker: &str) -> Result<usize, QueueError> {
        let (given_back, dropped): (usize, usize) = scripts::RELEASE
            .key(key.as_str())
            .arg(worker)
            .arg(silence_ms_max())
            .invoke_async(&mut self.connection())
            .await?;
        if given_back + dropped > 0 {
            tracing::info!(
                queue.name = key.as_str(),
                queue.given_back = given_back,
                queue.dropped = dropped,
                "jobs of an ended worker are back on the list"
            );
        }
        Ok(given_back)
    }
}

fn silence_ms_max() -> u64 {
    SILENCE_MAX.as_secs() * 1000
}
