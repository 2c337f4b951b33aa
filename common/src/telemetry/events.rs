//! The metrics of the event log.

use prometheus::{Gauge, GaugeVec, IntCounter, Registry};

use super::declare::{counter, gauge, gauges};

/// Events, and who reads them.
#[derive(Debug)]
pub struct EventMetrics {
    pub numbered: IntCounter,
    pub unnumbered_seconds: Gauge,
    pub behind: GaugeVec,
    pub readers: Gauge,
}

impl EventMetrics {
    pub(super) fn new(r: &Registry) -> Self {
        Self {
            numbered: counter(
                r,
                "awareness_events_numbered_total",
                "Events that got their position in the log.",
            ),
            unnumbered_seconds: gauge(
                r,
                "awareness_events_unnumbered_seconds",
                "How long the oldest event without a position has waited for one.",
            ),
            behind: gauges(
                r,
                "awareness_event_consumer_behind",
                "Events of the log that a consumer has not dealt with.",
                &["consumer"],
            ),
            readers: gauge(
                r,
                "awareness_event_readers",
                "Requests and streams that wait for events.",
            ),
        }
    }
}
