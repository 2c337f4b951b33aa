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
