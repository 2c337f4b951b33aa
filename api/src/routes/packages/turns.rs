//! Whose search is worked out now: a few at once in all, one for each client, the rest wait a moment or
//! are told to come back. And what a dear one takes of its client's rate windows.

use std::net::IpAddr;
use std::sync::Arc;

use common::admission::{Admission, Full, Holder, Place};
use common::identity::Principal;
use common::limits::{
    SEARCH_TURN_MAX, SEARCHES_MAX, SEARCHES_PER_CLIENT_MAX, SEARCHES_WAITING_MAX,
    SEARCHES_WAITING_PER_CLIENT_MAX,
};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::cached::Cached;
use crate::error::{ApiError, Code};
use crate::limits::{Applied, Kind, applied};
use crate::middleware::{Charged, refusal};
use crate::places::Holders;
use crate::routes::Rendered;
use crate::state::ApiState;

/// The turns of a process.
#[derive(Debug)]
pub struct SearchTurns {
    turns: Admission,
    waiting: Admission,
    ended: Arc<Notify>,
}

/// A search that is worked out, until this is dropped.
#[derive(Debug)]
pub struct SearchTurn {
    place: Option<Place>,
    ended: Arc<Notify>,
}

impl Drop for SearchTurn {
    fn drop(&mut self) {
        // Others look for a place only once this one is free.
        drop(self.place.take());
        self.ended.notify_waiters();
    }
}

impl Default for SearchTurns {
    fn default() -> Self {
        Self {
            turns: Admission::new(SEARCHES_MAX, SEARCHES_PER_CLIENT_MAX),
            waiting: Admission::new(SEARCHES_WAITING_MAX, SEARCHES_WAITING_PER_CLIENT_MAX),
            ended: Arc::default(),
        }
    }
}

impl SearchTurns {
    /// A turn for one of these, or the answer if somebody else gets it meanwhile.
    pub async fn next(
        &self,
        holders: &[Holder],
        cached: &Cached,
        asked: &str,
    ) -> Result<Result<Arc<Rendered>, SearchTurn>, ApiError> {
        let _waiting = self.waiting.try_take(holders).map_err(refused)?;
        let deadline = Instant::now() + SEARCH_TURN_MAX;
        loop {
            // Listens before it looks, so that it misses no end.
            let ended = self.ended.notified();
            if let Some(known) = cached.fresh(asked).await {
                return Ok(Ok(known));
            }
            match self.turns.try_take(holders) {
                Ok(place) => {
                    let (place, ended) = (Some(place), Arc::clone(&self.ended));
                    return Ok(Err(SearchTurn { place, ended }));
                }
                Err(full) => timeout_at(deadline, ended)
                    .await
                    .map_err(|_| refused(full))?,
            }
        }
    }
}

fn refused(full: Full) -> ApiError {
    let (code, message) = match full {
        Full::For(_) => (
            Code::RateLimitExceeded,
            "Other searches of yours are still worked out. Wait for their answers, or ask for less at once.",
        ),
        Full::Everywhere => (
            Code::ServiceUnavailable,
            "Too many searches are worked out. Please try again.",
        ),
    };
    let mut error = ApiError::new(code, message);
    error.retry_after_seconds = Some(1);
    error
}

/// Who searches.
#[derive(Debug)]
pub struct Asker<'a> {
    pub state: &'a ApiState,
    pub address: IpAddr,
    pub caller: Option<&'a Principal>,
}

impl Asker<'_> {
    /// Whose share a search takes.
    pub fn holders(&self) -> Holders {
        Holders::new(self.state, Some(self.address), self.caller)
    }

    /// Takes more units of the windows in which the request was counted already.
    pub async fn charge(&self, units: i64) -> Result<Charged, ApiError> {
        let (state, address) = (self.state, Some(self.address));
        let counted = applied(&state.rates, address, self.caller, Kind::Browse, units);
        let windows = Applied::take(&state.throttle, counted).await;
        refusal(&windows).map_or(Ok(Charged(windows)), Err)
    }
}

#[cfg(test)]
mod tests {
    use common::cache::Epochs;
    use common::ids::UserId;
    use futures::FutureExt as _;

    use super::*;

    fn cached() -> Cached {
        let epochs = Epochs::new("redis://127.0.0.1:1", "test").unwrap();
        Cached::new(epochs, tokio::sync::broadcast::channel(1).1)
    }

    fn account() -> [Holder; 1] {
        [Holder::Account(UserId::new())]
    }

    async fn turn(turns: &SearchTurns, holders: &[Holder], cached: &Cached) -> SearchTurn {
        turns.next(holders, cached, "?").await.unwrap().unwrap_err()
    }

    #[tokio::test]
    async fn a_client_has_one_turn_and_leaves_the_rest_to_others() {
        let (turns, cached) = (SearchTurns::default(), cached());
        let (greedy, other) = (account(), account());
        let first = turn(&turns, &greedy, &cached).await;
        let mut second = Box::pin(turn(&turns, &greedy, &cached));
        assert!((&mut second).now_or_never().is_none());
        let _other = turn(&turns, &other, &cached).await;
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        let _second = second.await;
    }

    #[tokio::test]
    async fn who_waits_too_long_or_with_too_many_is_told_to_come_back() {
        let (turns, cached) = (SearchTurns::default(), cached());
        let greedy = account();
        let _turn = turn(&turns, &greedy, &cached).await;
        let waiting =
            (0..=SEARCHES_WAITING_PER_CLIENT_MAX).map(|_| turns.next(&greedy, &cached, "?"));
        let mut waiting: Vec<_> = waiting.map(Box::pin).collect();
        let mut one_too_many = waiting.pop().unwrap();
        for patient in &mut waiting {
            assert!(patient.now_or_never().is_none());
        }
        let refused = (&mut one_too_many).now_or_never().unwrap().unwrap_err();
        assert_eq!(refused.code, Code::RateLimitExceeded);
        for patient in waiting {
            let refused = patient.await.unwrap_err();
            assert_eq!(refused.code, Code::RateLimitExceeded);
            assert_eq!(refused.retry_after_seconds, Some(1));
        }
        let others: Vec<[Holder; 1]> = (1..SEARCHES_MAX).map(|_| account()).collect();
        let mut taken = Vec::new();
        for other in &others {
            taken.push(turn(&turns, other, &cached).await);
        }
        let late = turns.next(&account(), &cached, "?").await.unwrap_err();
        assert_eq!(late.code, Code::ServiceUnavailable);
    }
}
