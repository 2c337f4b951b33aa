//! Every metric of the product, declared once with its help text.
//!
//! Base units; `_total` on counters, `_seconds` on histograms; labels are closed sets, never an id.

use std::sync::LazyLock;

use prometheus::{
    Encoder as _, Gauge, GaugeVec, Histogram, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec,
    Registry, TextEncoder,
};

use super::declare::{counter, counters, gauge, gauges, histogram, histograms, int_gauges};
use super::{EventMetrics, LeaseMetrics, MarketMetrics};

/// The metrics of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    pub http_requests: IntCounterVec,
    pub http_request_seconds: HistogramVec,
    pub http_uploads_in_flight: Gauge,
    pub http_validations_running: Gauge,
    pub http_connections_closed: IntCounterVec,
    pub rate_limited: IntCounterVec,
    pub rate_limit_fallbacks: IntCounter,
    pub sign_ins: IntCounterVec,
    pub catalogue_reads: IntCounterVec,
    pub jobs_finished: IntCounterVec,
    pub job_seconds: HistogramVec,
    pub job_start_delay_seconds: HistogramVec,
    pub jobs_running: IntGaugeVec,
    pub queue_jobs: IntGaugeVec,
    pub queue_oldest_due_seconds: GaugeVec,
    pub sweep_pushed: IntCounter,
    pub jobs_reclaimed: IntCounter,
    pub packages_verified: IntCounterVec,
    pub package_verify_seconds: Histogram,
    pub webhook_attempts: IntCounterVec,
    pub webhook_attempt_seconds: HistogramVec,
    pub webhook_deliveries: IntCounterVec,
    pub webhook_dispatch_seconds: Histogram,
    pub webhook_age_seconds: Histogram,
    pub webhook_sends: IntGaugeVec,
    pub webhook_breakers_opened: IntCounter,
    pub webhook_reconciled: IntCounter,
    pub webhook_backlog: IntGaugeVec,
    pub webhook_oldest_due_seconds: Gauge,
    pub webhook_claim_seconds: Histogram,
    pub webhook_record_seconds: Histogram,
    pub objects_swept: IntCounterVec,
    pub db_pool_connections: IntGaugeVec,
    pub db_transaction_seconds: HistogramVec,
    pub uploads_finished: IntCounterVec,
    pub disputes: IntCounterVec,
    pub scheduler_leader: Gauge,
    pub task_runs: IntCounterVec,
    pub task_seconds: HistogramVec,
    pub task_last_success_seconds: GaugeVec,
    pub task_failures_in_a_row: IntGaugeVec,
    pub card_requests: IntCounterVec,
    pub card_request_seconds: HistogramVec,
    pub ledger_violations: IntGaugeVec,
    pub ledger_audit_seconds: Histogram,
    pub ledger_deltas: Gauge,
    pub leases: LeaseMetrics,
    pub market: MarketMetrics,
    pub events: EventMetrics,
    pub upload_success_rate: GaugeVec,
    pub purchase_conversion_rate: GaugeVec,
    pub average_package_price_minor: GaugeVec,
    pub daily_active_users: IntGaugeVec,
}

/// The one set of metrics of this process.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);
    &METRICS
}

impl Metrics {
    #[expect(
        clippy::too_many_lines,
        reason = "one declaration per metric, no logic"
    )]
    fn new() -> Self {
        let registry = Registry::new();
        let r = &registry;
        Self {
            http_requests: counters(
                r,
                "awareness_http_requests_total",
                "Requests answered, by route template, method and status code.",
                &["route", "method", "status"],
            ),
            http_request_seconds: histograms(
                r,
                "awareness_http_request_duration_seconds",
                "From the head of a request to the head of its answer.",
                &["route"],
            ),
            http_uploads_in_flight: gauge(
                r,
                "awareness_http_uploads_in_flight",
                "Uploads whose bytes are being received.",
            ),
            http_validations_running: gauge(
                r,
                "awareness_http_validations_running",
                "Packages that the API validates itself, without an upload.",
            ),
            http_connections_closed: counters(
                r,
                "awareness_http_connections_closed_total",
                "Connections closed by us, by reason: full, share, idle, stalled.",
                &["reason"],
            ),
            rate_limited: counters(
                r,
                "awareness_rate_limited_total",
                "Requests refused with 429, by the policy that was reached.",
                &["policy"],
            ),
            rate_limit_fallbacks: counter(
                r,
                "awareness_rate_limit_fallbacks_total",
                "Requests that this process counted alone because Redis did not answer.",
            ),
            sign_ins: counters(
                r,
                "awareness_sign_ins_total",
                "Sign-ins by way (password, github, refresh) and outcome (good, refused).",
                &["way", "outcome"],
            ),
            catalogue_reads: counters(
                r,
                "awareness_catalogue_reads_total",
                "Answers about the market, by where they came from: process, kept, postgres.",
                &["from"],
            ),
            jobs_finished: counters(
                r,
                "awareness_jobs_finished_total",
                "Runs of jobs, by outcome: done, retry, snooze, cancel, panic, timeout, superseded.",
                &["job", "outcome"],
            ),
            job_seconds: histograms(
                r,
                "awareness_job_duration_seconds",
                "From lease to outcome.",
                &["job"],
            ),
            job_start_delay_seconds: histograms(
                r,
                "awareness_job_start_delay_seconds",
                "From the moment a job was due to its lease.",
                &["job"],
            ),
            jobs_running: int_gauges(
                r,
                "awareness_jobs_running",
                "Handlers at work in this process.",
                &["queue"],
            ),
            queue_jobs: int_gauges(
                r,
                "awareness_queue_jobs",
                "Jobs by queue and state (due, later, running, quarantined), from PostgreSQL.",
                &["queue", "state"],
            ),
            queue_oldest_due_seconds: gauges(
                r,
                "awareness_queue_oldest_due_seconds",
                "Age of the job that is due the longest and not running.",
                &["queue"],
            ),
            sweep_pushed: counter(
                r,
                "awareness_sweep_pushed_total",
                "Wake-up calls that the sweep pushed: retries that came due and pushes that were lost.",
            ),
            jobs_reclaimed: counter(
                r,
                "awareness_jobs_reclaimed_total",
                "Jobs taken back from workers that stopped renewing.",
            ),
            packages_verified: counters(
                r,
                "awareness_packages_verified_total",
                "Verdicts by package type and verdict: accepted, refused, or cancelled when nobody waited any more.",
                &["package_type", "verdict"],
            ),
            package_verify_seconds: histogram(
                r,
                "awareness_package_verify_seconds",
                "Time to reach a verdict.",
            ),
            webhook_attempts: counters(
                r,
                "awareness_webhook_attempts_total",
                "Requests to webhook receivers, by class of outcome.",
                &["outcome"],
            ),
            webhook_attempt_seconds: histograms(
                r,
                "awareness_webhook_attempt_seconds",
                "Duration of one request to a receiver, by phase: resolve, connect, first_byte, body, total.",
                &["phase"],
            ),
            webhook_deliveries: counters(
                r,
                "awareness_webhook_deliveries_total",
                "What became of deliveries with an attempt: delivered, retry, hold, failed, discarded.",
                &["step"],
            ),
            webhook_dispatch_seconds: histogram(
                r,
                "awareness_webhook_dispatch_seconds",
                "From the time a delivery was due to its request.",
            ),
            webhook_age_seconds: histogram(
                r,
                "awareness_webhook_age_seconds",
                "From an event to its delivery, retries included.",
            ),
            webhook_sends: int_gauges(
                r,
                "awareness_webhook_sends",
                "Requests to receivers under way in this process, by lane: first, retry, slow.",
                &["lane"],
            ),
            webhook_breakers_opened: counter(
                r,
                "awareness_webhook_breakers_opened_total",
                "Times that sending to a failing endpoint was stopped for a while.",
            ),
            webhook_reconciled: counter(
                r,
                "awareness_webhook_reconciled_total",
                "Alarms that the sweep rang because deliveries were due and nobody had.",
            ),
            webhook_backlog: int_gauges(
                r,
                "awareness_webhook_backlog",
                "Deliveries that have not ended: due, later, held.",
                &["state"],
            ),
            webhook_oldest_due_seconds: gauge(
                r,
                "awareness_webhook_oldest_due_seconds",
                "How long the oldest due delivery has waited whose endpoint may be sent to.",
            ),
            webhook_claim_seconds: histogram(
                r,
                "awareness_webhook_claim_seconds",
                "Duration of one statement that claims deliveries.",
            ),
            webhook_record_seconds: histogram(
                r,
                "awareness_webhook_record_seconds",
                "Duration of one statement that records attempts.",
            ),
            objects_swept: counters(
                r,
                "awareness_objects_swept_total",
                "Objects that no row names, taken away, by area (staging, packages).",
                &["area"],
            ),
            db_pool_connections: int_gauges(
                r,
                "awareness_db_pool_connections",
                "Connections of this process to PostgreSQL, by state (idle, used, max).",
                &["state"],
            ),
            db_transaction_seconds: histograms(
                r,
                "awareness_db_transaction_seconds",
                "From the begin of a transaction to its end, by end (committed, rolled_back).",
                &["end"],
            ),
            uploads_finished: counters(
                r,
                "awareness_uploads_finished_total",
                "Uploads that ended, by package type and status (completed, failed).",
                &["package_type", "status"],
            ),
            disputes: counters(
                r,
                "awareness_disputes_total",
                "Disputes that were resolved, by reason and decision (refund, release).",
                &["reason", "decision"],
            ),
            scheduler_leader: gauge(
                r,
                "awareness_scheduler_leader",
                "1 in the scheduler that leads, else 0.",
            ),
            task_runs: counters(
                r,
                "awareness_task_runs_total",
                "Runs of the scheduler's tasks that ended, by task and outcome (succeeded, failed, timed_out, panicked).",
                &["task", "outcome"],
            ),
            task_seconds: histograms(
                r,
                "awareness_task_seconds",
                "Duration of a run of a task, however it ended.",
                &["task"],
            ),
            task_last_success_seconds: gauges(
                r,
                "awareness_task_last_success_timestamp_seconds",
                "When the task last succeeded in this scheduler, in seconds since 1970.",
                &["task"],
            ),
            task_failures_in_a_row: int_gauges(
                r,
                "awareness_task_failures_in_a_row",
                "Runs of the task that failed since one last succeeded, as the leader knows it; else 0.",
                &["task"],
            ),
            card_requests: counters(
                r,
                "awareness_card_requests_total",
                "Requests to the card provider, by operation (create, retrieve, cancel, list_disputes, list_refunds, answer_dispute) and outcome.",
                &["operation", "outcome"],
            ),
            card_request_seconds: histograms(
                r,
                "awareness_card_request_seconds",
                "From the request to the card provider to the end of its answer, or to giving up.",
                &["operation"],
            ),
            ledger_violations: int_gauges(
                r,
                "awareness_ledger_violations",
                "What breaks an invariant of the ledger, by check, as the leader's last audit saw it.",
                &["check"],
            ),
            ledger_audit_seconds: histogram(
                r,
                "awareness_ledger_audit_seconds",
                "Duration of an audit that went through.",
            ),
            ledger_deltas: gauge(
                r,
                "awareness_ledger_deltas",
                "Entries of hot accounts that wait to be folded into their balances.",
            ),
            leases: LeaseMetrics::new(r),
            market: MarketMetrics::new(r),
            events: EventMetrics::new(r),
            upload_success_rate: gauges(
                r,
                "awareness_upload_success_rate",
                "The share of the uploads of the last 24 hours that ended as packages, as the leader rolled them up.",
                &[],
            ),
            purchase_conversion_rate: gauges(
                r,
                "awareness_purchase_conversion_rate",
                "Purchases of the last 24 hours for each view of a package, as the leader rolled them up.",
                &[],
            ),
            average_package_price_minor: gauges(
                r,
                "awareness_average_package_price_minor",
                "The mean of what was paid for a package in the last 24 hours, in minor units.",
                &[],
            ),
            daily_active_users: int_gauges(
                r,
                "awareness_daily_active_users",
                "Accounts that made a request on the last day that is over, by kind (person, agent).",
                &["kind"],
            ),
            registry,
        }
    }

    /// The Prometheus text format of all metrics.
    pub fn render(&self) -> String {
        let mut buffer = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut buffer)
            .expect("a Vec takes every write");
        String::from_utf8(buffer).expect("the text format is UTF-8")
    }
}
