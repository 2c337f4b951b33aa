//! Events.

use std::time::Duration;

/// Events that one round gives positions to.
pub const EVENTS_NUMBERED_MAX: i32 = 1_000;
/// A round begins at the latest so long after an event was committed, also if its announcement was lost.
pub const EVENTS_NUMBERED_EVERY: Duration = Duration::from_secs(1);
/// The newest events that an API process keeps in memory for those who wait for them.
pub const EVENTS_IN_MEMORY: usize = 4_096;
/// Events that a reader who is behind gets from PostgreSQL at once.
pub const EVENTS_READ_MAX: i64 = 500;
/// Readers of one API process that get events from PostgreSQL at the same time.
pub const EVENT_READERS_MAX: usize = 8;
/// Types, and ids, that one reader may name.
pub const EVENT_IDS_MAX: usize = 100;
/// The longest wait for events that a request may ask for, in seconds.
pub const EVENT_WAIT_SECONDS_MAX: u64 = 60;
/// Events of one append.
pub const APPENDED_EVENTS_MAX: usize = 100;
/// The data of one append, in bytes.
pub const APPENDED_BYTES_MAX: usize = 256 * 1024;
/// The type of a client's event, in bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 100;
/// The name of a stream, in bytes.
pub const CLIENT_STREAM_NAME_BYTES_MAX: usize = 200;
/// The category of a stream, in bytes.
pub const CLIENT_STREAM_CATEGORY_BYTES_MAX: usize = 50;
/// Streams that an account may have of its own.
pub const CLIENT_STREAMS_MAX: i64 = 10_000;
/// A snapshot is made of a stream each time that it has got so many events.
pub const SNAPSHOT_EVERY: i64 = 100;
/// Snapshots that are kept of a stream: the newest.
pub const SNAPSHOTS_KEPT: i64 = 2;
/// Events that a replay reads at most.
pub const REPLAYED_EVENTS_MAX: i64 = 10_000;
/// Old events that one round forgets.
pub const EVENTS_PRUNED_MAX: i32 = 10_000;
/// Events that one who works on the log deals with in a transaction.
pub const CONSUMED_EVENTS_MAX: i64 = 200;
/// Subscriptions that an account may have.
pub const EVENT_SUBSCRIPTIONS_MAX: i64 = 50;
/// The name of a subscription, in bytes.
pub const EVENT_SUBSCRIPTION_NAME_BYTES_MAX: usize = 64;
/// For so long a fetch passes over events that its subscription does not want, also if it does not wait.
pub const SUBSCRIPTION_SCAN: Duration = Duration::from_secs(5);
/// Events that a subscription holds at once: handed out, or about to be. Those that were replayed come on top.
pub const SUBSCRIPTION_WINDOW_MAX: i32 = 1_000;
/// Events of one batch.
pub const SUBSCRIPTION_BATCH_MAX: i32 = 100;
/// Events of one batch, if nothing is said.
pub const SUBSCRIPTION_BATCH: i32 = 20;
/// Acknowledgements of one request: what the window holds.
pub const ACKNOWLEDGEMENTS_MAX: usize = 1_000;
/// An event that was handed out so often and never acknowledged is parked.
pub const SUBSCRIPTION_ATTEMPTS_MAX: i32 = 10;
/// Parked events of one subscription. What would be too many is handed out again instead.
pub const SUBSCRIPTION_PARKED_MAX: i32 = 10_000;
/// Parked events that one request replays.
pub const PARKED_REPLAYED_MAX: i64 = 1_000;
/// How long a consumer has to acknowledge an event, in seconds, if nothing is said.
pub const ACK_SECONDS: i32 = 30;
/// How long a consumer may have to acknowledge an event, in seconds.
pub const ACK_SECONDS_MAX: i32 = 3_600;
/// How long an event that was given back may rest, in seconds.
pub const RETRY_IN_SECONDS_MAX: i32 = 3_600;
/// Events after its position that are counted for the lag of a subscription.
pub const SUBSCRIPTION_LAG_COUNTED_MAX: i64 = 10_000;
/// A subscription is behind if it has not acknowledged an event for so long.
pub const SUBSCRIPTION_BEHIND_AFTER: Duration = Duration::from_secs(60);
