//! Permits: how many requests a process has under way, and who may take how many of them.
//!
//! A send takes one permit of its tenant, one of its lane (retries, slow endpoints) if it belongs to
//! one, and one of the process, in this order and each in the order of asking. So one tenant, the
//! retries of all, or all endpoints that hang never fill the process: first tries to healthy
//! endpoints of others always find room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

/// The permits of one process.
#[derive(Debug, Clone)]
pub(super) struct Permits {
    all: Arc<Semaphore>,
    retries: Arc<Semaphore>,
    slow: Arc<Semaphore>,
    tenants: Arc<Mutex<HashMap<UserId, Weak<Semaphore>>>>,
}

/// The right to send one request; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    lane: &'static str,
    _held: [Option<OwnedSemaphorePermit>; 4],
    _tenant: Arc<Semaphore>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        metrics()
            .webhook_sends
            .with_label_values(&[self.lane])
            .dec();
    }
}

impl Default for Permits {
    fn default() -> Self {
        Self {
            all: Arc::new(Semaphore::new(SENDS_MAX)),
            retries: Arc::new(Semaphore::new(RETRY_SENDS_MAX)),
            slow: Arc::new(Semaphore::new(SLOW_SENDS_MAX)),
            tenants: Arc::default(),
        }
    }
}

impl Permits {
    /// Waits for its turn.
    pub async fn take(&self, kind: Kind) -> Permit {
        let tenant = self.tenant(kind.tenant);
        let of_tenant = take(&tenant).await;
        let of_slow = match kind.is_slow {
            true => Some(take(&self.slow).await),
            false => None,
        };
        let of_retries = match kind.is_retry {
            true => Some(take(&self.retries).await),
            false => None,
        };
        let of_all = take(&self.all).await;
        let lane = match kind {
            Kind { is_slow: true, .. } => "slow",
            Kind { is_retry: true, .. } => "retry",
            _ => "first",
        };
        metrics().webhook_sends.with_label_values(&[lane]).inc();
        Permit {
            lane,
            _held: [Some(of_tenant), of_slow, of_retries, Some(of_all)],
            _tenant: tenant,
        }
    }

    /// The semaphore of a tenant lives as long as one of its sends.
    fn tenant(&self, tenant: UserId) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tenants.get(&tenant).and_then(Weak::upgrade) {
            return known;
        }
        tenants.retain(|_, semaphore| semaphore.strong_count() > 0);
        let new = Arc::new(Semaphore::new(TENANT_SENDS_MAX));
        tenants.insert(tenant, Arc::downgrade(&new));
        new
    }
}

async fn take(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(semaphore)
        .acquire_owned()
        .await
        .expect("these semaphores are never closed")
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
}
