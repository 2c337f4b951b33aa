//! Turns: within one process, one drain at a time for each endpoint.
//!
//! Across processes the lease of the alarm sees to that. Leases are written without waiting for the
//! disk, so a crash of PostgreSQL may forget one, and the alarm is leased again while its drain goes
//! on: the newcomer then asks the older drain to close, and waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::ids::EndpointId;

/// Who drains what in this process.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<EndpointId, Signals>>>);

#[derive(Debug, Clone, Default)]
struct Signals {
    close: CancellationToken,
    ended: CancellationToken,
}

/// The turn of one drain; dropping it ends it.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    endpoint: EndpointId,
    signals: Signals,
}

impl Turns {
    /// Waits until no other drain of the endpoint runs here.
    pub async fn take(&self, endpoint: EndpointId) -> Turn {
        loop {
            let signals = Signals::default();
            let older = {
                let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let older = turns.get(&endpoint).cloned();
                if older.is_none() {
                    turns.insert(endpoint, signals.clone());
                }
                older
            };
            let Some(older) = older else {
                return Turn {
                    turns: self.clone(),
                    endpoint,
                    signals,
                };
            };
            older.close.cancel();
            older.ended.cancelled().await;
        }
    }
}

impl Turn {
    /// Resolves when another drain wants to begin.
    pub async fn is_over(&self) {
        self.signals.close.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.remove(&self.endpoint);
        self.signals.ended.cancel();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_second_drain_asks_the_first_to_close_and_waits() {
        let (turns, endpoint) = (Turns::default(), EndpointId::new());
        let first = turns.take(endpoint).await;
        assert!(first.is_over().now_or_never().is_none());
        let mut second = Box::pin(turns.take(endpoint));
        assert!((&mut second).now_or_never().is_none());
        assert!(first.is_over().now_or_never().is_some());
        assert!(turns.take(EndpointId::new()).now_or_never().is_some());
        drop(first);
        assert!(second.now_or_never().is_some());
    }
}
