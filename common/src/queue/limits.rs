//! Every bound of the queue, with its unit and its reason.

use std::time::Duration;

/// Wake-up calls in one script call; one call blocks Redis for about 9 us each.
pub(super) const PUSH_BATCH_MAX: usize = 500;
/// Finished jobs forgotten in one script call; about 3 us of Redis each.
pub(super) const SWEEP_BATCH_MAX: usize = 500;

/// Wake-up calls that a [`Pusher`](super::Pusher) holds; above it they are left to the sweep.
pub(super) const PUSHER_BACKLOG_MAX: usize = 16_384;
/// Wake-up calls that a pusher sends at once.
pub(super) const PUSHER_BATCH_MAX: usize = 256;
/// Batches that a pusher has under way, pipelined on one connection.
pub(super) const PUSHER_IN_FLIGHT_MAX: usize = 4;

/// Messages that a slow subscriber may lag behind before it loses the oldest.
pub(super) const CHANGED_BACKLOG_MAX: usize = 1024;
/// Messages waiting to be published; above it they are dropped.
pub(super) const PUBLISH_BACKLOG_MAX: usize = 4096;
/// How long a change waits until what was made from the old state is known to be old.
pub(super) const OUTDATE_TIMEOUT: Duration = Duration::from_millis(100);
/// Messages published in one pipeline.
pub(super) const PUBLISH_BATCH_MAX: usize = 256;

/// How long Redis may take to accept a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long Redis may take to answer; a busy host needs seconds, and giving up ends a worker.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long what a probe wrote stays.
pub(super) const PROBE_SECONDS: u64 = 60;
/// Longest pause between two attempts to connect.
pub(super) const CONNECT_DELAY_MAX: Duration = Duration::from_secs(1);
/// Attempts per command before it fails: callers retry by themselves, so they learn it soon.
pub(super) const CONNECT_RETRIES_MAX: usize = 2;
/// Pause before the subscriber connects again.
pub(super) const SUBSCRIBE_DELAY: Duration = Duration::from_millis(200);
/// How often the subscriber proves that its connection lives.
pub(super) const SUBSCRIBE_PING: Duration = Duration::from_secs(5);

/// How often a worker says that it lives.
pub(super) const BEAT: Duration = Duration::from_millis(1500);
/// Every so many beats it looks for others that no longer do; the sweep looks more often.
pub(super) const RESCUE_BEATS: u32 = 6;
/// Silence after which its jobs are given to others: three missed beats.
pub(super) const SILENCE_MAX: Duration = Duration::from_millis(4500);
/// apalis' own heartbeat and reaper judge by the clocks of the hosts; a day puts them to rest.
pub(super) const APALIS_HEARTBEAT: Duration = Duration::from_secs(86_400);

/// How often an idle worker looks by itself, should a wake-up message be lost. A reconnection wakes it
/// too, so this is rarely what does.
pub(super) const FALLBACK_TICK: Duration = Duration::from_secs(5);
/// First pause before a worker that ended is replaced; it doubles up to the maximum.
pub(super) const RESTART_DELAY_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a worker that ended is replaced.
pub(super) const RESTART_DELAY_MAX: Duration = Duration::from_secs(1);
/// A worker that lived this long makes the next pause short again.
pub(super) const LIFE_IS_LONG: Duration = Duration::from_secs(5);
/// How long giving back may take when a worker ends; others rescue what it did not manage.
pub(super) const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);
