//! The word that this worker lives: it keeps all leases, and brings back what operators want.

use std::sync::Arc;

use common::jobs;
use common::limits::HEARTBEAT;
use common::queue::Serving;
use tokio_util::sync::CancellationToken;

use crate::Context;

/// A lane that is served here.
#[derive(Debug)]
pub struct Served {
    pub queue: &'static str,
    pub serving: Serving,
}

/// Beats until the token is cancelled.
pub async fn run(
    context: Arc<Context>,
    name: String,
    served: Arc<Vec<Served>>,
    stop: CancellationToken,
) {
    let queues: Vec<String> = served.iter().map(|lane| lane.queue.to_owned()).collect();
    let mut ticks = tokio::time::interval(HEARTBEAT);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match jobs::beat(&context.relaxed_pool, context.worker, &name, &queues).await {
            Ok(beat) => {
                for lane in served.iter() {
                    if beat.paused.iter().any(|paused| paused == lane.queue) {
                        lane.serving.pause();
                    } else {
                        lane.serving.resume();
                    }
                }
                for (job, reason) in beat.cancelled {
                    context.cancel(job, reason);
                }
            }
            Err(error) => tracing::warn!(%error, "The heartbeat did not reach PostgreSQL"),
        }
        give_back_forgotten(&context).await;
    }
}

async fn give_back_forgotten(context: &Context) {
    let running = context.running();
    match jobs::give_back_forgotten(&context.relaxed_pool, context.worker, &running).await {
        Ok(0) => {}
        Ok(count) => tracing::warn!(jobs.count = count, "Gave back jobs that do not run here"),
        Err(error) => tracing::debug!(%error, "Could not look for forgotten jobs"),
    }
}
