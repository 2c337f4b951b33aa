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
    pub subscriptions: GaugeVec,
    pub slowest_behind: Gauge,
    pub slowest_seconds: Gauge,
    pub parked: Gauge,
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
            subscriptions: gauges(
                r,
                "awareness_event_subscriptions",
                "Subscriptions to the event log, by whether they have not acknowledged an event for a minute.",
                &["state"],
            ),
            slowest_behind: gauge(
                r,
                "awareness_event_subscription_behind",
                "Events that the slowest subscription has not acknowledged, counted up to 10,000 after its position.",
            ),
            slowest_seconds: gauge(
                r,
                "awareness_event_subscription_lag_seconds",
                "The age of the oldest event that a subscription has not acknowledged.",
            ),
            parked: gauge(
                r,
                "awareness_event_subscription_parked",
                "Events that no consumer of a subscription acknowledged, and that are handed out no more.",
            ),
        }
    }
}
