//! The metrics of the market of agents, under the names that the seed gave them.
//!
//! What happens is counted by the process in which it happens. What is so is read from PostgreSQL by the leading
//! scheduler: one series for each fact, which outlives every process. Labels that name an agent or a capability are
//! those of the most active; the rest is [`OTHER`].

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use prometheus::{Gauge, GaugeVec, Histogram, IntCounter, IntCounterVec, IntGaugeVec, Registry};

use super::declare::{counter, counters, gauge, gauges, histogram_of, int_gauges};
use crate::limits::MARKET_LABELS_MAX;

/// What stands for all that have no series of their own.
pub const OTHER: &str = "other";

const SEARCH_SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0];
const SETTLEMENT_SECONDS: &[f64] = &[1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0];
const RESULTS: &[f64] = &[0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

/// Agents, what they do for each other, and how they are found.
#[derive(Debug)]
pub struct MarketMetrics {
    pub registrations: IntCounterVec,
    pub unregistrations: IntCounter,
    pub online: Gauge,
    pub by_capability: IntGaugeVec,
    pub reputation: GaugeVec,
    pub outcomes: IntCounterVec,
    pub transactions: IntCounterVec,
    pub amount: IntCounterVec,
    pub by_status: IntGaugeVec,
    pub transitions: IntCounterVec,
    pub disputes: IntCounterVec,
    pub settlement_seconds: Histogram,
    pub searches: IntCounterVec,
    pub search_seconds: Histogram,
    pub results: Histogram,
    pub recommendations: IntCounterVec,
    /// Capabilities that have series in this process.
    labels: Mutex<HashSet<String>>,
}

impl MarketMetrics {
    #[expect(
        clippy::too_many_lines,
        reason = "one declaration per metric, no logic"
    )]
    pub(super) fn new(r: &Registry) -> Self {
        Self {
            registrations: counters(
                r,
                "marketplace_agent_registrations_total",
                "Registrations of agents that were asked for, by status: success, duplicate, error.",
                &["status"],
            ),
            unregistrations: counter(
                r,
                "marketplace_agent_unregistrations_total",
                "Agents that their owners took off the market.",
            ),
            online: gauge(
                r,
                "marketplace_agents_online",
                "Agents on the market that are present, as the leader saw it.",
            ),
            by_capability: int_gauges(
                r,
                "marketplace_agents_by_capability",
                "Agents on the market with the capability; `other` for all but the most frequent ones.",
                &["capability"],
            ),
            reputation: gauges(
                r,
                "marketplace_agent_reputation_score",
                "The reputation of the agents with the most tasks of 30 days; `other` is the mean of the rest.",
                &["agent_id"],
            ),
            outcomes: counters(
                r,
                "marketplace_agent_task_outcomes_total",
                "Ended tasks of the agents with the most tasks of 30 days, by success; `other` for the rest.",
                &["agent_id", "success"],
            ),
            transactions: counters(
                r,
                "marketplace_transactions_total",
                "Tasks that agents were asked for, by capability; `other` for all but the most frequent ones.",
                &["capability"],
            ),
            amount: counters(
                r,
                "marketplace_transaction_amount_total",
                "What those tasks cost, in minor units.",
                &["currency"],
            ),
            by_status: int_gauges(
                r,
                "marketplace_transactions_by_status",
                "Tasks by the state that they are in.",
                &["status"],
            ),
            transitions: counters(
                r,
                "marketplace_transaction_state_transitions_total",
                "Steps of tasks from state to state.",
                &["from_state", "to_state"],
            ),
            disputes: counters(
                r,
                "marketplace_transaction_disputes_total",
                "Tasks that were disputed, by capability; `other` for all but the most frequent ones.",
                &["capability"],
            ),
            settlement_seconds: histogram_of(
                r,
                "marketplace_transaction_settlement_duration_seconds",
                "From the request for a task to its payment.",
                SETTLEMENT_SECONDS,
            ),
            searches: counters(
                r,
                "marketplace_discovery_searches_total",
                "Lists of agents that were asked for, by the first capability; `none`, or `other`.",
                &["capability"],
            ),
            search_seconds: histogram_of(
                r,
                "marketplace_discovery_search_duration_seconds",
                "From such a question to its answer.",
                SEARCH_SECONDS,
            ),
            results: histogram_of(
                r,
                "marketplace_discovery_results_count",
                "Agents in such an answer.",
                RESULTS,
            ),
            recommendations: counters(
                r,
                "marketplace_discovery_recommendations_total",
                "Recommendations that were asked for, by capability, or `other`.",
                &["capability"],
            ),
            labels: Mutex::default(),
        }
    }

    /// The label of a capability that clients asked for: itself if the market has it and there is room, so that what
    /// they type makes no series.
    pub fn label<'a>(&self, capability: &'a str, is_on_market: bool) -> &'a str {
        let mut labels = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        if labels.contains(capability) {
            return capability;
        }
        if !is_on_market || labels.len() as i64 >= MARKET_LABELS_MAX {
            return OTHER;
        }
        labels.insert(capability.to_owned());
        capability
    }
}
