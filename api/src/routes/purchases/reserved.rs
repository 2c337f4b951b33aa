//! Waiting for supply that is reserved for somebody else: until it is free, or as long as the client likes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use common::ids::PackagePublicId;
use common::purchases::{self, SUPPLY};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::time::Instant;

use crate::error::ApiError;
use crate::state::ApiState;

/// A waiting request looks by itself this often, in case an announcement was lost.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// And no more often than this, should our clock be ahead of PostgreSQL's.
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// A buyer who waits for a package.
pub struct Waiting {
    state: ApiState,
    package: PackagePublicId,
    changes: Receiver<String>,
    deadline: Instant,
}

impl Waiting {
    /// Begins to listen, so that nothing is missed after the first try.
    pub fn new(state: &ApiState, package: &PackagePublicId, wait: Duration) -> Self {
        Self {
            state: state.clone(),
            package: package.clone(),
            changes: state.outbox.queue().subscribe(SUPPLY),
            deadline: Instant::now() + wait,
        }
    }

    /// What is left of the time.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Returns true as soon as it is worth trying again, and false when the time is over.
    pub async fn is_worth_another_try(
        &mut self,
        reserved_until: DateTime<Utc>,
    ) -> Result<bool, ApiError> {
        while !self.left().is_zero() {
            let ends_in = (reserved_until - Utc::now()).to_std().unwrap_or_default();
            let pause = ends_in.clamp(PAUSE_MIN, LOOK_EVERY);
            let look = self.deadline.min(Instant::now() + pause);
            tokio::select! {
                () = tokio::time::sleep_until(look) => {}
                () = self.state.stopping.cancelled() => return Ok(false),
                () = heard(&mut self.changes, &self.package) => {}
            }
            if purchases::is_worth_asking(self.state.pool(), &self.package).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Returns when there is news of that package, or may be.
async fn heard(changes: &mut Receiver<String>, package: &PackagePublicId) {
    loop {
        match changes.recv().await {
            Ok(id) if id != package.as_str() && !id.is_empty() => {}
            Ok(_) | Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
