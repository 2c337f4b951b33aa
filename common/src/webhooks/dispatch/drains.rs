//! Drains: to how many endpoints a process sends at once, and to how many of each tenant.
//!
//! An endpoint beyond its tenant's share is put off: its alarm goes back, due after a while, and holds
//! nothing meanwhile. The alarms of a tenant come back one after another, so that a longer line makes
//! each of them wait longer and costs no more statements.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::share::Share;
use crate::ids::UserId;
use crate::limits::{DRAIN_POSTPONED_MIN, DRAIN_POSTPONED_SPACING, DRAINS_MAX, TENANT_DRAINS_MAX};

const SHARE: Share = Share {
    places: DRAINS_MAX,
    tenant_max: TENANT_DRAINS_MAX,
};

/// The drains of one process.
#[derive(Debug, Clone, Default)]
pub(super) struct Drains(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Tenants that hold something.
    held: HashMap<UserId, usize>,
    /// When the last alarm of a tenant that was put off comes back, if that lies ahead.
    lines: HashMap<UserId, Instant>,
}

/// The right to send to one endpoint; given back when dropped.
#[derive(Debug)]
pub(super) struct DrainPlace {
    drains: Drains,
    tenant: UserId,
}

/// There is no place; to be asked for again after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Postponed(pub Duration);

impl Drains {
    /// A place for an endpoint of that tenant, or when to ask again.
    pub fn try_take(&self, tenant: UserId, now: Instant) -> Result<DrainPlace, Postponed> {
        let mut taken = self.lock();
        let held = taken.held.get(&tenant).copied().unwrap_or_default();
        if SHARE.has_room(taken.all, held) {
            taken.all += 1;
            taken.held.insert(tenant, held + 1);
            drop(taken);
            return Ok(DrainPlace {
                drains: self.clone(),
                tenant,
            });
        }
        taken.lines.retain(|_, last| *last > now);
        let earliest = now + DRAIN_POSTPONED_MIN;
        let back = match taken.lines.get(&tenant) {
            Some(last) => earliest.max(*last + DRAIN_POSTPONED_SPACING),
            None => earliest,
        };
        taken.lines.insert(tenant, back);
        Err(Postponed(back - now))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DrainPlace {
    fn drop(&mut self) {
        let mut taken = self.drains.lock();
        taken.all -= 1;
        if let Some(held) = taken.held.get_mut(&self.tenant) {
            *held -= 1;
            if *held == 0 {
                taken.held.remove(&self.tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::JobName;

    #[test]
    fn drains_of_one_tenant_never_hold_every_slot() {
        let (drains, now) = (Drains::default(), Instant::now());
        let (greedy, quiet) = (UserId::new(), UserId::new());
        let mut held = Vec::new();
        while let Ok(place) = drains.try_take(greedy, now) {
            held.push(place);
        }
        assert_eq!(held.len(), TENANT_DRAINS_MAX);
        assert!(drains.try_take(quiet, now).is_ok());
        held.pop();
        assert!(drains.try_take(greedy, now).is_ok(), "it was given back");
    }

    #[test]
    fn nor_do_those_of_many_tenants_together() {
        let (drains, now) = (Drains::default(), Instant::now());
        let mut held = Vec::new();
        for _ in 0..100 {
            let greedy = UserId::new();
            while let Ok(place) = drains.try_take(greedy, now) {
                held.push(place);
            }
        }
        let slots = JobName::DeliverWebhook.spec().queue.concurrency;
        assert!(held.len() < slots, "{}", held.len());
        assert!(drains.try_take(UserId::new(), now).is_ok());
    }

    #[test]
    fn a_longer_line_waits_longer_and_asks_no_more_often() {
        let (drains, now) = (Drains::default(), Instant::now());
        let (greedy, other) = (UserId::new(), UserId::new());
        let _held: Vec<_> = (0..TENANT_DRAINS_MAX)
            .map(|_| drains.try_take(greedy, now))
            .collect();
        let pause = |tenant, now| drains.try_take(tenant, now).err();
        for place in 0..500_u32 {
            let expected = DRAIN_POSTPONED_MIN + DRAIN_POSTPONED_SPACING * place;
            assert_eq!(pause(greedy, now), Some(Postponed(expected)));
        }
        assert_eq!(pause(other, now), None, "the line is the tenant's own");
        let later = now + Duration::from_secs(60);
        assert_eq!(
            pause(greedy, later),
            Some(Postponed(DRAIN_POSTPONED_MIN)),
            "once all are back the line is empty"
        );
    }
}
