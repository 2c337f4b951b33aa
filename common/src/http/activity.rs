//! What a connection is doing: which responses are under way, and since when their client takes nothing.
//!
//! Pure bookkeeping: what a deadline means is decided by the connection, and bytes are noticed by its bodies.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{
    FIRST_REQUEST_SECONDS_MAX, IDLE_CONNECTION_SECONDS_MAX, RESPONSE_STALL_SECONDS_MAX,
};

const FIRST_REQUEST: Duration = Duration::from_secs(FIRST_REQUEST_SECONDS_MAX);
const IDLE: Duration = Duration::from_secs(IDLE_CONNECTION_SECONDS_MAX);
const STALL: Duration = Duration::from_secs(RESPONSE_STALL_SECONDS_MAX);

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// All is well; look again then.
    Fine { until: Instant },
    /// No request is under way, and none came in time.
    Idle,
    /// A response is ready, and its client takes nothing of it.
    Stalled,
}

/// The requests of one connection; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<Exchanges>>);

impl Activity {
    /// A connection that was accepted just now.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Exchanges::new(Instant::now()))))
    }

    /// Begins a request; it is under way until the guard is dropped.
    pub fn begin(&self) -> Arc<Ongoing> {
        Arc::new(Ongoing {
            activity: self.clone(),
            id: self.exchanges().begin(),
        })
    }

    /// How it stands now.
    pub fn standing(&self) -> Standing {
        self.exchanges().standing(Instant::now())
    }

    fn exchanges(&self) -> MutexGuard<'_, Exchanges> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
#[derive(Debug)]
pub(super) struct Ongoing {
    activity: Activity,
    id: u64,
}

impl Ongoing {
    /// Something is ready for the client, or the client took some of it.
    pub fn wait_for_client(&self) {
        let since = Instant::now();
        let turn = Turn::Client { since };
        self.activity.exchanges().set(self.id, turn);
    }

    /// The client has taken all that is ready.
    pub fn wait_for_us(&self) {
        self.activity.exchanges().set(self.id, Turn::Ours);
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        self.activity.exchanges().end(self.id, Instant::now());
    }
}

/// The requests under way, each from its head to the last byte of its response.
#[derive(Debug)]
struct Exchanges {
    /// Since when nothing is under way, and how long that may last.
    idle_since: Instant,
    idle_max: Duration,
    next_id: u64,
    /// A few at most, so they are searched one by one.
    turns: Vec<(u64, Turn)>,
}

/// Whose turn it is in a request under way.
#[derive(Debug, Clone, Copy)]
enum Turn {
    /// The response, or its next part, is not ready.
    Ours,
    /// The client has taken nothing since then.
    Client { since: Instant },
}

impl Exchanges {
    fn new(now: Instant) -> Self {
        Self {
            idle_since: now,
            idle_max: FIRST_REQUEST,
            next_id: 0,
            turns: Vec::new(),
        }
    }

    fn begin(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.turns.push((id, Turn::Ours));
        id
    }

    fn set(&mut self, id: u64, turn: Turn) {
        if let Some((_, known)) = self.turns.iter_mut().find(|(known, _)| *known == id) {
            *known = turn;
        }
    }

    fn end(&mut self, id: u64, now: Instant) {
        self.turns.retain(|(known, _)| *known != id);
        if self.turns.is_empty() {
            self.idle_since = now;
            self.idle_max = IDLE;
        }
    }

    fn standing(&self, now: Instant) -> Standing {
        if self.turns.is_empty() {
            let until = self.idle_since + self.idle_max;
            return if until <= now {
                Standing::Idle
            } else {
                Standing::Fine { until }
            };
        }
        let stalls = self.turns.iter().filter_map(|(_, turn)| match turn {
            Turn::Ours => None,
            Turn::Client { since } => Some(*since + STALL),
        });
        match stalls.min() {
            Some(until) if until <= now => Standing::Stalled,
            Some(until) => Standing::Fine { until },
            None => Standing::Fine { until: now + STALL },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(standing: Standing) -> bool {
        matches!(standing, Standing::Fine { .. })
    }

    #[test]
    fn a_connection_without_a_request_is_idle_after_its_time() {
        let start = Instant::now();
        let mut exchanges = Exchanges::new(start);
        let first = start + FIRST_REQUEST;
        assert_eq!(exchanges.standing(start), Standing::Fine { until: first });
        assert_eq!(exchanges.standing(first), Standing::Idle);
        let request = exchanges.begin();
        assert!(is_fine(exchanges.standing(first)));
        exchanges.end(request, first);
        let next = first + IDLE;
        assert_eq!(exchanges.standing(first), Standing::Fine { until: next });
        assert_eq!(exchanges.standing(next), Standing::Idle);
    }

    #[test]
    fn one_response_that_nobody_takes_is_a_stall_whatever_the_others_do() {
        let start = Instant::now();
        let mut exchanges = Exchanges::new(start);
        let (slow, quick) = (exchanges.begin(), exchanges.begin());
        let later = start + 10 * STALL;
        assert!(
            is_fine(exchanges.standing(later)),
            "our own work is no stall"
        );
        let waiting = |since| Turn::Client { since };
        exchanges.set(slow, waiting(start));
        exchanges.set(quick, waiting(later));
        let end = start + STALL;
        let just_before = end - Duration::from_millis(1);
        assert_eq!(
            exchanges.standing(just_before),
            Standing::Fine { until: end }
        );
        assert_eq!(exchanges.standing(end), Standing::Stalled);
        exchanges.set(slow, waiting(end));
        assert!(is_fine(exchanges.standing(end)), "some bytes were taken");
        exchanges.set(slow, Turn::Ours);
        exchanges.end(quick, end);
        assert!(is_fine(exchanges.standing(later)));
    }
}
