//! Webhooks and their endpoints.

use std::time::Duration;

/// A webhook address.
pub const WEBHOOK_URL_CHARS_MAX: usize = 2048;
/// The body of an event that is sent in full; a larger one is sent as a reference.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 256 * 1024;
/// Deliveries that one endpoint has in the hands of a worker.
pub const CLAIM_ROWS_MAX: usize = 64;
/// Deliveries with their bytes that one statement claims, for all endpoints together.
pub const CLAIM_STATEMENT_ROWS_MAX: usize = 2048;
/// Between two statements that claim: so old may a delivery become under load before it is seen.
pub const CLAIM_PACE: Duration = Duration::from_millis(20);
/// How long a worker waits for more for an endpoint before its alarm rests.
pub const CLAIM_LINGER: Duration = Duration::from_secs(1);
/// Attempts that one statement records.
pub const FINISH_BATCH_MAX: usize = 128;
/// Between two statements that record: so much may be sent twice after a kill.
pub const FINISH_PACE: Duration = Duration::from_millis(20);
/// A worker gives an endpoint back after this, so that it is sent to by its newest rules.
pub const DRAIN_RUN: Duration = Duration::from_secs(30);
/// A pause between two sends that is not worth holding a worker's slot for.
pub const DRAIN_PAUSE_MAX: Duration = Duration::from_secs(1);
/// Requests to receivers that one worker process has under way.
pub const SENDS_MAX: usize = 1024;
/// Of those, for one tenant.
pub const TENANT_SENDS_MAX: usize = 128;
/// Of those, for retries: 30 %.
pub const RETRY_SENDS_MAX: usize = 307;
/// Of those, for endpoints that are slow or just recovering: 20 %.
pub const SLOW_SENDS_MAX: usize = 204;
/// Registered endpoints of one tenant.
pub const ENDPOINTS_MAX: i64 = 50;
/// News of one subject that waits for earlier news of it: an ordered endpoint's plan ends here.
pub const ORDERED_HOURS_MAX: u64 = 72;
/// Alarms that one round of the sweep rings.
pub const RECONCILE_ROWS_MAX: i64 = 500;
/// Old events that one round forgets.
pub const WEBHOOK_PRUNE_ROWS_MAX: i64 = 5_000;
/// A due delivery that waits longer, or a claim that takes longer, is a stall.
pub const WEBHOOK_STALL_SECONDS: f64 = 60.0;
/// Secrets of one endpoint that sign at the same time.
pub const LIVE_SECRETS_MAX: i64 = 3;
/// How long an old secret signs beside the new one when its owner does not say.
pub const SECRET_OVERLAP_SECONDS: u64 = 24 * 3600;
/// How long it may.
pub const SECRET_OVERLAP_SECONDS_MAX: u64 = 7 * 24 * 3600;
/// What an owner notes about an endpoint.
pub const ENDPOINT_DESCRIPTION_CHARS_MAX: usize = 500;
/// Requests per second that one endpoint may get.
pub const ENDPOINT_RATE_MAX: i64 = 1000;
/// Requests to one endpoint under way.
pub const ENDPOINT_CONCURRENCY_MAX: i64 = 64;
/// How long one request to an endpoint may take, least and most.
pub const ENDPOINT_TIMEOUT_SECONDS: (i64, i64) = (5, 30);
/// How far back a recovery reaches.
pub const RECOVERY_DAYS_MAX: i64 = 30;
/// Deliveries that one step of a recovery queues.
pub const RECOVERY_STEP_ROWS: i64 = 500;
/// The share of an endpoint's rate that a recovery uses.
pub const RECOVERY_RATE_SHARE: f64 = 0.2;
/// Attempts that a delivery's timeline shows.
pub const WEBHOOK_ATTEMPTS_SHOWN_MAX: i64 = 100;
/// A request that describes an endpoint: twenty headers of 4 KiB, and room for the rest.
pub const WEBHOOK_BODY_REQUEST_BYTES_MAX: usize = 128 * 1024;
/// Endpoints that one worker process sends to at once, each a slot of the queue. Less than the slots of one
/// lane, so that recoveries always find one.
pub const DRAINS_MAX: usize = 1000;
/// Of those, for one tenant: as many as it may have requests.
pub const TENANT_DRAINS_MAX: usize = TENANT_SENDS_MAX;
/// The shortest time for which an endpoint beyond its tenant's share is put off: a drain of others lasts at
/// least so long.
pub const DRAIN_POSTPONED_MIN: Duration = CLAIM_LINGER;
/// Between two endpoints of one tenant that come back from being put off: as fast as a tenant's share of
/// drains can end, so that a longer line costs no more statements per second.
pub const DRAIN_POSTPONED_SPACING: Duration = Duration::from_millis(8);
