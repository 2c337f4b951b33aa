//! Who is next: bookkeeping over times that are handed in, without clocks, tasks or locks.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use super::{Entry, Refused, Rules};

/// Seconds of recent cost that a waiter is forgiven for each second that it waits. Small, so that cost
/// decides; more than zero, so that everybody who waits is first in the end.
const FORGIVEN_PER_SECOND: f64 = 0.01;
/// Tenants that are remembered before those without recent cost are forgotten.
const TENANTS_MIN: usize = 1024;
/// A recent cost below this, in seconds, is none.
const COST_MIN: f64 = 0.001;

/// Who runs, who waits, and what each tenant cost of late.
#[derive(Debug)]
pub(super) struct Schedule<T> {
    rules: Rules,
    running: usize,
    waiting: Vec<Waiter<T>>,
    tenants: HashMap<T, Tenant>,
    next_id: u64,
    prune_at: usize,
}

#[derive(Debug)]
struct Waiter<T> {
    id: u64,
    entry: Entry<T>,
    since: Duration,
}

#[derive(Debug, Default)]
struct Tenant {
    /// Seconds, as of `at`.
    cost: f64,
    at: Duration,
    waiting: usize,
}

/// A waiter that may start.
#[derive(Debug)]
pub(super) struct Started<T> {
    pub id: u64,
    pub entry: Entry<T>,
}

/// A place in the queue, and whose place it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub id: u64,
    pub displaced: Option<u64>,
}

impl<T: Clone + Eq + Hash> Schedule<T> {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            running: 0,
            waiting: Vec::new(),
            tenants: HashMap::new(),
            next_id: 0,
            prune_at: TENANTS_MIN,
        }
    }

    /// Queues work. Asking costs the tenant what the work would, whether or not it is let in. When the
    /// queue is full, work of a cheaper tenant takes the place of the most expensive waiter.
    pub fn ask(&mut self, now: Duration, entry: Entry<T>) -> Result<Queued, Refused> {
        self.prune(now);
        self.charge(now, &entry.tenant, entry.cost.as_secs_f64());
        let waiting = self.tenants.get(&entry.tenant).map_or(0, |it| it.waiting);
        if entry.is_capped && waiting >= self.rules.share_max {
            return Err(Refused::Share);
        }
        let waiter = Waiter {
            id: self.next_id,
            entry,
            since: now,
        };
        let displaced = if self.waiting.len() < self.rules.waiting_max {
            None
        } else {
            let last = (0..self.waiting.len())
                .max_by(|one, other| self.order(now, *one, *other))
                .ok_or(Refused::Full)?;
            if self.rank(now, &waiter) >= self.rank(now, &self.waiting[last]) {
                return Err(Refused::Full);
            }
            Some(self.take(last).id)
        };
        self.next_id += 1;
        if let Some(tenant) = self.tenants.get_mut(&waiter.entry.tenant) {
            tenant.waiting += 1;
        }
        let id = waiter.id;
        self.waiting.push(waiter);
        Ok(Queued { id, displaced })
    }

    /// The waiter that starts now, if there is a slot for it.
    pub fn start(&mut self, now: Duration) -> Option<Started<T>> {
        if self.running >= self.rules.running_max {
            return None;
        }
        let first = (0..self.waiting.len()).min_by(|one, other| self.order(now, *one, *other))?;
        let Waiter { id, entry, .. } = self.take(first);
        self.running += 1;
        Some(Started { id, entry })
    }

    /// Work ended after that long: the tenant is charged what it took instead of what was expected.
    pub fn finish(&mut self, now: Duration, entry: &Entry<T>, took: Duration) {
        self.running -= 1;
        let difference = took.as_secs_f64() - entry.cost.as_secs_f64();
        self.charge(now, &entry.tenant, difference);
    }

    /// Nobody waits for this work any more.
    pub fn leave(&mut self, id: u64) {
        if let Some(index) = self.waiting.iter().position(|waiter| waiter.id == id) {
            self.take(index);
        }
    }

    /// Work that waits.
    #[cfg(test)]
    pub fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    fn take(&mut self, index: usize) -> Waiter<T> {
        let waiter = self.waiting.swap_remove(index);
        if let Some(tenant) = self.tenants.get_mut(&waiter.entry.tenant) {
            tenant.waiting -= 1;
        }
        waiter
    }

    /// The lowest is next: what the tenant cost of late, less what this waiter has on others.
    fn rank(&self, now: Duration, waiter: &Waiter<T>) -> f64 {
        let tenant = self.tenants.get(&waiter.entry.tenant);
        let cost = tenant.map_or(0.0, |tenant| self.cost(now, tenant));
        let waited = now.saturating_sub(waiter.since).as_secs_f64();
        cost - waited * FORGIVEN_PER_SECOND - waiter.entry.lead.as_secs_f64()
    }

    /// By rank, then in the order of arrival.
    fn order(&self, now: Duration, one: usize, other: usize) -> std::cmp::Ordering {
        let (one, other) = (&self.waiting[one], &self.waiting[other]);
        let ranks = (self.rank(now, one), self.rank(now, other));
        ranks.0.total_cmp(&ranks.1).then(one.id.cmp(&other.id))
    }

    fn cost(&self, now: Duration, tenant: &Tenant) -> f64 {
        let age = now.saturating_sub(tenant.at).as_secs_f64();
        tenant.cost * (-age / self.rules.half_life.as_secs_f64()).exp2()
    }

    fn charge(&mut self, now: Duration, tenant: &T, seconds: f64) {
        let known = self.tenants.get(tenant);
        let cost = known.map_or(0.0, |tenant| self.cost(now, tenant)) + seconds;
        let tenant = self.tenants.entry(tenant.clone()).or_default();
        (tenant.cost, tenant.at) = (cost.max(0.0), now);
    }

    fn prune(&mut self, now: Duration) {
        if self.tenants.len() < self.prune_at {
            return;
        }
        let mut tenants = std::mem::take(&mut self.tenants);
        tenants.retain(|_, tenant| tenant.waiting > 0 || self.cost(now, tenant) >= COST_MIN);
        self.prune_at = TENANTS_MIN.max(tenants.len() * 2);
        self.tenants = tenants;
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
