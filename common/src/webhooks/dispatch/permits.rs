//! Permits: how many requests a process has under way, and who may take how many of them.
//!
//! A send counts among all, and among the retries or the sends to slow endpoints if it is one. Of each of
//! these a tenant has its share (`share`), so neither one tenant, nor the retries of all, nor all endpoints
//! that hang ever fill the process: first tries to healthy endpoints of others find room at once. What
//! finds none waits behind its tenant's earlier sends of the same kind; a permit that becomes free goes to
//! the tenant that holds the fewest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::share::Share;
use crate::ids::UserId;
use crate::limits::{RETRY_SENDS_MAX, SENDS_MAX, SLOW_SENDS_MAX, TENANT_SENDS_MAX};
use crate::telemetry::metrics;

/// What kind of send wants to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub tenant: UserId,
    pub is_retry: bool,
    pub is_slow: bool,
}

/// What sends are counted among: all, retries, slow endpoints.
const SHARES: [Share; 3] = [
    Share {
        places: SENDS_MAX,
        tenant_max: TENANT_SENDS_MAX,
    },
    Share {
        places: RETRY_SENDS_MAX,
        tenant_max: TENANT_SENDS_MAX,
    },
    Share {
        places: SLOW_SENDS_MAX,
        tenant_max: TENANT_SENDS_MAX,
    },
];
/// A tenant's lines: for each combination of retry and slow.
const LINES: usize = 4;

impl Kind {
    /// Among which of [`SHARES`] it counts.
    fn counts(self) -> [bool; 3] {
        [true, self.is_retry, self.is_slow]
    }

    fn line(self) -> usize {
        usize::from(self.is_retry) + 2 * usize::from(self.is_slow)
    }

    /// The label of metrics.
    fn lane(self) -> &'static str {
        match self {
            Self { is_slow: true, .. } => "slow",
            Self { is_retry: true, .. } => "retry",
            _ => "first",
        }
    }
}

/// The permits of one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Permits(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    counts: [usize; 3],
    /// Tenants that hold something or wait.
    tenants: HashMap<UserId, Tenant>,
    waiting: usize,
}

#[derive(Debug, Default)]
struct Tenant {
    held: [usize; 3],
    lines: [VecDeque<Waiter>; LINES],
}

#[derive(Debug)]
struct Waiter {
    kind: Kind,
    answer: oneshot::Sender<Permit>,
}

/// The right to send one request; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Permits,
    kind: Kind,
}

impl Permits {
    /// Waits for a place.
    pub async fn take(&self, kind: Kind) -> Permit {
        let (answer, answered) = oneshot::channel();
        self.change(|taken| {
            let tenant = taken.tenants.entry(kind.tenant).or_default();
            tenant.lines[kind.line()].push_back(Waiter { kind, answer });
            taken.waiting += 1;
        });
        answered.await.expect("a waiter is dropped after its asker")
    }

    /// Changes something, then gives permits to all who may have one now.
    fn change(&self, change: impl FnOnce(&mut Taken)) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut taken);
        let granted: Vec<Waiter> = std::iter::from_fn(|| taken.grant_one()).collect();
        drop(taken);
        for Waiter { kind, answer } in granted {
            let lane = kind.lane();
            metrics().webhook_sends.with_label_values(&[lane]).inc();
            // An asker that is gone gives its permit back: it is dropped here, after the lock.
            let _ = answer.send(Permit {
                permits: self.clone(),
                kind,
            });
        }
    }
}

impl Taken {
    /// Counts one permit for a waiter that may have it: of the tenant that holds the fewest.
    fn grant_one(&mut self) -> Option<Waiter> {
        if self.waiting == 0 {
            return None;
        }
        let waiting = &mut self.waiting;
        self.tenants.retain(|_, tenant| {
            *waiting -= tenant.forget_gone();
            !tenant.is_idle()
        });
        let fewest = self.tenants.iter().filter_map(|(id, tenant)| {
            let line = tenant.next_line(self.counts)?;
            Some((tenant.held[0], *id, line))
        });
        let (_, id, line) = fewest.min()?;
        let tenant = self.tenants.get_mut(&id)?;
        let waiter = tenant.lines[line].pop_front()?;
        self.waiting -= 1;
        for (place, counts) in waiter.kind.counts().into_iter().enumerate() {
            self.counts[place] += usize::from(counts);
            tenant.held[place] += usize::from(counts);
        }
        Some(waiter)
    }

    fn give_back(&mut self, kind: Kind) {
        let Some(tenant) = self.tenants.get_mut(&kind.tenant) else {
            return;
        };
        for (place, counts) in kind.counts().into_iter().enumerate() {
            self.counts[place] -= usize::from(counts);
            tenant.held[place] -= usize::from(counts);
        }
        if tenant.is_idle() {
            self.tenants.remove(&kind.tenant);
        }
    }
}

impl Tenant {
    /// Forgets those at the head of a line who wait no longer; answers how many.
    fn forget_gone(&mut self) -> usize {
        let mut gone = 0;
        for line in &mut self.lines {
            while line.front().is_some_and(|waiter| waiter.answer.is_closed()) {
                line.pop_front();
                gone += 1;
            }
        }
        gone
    }

    fn is_idle(&self) -> bool {
        self.held[0] == 0 && self.lines.iter().all(VecDeque::is_empty)
    }

    /// The line whose foremost may go.
    fn next_line(&self, counts: [usize; 3]) -> Option<usize> {
        let has_room = |waiter: &Waiter| {
            let is_counted = waiter.kind.counts();
            (0..SHARES.len())
                .filter(|place| is_counted[*place])
                .all(|place| SHARES[place].has_room(counts[place], self.held[place]))
        };
        self.lines
            .iter()
            .position(|line| line.front().is_some_and(has_room))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let lane = self.kind.lane();
        metrics().webhook_sends.with_label_values(&[lane]).dec();
        let kind = self.kind;
        self.permits.change(|taken| taken.give_back(kind));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::task::unconstrained;

    use super::*;

    /// A permit, if there is one without waiting.
    fn at_once(permits: &Permits, kind: Kind) -> Option<Permit> {
        unconstrained(permits.take(kind)).now_or_never()
    }

    fn kind(tenant: UserId) -> Kind {
        Kind {
            tenant,
            is_retry: false,
            is_slow: false,
        }
    }

    #[tokio::test]
    async fn a_tenant_with_all_its_permits_waits_and_others_do_not() {
        let permits = Permits::default();
        let (busy, other) = (UserId::new(), UserId::new());
        let mut held = Vec::new();
        for _ in 0..TENANT_SENDS_MAX {
            held.push(permits.take(kind(busy)).await);
        }
        assert!(at_once(&permits, kind(busy)).is_none());
        assert!(at_once(&permits, kind(other)).is_some());
        held.pop();
        assert!(at_once(&permits, kind(busy)).is_some());
    }

    #[tokio::test]
    async fn slow_endpoints_and_retries_leave_room_for_first_tries() {
        let permits = Permits::default();
        let mut held = Vec::new();
        let slow = |tenant| Kind {
            is_slow: true,
            is_retry: true,
            ..kind(tenant)
        };
        while let Some(permit) = at_once(&permits, slow(UserId::new())) {
            held.push(permit);
        }
        assert_eq!(held.len(), SLOW_SENDS_MAX);
        let retry = |tenant| Kind {
            is_retry: true,
            ..kind(tenant)
        };
        while let Some(permit) = at_once(&permits, retry(UserId::new())) {
            held.push(permit);
        }
        assert_eq!(held.len(), RETRY_SENDS_MAX);
        while let Some(permit) = at_once(&permits, kind(UserId::new())) {
            held.push(permit);
        }
        assert_eq!(held.len(), SENDS_MAX);
    }

    #[tokio::test]
    async fn a_permit_that_becomes_free_goes_to_the_tenant_that_holds_the_fewest() {
        let permits = Permits::default();
        // Two that took all they could of the slow ones, and so share what becomes free.
        let slow = |tenant| Kind {
            is_slow: true,
            ..kind(tenant)
        };
        let (first, second) = (UserId::new(), UserId::new());
        let mut of_first = Vec::new();
        while let Some(permit) = at_once(&permits, slow(first)) {
            of_first.push(permit);
        }
        let mut of_second = Vec::new();
        while let Some(permit) = at_once(&permits, slow(second)) {
            of_second.push(permit);
        }
        assert!(of_first.len() > of_second.len());
        let mut again = Box::pin(permits.take(slow(first)));
        let mut next = Box::pin(permits.take(slow(second)));
        assert!(unconstrained(&mut again).now_or_never().is_none());
        assert!(unconstrained(&mut next).now_or_never().is_none());
        of_first.pop();
        assert!(unconstrained(&mut again).now_or_never().is_none());
        assert!(unconstrained(&mut next).now_or_never().is_some());
    }

    #[tokio::test]
    async fn an_asker_that_is_gone_keeps_no_permit() {
        let permits = Permits::default();
        let tenant = UserId::new();
        let mut held = Vec::new();
        while let Some(permit) = at_once(&permits, kind(tenant)) {
            held.push(permit);
        }
        let mut gone = Box::pin(permits.take(kind(tenant)));
        assert!(unconstrained(&mut gone).now_or_never().is_none());
        // It was given the permit, and never looked.
        held.pop();
        drop(gone);
        assert!(at_once(&permits, kind(tenant)).is_some());
        held.clear();
        let taken = permits.0.lock().unwrap();
        assert_eq!((taken.counts, taken.waiting), ([0; 3], 0));
        assert!(taken.tenants.is_empty());
    }
}
