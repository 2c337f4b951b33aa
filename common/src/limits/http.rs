//! What the doors of the API and its logs take.

use std::time::Duration;

use super::JSON_BODY_BYTES_MAX;

/// A request that moves no package.
pub const REQUEST_SECONDS_MAX: u64 = 30;
/// A request that moves one: 50 MiB at 64 KiB/s.
pub const UPLOAD_REQUEST_SECONDS_MAX: u64 = 900;
/// The head of a request must be here by then, from its first byte or from the end of the one before.
pub const HEADER_READ_SECONDS_MAX: u64 = 10;
/// From the accept of a connection to the head of its first request: a handshake and one message.
pub const FIRST_REQUEST_SECONDS_MAX: u64 = 10;
/// A connection may stay open without a request this long: an HTTP/2 client comes back to it.
pub const IDLE_CONNECTION_SECONDS_MAX: u64 = 60;
/// A client that takes nothing this long of a response that is ready is cut off. The kernel takes a
/// third of [`SOCKET_SEND_BUFFER_BYTES`] at once, so that one byte in time means 3 KiB/s.
pub const RESPONSE_STALL_SECONDS_MAX: u64 = 30;
/// What the kernel holds of a response for a slow client (Linux doubles it). Left alone it grows to 4 MiB.
pub const SOCKET_SEND_BUFFER_BYTES: usize = 128 * 1024;
/// What HTTP/1 buffers of a connection, in each direction; so a request's head is no larger.
pub const HTTP1_BUFFER_BYTES_MAX: usize = 64 * 1024;
/// Parameters of one query: no operation has more than 20, and each is compared with those before it.
pub const QUERY_PARAMETERS_MAX: usize = 64;
/// Requests under way on one HTTP/2 connection.
pub const HTTP2_STREAMS_MAX: u32 = 100;
/// All headers of one HTTP/2 request together.
pub const HTTP2_HEADER_BYTES_MAX: u32 = 16 * 1024;
/// What HTTP/2 buffers of one response beside the chunk that it is at.
pub const HTTP2_SEND_BYTES_MAX: usize = 64 * 1024;
/// What HTTP/2 buffers of all bodies of a connection that nobody has read yet. It is also what a client
/// sends in one round trip: 10 MB/s at 50 ms.
pub const HTTP2_WINDOW_BYTES: u32 = 512 * 1024;
/// The time that a client is waited for, of which each window must bring [`BODY_WINDOW_BYTES_MIN`].
pub const BODY_WINDOW_SECONDS: u64 = 20;
/// So a body of a package comes with 6.4 KiB/s at least: a poor telephone line, and no drip.
pub const BODY_WINDOW_BYTES_MIN: u64 = 128 * 1024;
/// The whole of a body that holds fields alone.
pub const SMALL_BODY_SECONDS_MAX: u64 = 10;
/// Small bodies that are arriving in one API process, of 128 KiB at most each.
pub const ARRIVING_BODIES_MAX: usize = 8_000;
/// Of those, for one client.
pub const ARRIVING_BODIES_SHARE_MAX: usize = 256;
/// Requests that are under way in one API process, beside uploads and those that only wait: each may hold
/// a body of 64 KiB, and wait for one of 20 connections to PostgreSQL.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 2_000;
/// Of those, for one client.
pub const REQUESTS_IN_FLIGHT_SHARE_MAX: usize = 500;
/// Requests that wait for an end in one API process: each looks once a second.
pub const WAITS_MAX: usize = 4_000;
/// Of those, for one client.
pub const WAITS_SHARE_MAX: usize = 500;
/// Event streams of one API process.
pub const STREAMS_MAX: usize = 2_000;
/// Of those, for one client.
pub const STREAMS_SHARE_MAX: usize = 200;
/// A 429 is sent this much later: a client that ignores it repeats its requests less often, and leaves the
/// processor to others.
pub const REFUSAL_PAUSE: Duration = Duration::from_millis(100);
/// Refusals that one API process delays at once; others are sent immediately.
pub const REFUSALS_PAUSED_MAX: usize = 4_096;
/// Of those, for one network: as many as it may have connections.
pub const REFUSALS_PAUSED_SHARE_MAX: usize = 512;
/// Bodies of refused requests that one API process reads to their end, so that their clients see why.
pub const LINGERING_MAX: usize = 256;
/// Of those, for one client.
pub const LINGERING_SHARE_MAX: usize = 8;
/// A refused client may go on sending this long.
pub const LINGER_SECONDS_MAX: u64 = 10;
/// And this much: several times the largest body that is taken, for those who sent too much.
pub const LINGER_BYTES_MAX: u64 = 4 * JSON_BODY_BYTES_MAX;
/// Connections one API process holds.
pub const CONNECTIONS_MAX: usize = 10_000;
/// Of those, for one network ([`crate::admission::Network`]): an office behind one address, or twenty
/// such attackers to fill them all, each of whom must keep its connections busy.
pub const CONNECTIONS_PER_NETWORK_MAX: usize = 512;
/// Longest `Prefer: wait=N`.
pub const WAIT_SECONDS_MAX: u64 = 60;
/// Longest life of an event stream; clients reconnect.
pub const EVENT_STREAM_SECONDS_MAX: u64 = 600;
/// An `Idempotency-Key`.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// A request under a key that was not answered for so long is one whose process died.
pub const REPLAY_BEGUN_SECONDS_MAX: u64 = 120;
/// A shorter answer is sent as it is: compressing it saves no packet.
pub const COMPRESSED_BYTES_MIN: u64 = 1_024;
/// A page of an operator's list.
pub const PAGE_ROWS_MAX: i64 = 200;
/// A line of the log: what a process says in one sentence, with an error and its causes.
pub const LOG_LINE_BYTES_MAX: usize = 8 * 1024;
/// One text in a line that is longer.
pub const LOG_TEXT_CHARS_MAX: usize = 1_000;
/// The target of an act in the audit log, which is a path that a client wrote.
pub const AUDIT_TARGET_CHARS_MAX: usize = 200;
