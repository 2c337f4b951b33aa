//! The word that this worker lives: it keeps all leases, and brings back what operators want.

use std::sync::Arc;

use common::jobs::{self, Beat};
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
        let running = context.runs.jobs();
        let pool = &context.relaxed_pool;
        match jobs::beat(pool, context.worker, &name, &queues, &running).await {
            Ok(beat) => heed(&context, &served, beat),
            Err(error) => tracing::warn!(%error, "The heartbeat did not reach PostgreSQL"),
        }
    }
}

/// Does what operators want.
fn heed(context: &Context, served: &[Served], beat: Beat) {
    for lane in served {
        if beat.paused.iter().any(|paused| paused == lane.queue) {
            lane.serving.pause();
        } else {
            lane.serving.resume();
        }
    }
    for (job, reason) in beat.cancelled {
        context.runs.cancel(job, &reason);
    }
    if beat.forgotten > 0 {
        tracing::warn!(
            jobs.count = beat.forgotten,
            "Gave back jobs that do not run here"
        );
    }
}
