//! Pushes every job that is due and not running: relay, timer and reconciler in one.
//!
//! A push of what already waits in Redis changes nothing, so no row says "was pushed", and after
//! Redis lost its memory the next rounds bring everything back.

use std::collections::HashMap;

use common::jobs::{self, SweepCursor};
use common::outbox::Outbox;
use common::queue::{Lane, QueueError, Wake};
use common::telemetry::metrics;
use thiserror::Error;

/// Why a step broke off; the next one starts where it began.
#[derive(Debug, Error)]
pub enum SweepError {
    #[error("PostgreSQL")]
    Database(#[from] common::db::Error),
    #[error("Redis")]
    Queue(#[from] QueueError),
}

/// The round that is under way.
#[derive(Debug, Default)]
pub struct DueSweep {
    cursor: SweepCursor,
}

impl DueSweep {
    /// One step. True if there is more to push at once: Redis lacked many of these.
    pub async fn step(&mut self, outbox: &Outbox) -> Result<bool, SweepError> {
        let mut cursor = self.cursor.clone();
        let due = jobs::due(outbox.pool(), &mut cursor).await?;
        let found = due.len();
        let mut lanes: HashMap<(String, Lane), Vec<Wake>> = HashMap::new();
        for (queue, lane, wake) in due {
            lanes.entry((queue, lane)).or_default().push(wake);
        }
        let mut pushed = 0;
        for ((queue, lane), wakes) in lanes {
            pushed += outbox.queue().push(&queue, lane, &wakes).await?;
        }
        metrics().sweep_pushed.inc_by(pushed as u64);
        self.cursor = cursor;
        Ok(pushed > 0 && pushed * 2 > found)
    }
}
