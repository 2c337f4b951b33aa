//! A queue for work that few may do at once, fair by cost: whoever cost least of late is next.
//!
//! Work is asked for in the name of a tenant, with what it is expected to cost in seconds of a slot.
//! Asking is charged at once and corrected by what the work took; the charge halves with time. So the
//! first work of a quiet tenant goes before all that a busy one has queued, and a tenant that floods the
//! queue only worsens its own rank. A waiter is forgiven a little for each second, so none waits for
//! ever. The queue is bounded for each tenant and in all; when it is full, work of a cheaper tenant
//! takes the place of the most expensive waiter, which is refused.
//!
//! A [`Turn`] is owned: move it into the work (the blocking closure), so that the slot is free when the
//! work ends. A waiter whose future is dropped leaves the queue.

mod schedule;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use self::schedule::{Schedule, Started};

/// How a queue is bounded.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Work that is done at once.
    pub running_max: usize,
    /// Work that waits.
    pub waiting_max: usize,
    /// Work of one tenant that waits.
    pub share_max: usize,
    /// After this long half of a cost is forgotten.
    pub half_life: Duration,
}

/// Work that is asked for.
#[derive(Debug, Clone)]
pub struct Entry<T> {
    /// Who pays.
    pub tenant: T,
    /// How long it is expected to hold its slot.
    pub cost: Duration,
    /// What it has on others of equal cost.
    pub lead: Duration,
    /// Whether the tenant's share bounds it.
    pub is_capped: bool,
}

/// Why work is not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// As much of the tenant's work waits as may.
    Share,
    /// The queue is full of work that goes first.
    Full,
}

/// The queue; clones share it.
#[derive(Debug)]
pub struct FairQueue<T: Clone + Eq + Hash>(Arc<Inner<T>>);

#[derive(Debug)]
struct Inner<T: Clone + Eq + Hash> {
    start: Instant,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T: Clone + Eq + Hash> {
    schedule: Schedule<T>,
    /// Where those who wait are called.
    calls: HashMap<u64, oneshot::Sender<Turn<T>>>,
}

/// The right to do the work; the slot is free again when this is dropped.
#[derive(Debug)]
#[must_use = "the slot is given to the next when this is dropped"]
pub struct Turn<T: Clone + Eq + Hash> {
    queue: FairQueue<T>,
    entry: Entry<T>,
    began: Duration,
}

/// Leaves the queue when dropped; a waiter that has started is not in it any more.
struct Leave<'a, T: Clone + Eq + Hash> {
    queue: &'a FairQueue<T>,
    id: u64,
}

impl<T: Clone + Eq + Hash> Clone for FairQueue<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone + Eq + Hash> FairQueue<T> {
    /// An empty queue.
    pub fn new(rules: Rules) -> Self {
        Self(Arc::new(Inner {
            start: Instant::now(),
            state: Mutex::new(State {
                schedule: Schedule::new(rules),
                calls: HashMap::new(),
            }),
        }))
    }

    /// Waits for a turn.
    pub async fn enter(&self, entry: Entry<T>) -> Result<Turn<T>, Refused> {
        let (call, called) = oneshot::channel();
        let id = {
            let mut state = self.state();
            let queued = state.schedule.ask(self.now(), entry)?;
            // Whoever is displaced sees its call dropped.
            queued.displaced.and_then(|id| state.calls.remove(&id));
            state.calls.insert(queued.id, call);
            queued.id
        };
        let _leave = Leave { queue: self, id };
        self.start_waiting();
        called.await.map_err(|_| Refused::Full)
    }

    /// Fills the free slots.
    fn start_waiting(&self) {
        loop {
            let (call, turn) = {
                let mut state = self.state();
                let began = self.now();
                let Some(Started { id, entry }) = state.schedule.start(began) else {
                    return;
                };
                let turn = Turn {
                    queue: self.clone(),
                    entry,
                    began,
                };
                (state.calls.remove(&id), turn)
            };
            // Outside the lock: a turn that nobody takes is dropped, which starts the next.
            if let Some(call) = call {
                let _nobody = call.send(turn);
            }
        }
    }

    fn now(&self) -> Duration {
        self.0.start.elapsed()
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Eq + Hash> Drop for Leave<'_, T> {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.schedule.leave(self.id);
        let call = state.calls.remove(&self.id);
        drop(state);
        drop(call);
    }
}

impl<T: Clone + Eq + Hash> Drop for Turn<T> {
    fn drop(&mut self) {
        let now = self.queue.now();
        let took = now.saturating_sub(self.began);
        self.queue.state().schedule.finish(now, &self.entry, took);
        self.queue.start_waiting();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(running_max: usize, waiting_max: usize, share_max: usize) -> FairQueue<&'static str> {
        FairQueue::new(Rules {
            running_max,
            waiting_max,
            share_max,
            half_life: Duration::from_secs(10),
        })
    }

    fn work(tenant: &'static str) -> Entry<&'static str> {
        Entry {
            tenant,
            cost: Duration::from_millis(30),
            lead: Duration::ZERO,
            is_capped: true,
        }
    }

    /// Enters in a task of its own, and is in the queue when this returns.
    async fn waiter(
        queue: &FairQueue<&'static str>,
        tenant: &'static str,
    ) -> tokio::task::JoinHandle<Result<Turn<&'static str>, Refused>> {
        let waiting = queue.clone();
        let task = tokio::spawn(async move { waiting.enter(work(tenant)).await });
        tokio::task::yield_now().await;
        task
    }

    #[tokio::test]
    async fn a_quiet_tenant_goes_before_all_that_a_busy_one_has_queued() {
        let queue = queue(1, 16, 8);
        let running = queue.enter(work("busy")).await.unwrap();
        let busy = waiter(&queue, "busy").await;
        let quiet = waiter(&queue, "quiet").await;
        drop(running);
        let turn = quiet.await.unwrap().unwrap();
        assert!(!busy.is_finished());
        drop(turn);
        assert!(busy.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_leaves_the_queue_and_takes_no_slot() {
        let queue = queue(1, 16, 1);
        let running = queue.enter(work("a")).await.unwrap();
        let gone = waiter(&queue, "b").await;
        let refused = queue.enter(work("b")).await.unwrap_err();
        assert_eq!(refused, Refused::Share);
        gone.abort();
        assert!(gone.await.unwrap_err().is_cancelled());
        let waiting = waiter(&queue, "b").await;
        drop(running);
        assert!(waiting.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn a_full_queue_gives_the_place_of_its_most_expensive_waiter_to_a_cheaper_one() {
        let queue = queue(1, 2, 2);
        let running = queue.enter(work("busy")).await.unwrap();
        let first = waiter(&queue, "busy").await;
        let second = waiter(&queue, "busy").await;
        let quiet = waiter(&queue, "quiet").await;
        assert_eq!(second.await.unwrap().unwrap_err(), Refused::Full);
        drop(running);
        drop(quiet.await.unwrap().unwrap());
        assert!(first.await.unwrap().is_ok());
    }
}
