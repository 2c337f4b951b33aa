//! Every bound of this crate, with its unit and its reason. Holds no code.

use std::time::Duration;

/// `initdb` on a slow disk.
pub const INITDB_SECONDS_MAX: Duration = Duration::from_secs(120);
/// A private server recovering a large write-ahead log or append-only file.
pub const SERVER_READY_SECONDS_MAX: Duration = Duration::from_secs(120);
/// One of our services connecting to its stores.
pub const SERVICE_READY_SECONDS_MAX: Duration = Duration::from_secs(60);
/// Between SIGTERM and SIGKILL; the services promise to be gone within it.
pub const STOP_GRACE: Duration = Duration::from_secs(30);
/// Between SIGTERM and SIGKILL for a process that an earlier launcher left behind.
pub const LEFTOVER_GRACE: Duration = Duration::from_secs(10);
/// How often a process that is not our child is looked at: no portable signal tells of its end.
pub const LEFTOVER_LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// First pause before a dead child comes back; doubles with each early death.
pub const RESTART_PAUSE_MIN: Duration = Duration::from_millis(200);
/// A child that keeps dying is tried this often.
pub const RESTART_PAUSE_MAX: Duration = Duration::from_secs(10);
/// A child that lived this long starts again from the shortest pause.
pub const RESTART_HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Ports are chosen before they are bound, so another process may win one in between.
pub const PORT_ATTEMPTS_MAX: u32 = 3;
/// How long a server of this process tries for a port that seems taken, see [`crate::ports`].
pub const LISTEN_PATIENCE: Duration = Duration::from_secs(1);
/// Between two of those tries.
pub const LISTEN_INTERVAL: Duration = Duration::from_millis(5);
/// Between two questions to `/readyz`.
pub const READINESS_INTERVAL: Duration = Duration::from_millis(25);
/// One question to a loopback server, connect to last byte.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer to a probe is only looked at, never stored.
pub const PROBE_BYTES_MAX: u64 = 64 * 1024;

/// A log that has grown beyond this is set aside as `<name>.1` at the next start.
pub const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// A longer line of a child is passed on in pieces.
pub const LOG_LINE_BYTES_MAX: u64 = 64 * 1024;
/// How much of a log an error message quotes.
pub const LOG_TAIL_BYTES: u64 = 2 * 1024;

/// A webhook body larger than this is refused by the sandbox receiver.
pub const WEBHOOK_BODY_BYTES_MAX: usize = 1024 * 1024;
/// The sandbox receiver forgets the oldest delivery beyond this many.
pub const WEBHOOKS_KEPT_MAX: usize = 10_000;

/// The longest file name that the file systems we run on can store.
pub const FILE_NAME_BYTES_MAX: usize = 255;
/// Requests under way when the S3 endpoint or the receiver stops may take this long to finish.
pub const HTTP_STOP_GRACE: Duration = Duration::from_secs(5);

/// A request to the card sandbox: a form of a few fields.
pub const CARD_BODY_BYTES_MAX: usize = 64 * 1024;
/// The provider's documented bounds of an amount, in minor units.
pub const CARD_AMOUNT_MINOR_MIN: i64 = 50;
pub const CARD_AMOUNT_MINOR_MAX: i64 = 99_999_999;
/// How long an idempotency key is remembered over restarts, as the provider promises at least.
pub const CARD_KEY_SECONDS: i64 = 24 * 60 * 60;
/// How often the method that plays a faulty provider is answered 503.
pub const CARD_FAULTS: u32 = 2;
/// How long the method that never answers keeps a caller waiting before it hangs up; longer than
/// any client of ours waits.
pub const CARD_SILENCE: Duration = Duration::from_secs(120);
/// Webhooks of the card sandbox that wait for their turn; more are lost, as a receiver must bear.
pub const CARD_EVENTS_MAX: usize = 10_000;
/// One try to deliver a webhook of the card sandbox.
pub const CARD_WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Tries to deliver one; over half a minute with pauses that double.
pub const CARD_WEBHOOK_TRIES_MAX: u32 = 8;
/// The pause after the first try.
pub const CARD_WEBHOOK_PAUSE_MIN: Duration = Duration::from_millis(250);
