//! The metrics of leases.

use prometheus::{Gauge, Histogram, IntCounterVec, Registry};

use super::declare::{counters, gauge, histogram};

/// How leases are asked for, waited for and lost.
#[derive(Debug)]
pub struct LeaseMetrics {
    pub requests: IntCounterVec,
    pub wait_seconds: Histogram,
    pub lost: IntCounterVec,
    pub held: Gauge,
}

impl LeaseMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        Self {
            requests: counters(
                r,
                "awareness_lease_requests_total",
                "Requests for leases, by outcome: granted_at_once, granted_after_wait, refused, abandoned, failed.",
                &["outcome"],
            ),
            wait_seconds: histogram(
                r,
                "awareness_lease_wait_seconds",
                "From a request for a lease to its grant, if it had to wait.",
            ),
            lost: counters(
                r,
                "awareness_leases_lost_total",
                "Writes refused because their lease was lost, by where that was found: request, transaction.",
                &["found"],
            ),
            held: gauge(
                r,
                "awareness_leases_held",
                "Leases that are held, from PostgreSQL.",
            ),
        }
    }
}
