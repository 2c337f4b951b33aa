//! The S3 endpoint keeps the promises that uploads rely on, to the SDK and to plain curl.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod client;
mod objects;
