//! Retention.
//!
//! How long rows are kept, and from when: the scheduler's task `sweep_retention` goes by it.

use std::time::Duration;

/// A job that is done or cancelled, from its end. Quarantined ones wait for an operator.
pub const FINISHED_JOB_KEPT: Duration = Duration::from_hours(72);
/// A worker, from its last heartbeat.
pub const DEAD_WORKER_KEPT: Duration = Duration::from_hours(1);
/// An answer for its `Idempotency-Key`, from the request.
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_hours(24);
/// A session and its refresh tokens, from its end.
pub const ENDED_SESSION_KEPT: Duration = Duration::from_hours(30 * 24);
/// A sign-in that began at GitHub, from its deadline.
pub const OAUTH_ATTEMPT_KEPT: Duration = Duration::ZERO;
/// A device that signed in, from its last use: as long as browsers keep a cookie.
pub const SIGN_IN_DEVICE_KEPT: Duration = Duration::from_hours(400 * 24);
/// A quote, from its end: longer than the idempotency key of its purchase, and long enough to be counted again.
pub const QUOTE_KEPT: Duration = Duration::from_hours(7 * 24);
/// A notice of the card provider, from its receipt: longer than the provider repeats it.
pub const CARD_NOTICE_KEPT: Duration = Duration::from_hours(30 * 24);
/// What API processes counted of requests (views, searches without results, active accounts), from its hour or day: a
/// month of active accounts can be recounted for another month.
pub const REQUEST_COUNT_KEPT: Duration = Duration::from_hours(62 * 24);
/// A roll-up of an hour; the day in which it lies can be recounted for as long.
pub const HOURLY_ROLL_UP_KEPT: Duration = Duration::from_hours(400 * 24);
/// A roll-up of a day, and its active accounts.
pub const DAILY_ROLL_UP_KEPT: Duration = Duration::from_hours(10 * 366 * 24);
/// What users may see of the event log, from the event. The events of the market themselves are kept for ever.
pub const EVENT_FEED_KEPT: Duration = Duration::from_hours(30 * 24);
/// An event of a client's own stream that a snapshot holds, from the event.
pub const STREAM_EVENT_KEPT: Duration = Duration::from_hours(90 * 24);
/// A lease, from its end, with waiters for it that died.
pub const ENDED_LEASE_KEPT: Duration = Duration::from_hours(1);
/// The bytes of a webhook event, unless the variable `WEBHOOK_BODY_DAYS` is set.
pub const WEBHOOK_BODY_DAYS: i32 = 30;
/// Attempts to send a webhook, and an event from the end of its last delivery, unless the variable
/// `WEBHOOK_ATTEMPT_DAYS` is set.
pub const WEBHOOK_ATTEMPT_DAYS: i32 = 90;
/// A delivery that is held for a disabled endpoint; then it is discarded.
pub const HELD_DAYS: i32 = 30;
