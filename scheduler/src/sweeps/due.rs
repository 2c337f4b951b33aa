//! Pushes every job that is due and not running: relay, timer and reconciler in one.
//!
//! A push of what already waits in Redis changes nothing, so no row says "was pushed", and after
//! Redis lost its memory the next rounds bring everything back.

use std::collections::HashMap;

use common::jobs::{self, SweepCursor};
use common::outbox::Outbox;
use common::queue::{Lane, Wake};
use common::telemetry::metrics;

use super::{SweepError, Swept};

/// The round that is under way.
#[derive(Debug, Default)]
pub struct DueSweep {
    cursor: SweepCursor,
}

impl DueSweep {
    /// One step. There is more to push at once if Redis lacked many of these.
    pub async fn step(&mut self, outbox: &Outbox) -> Result<Swept, SweepError> {
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
        Ok(Swept::partly_if(pushed > 0 && pushed * 2 > found))
    }
}
