//! The event log: complete and in order for whoever reads it, streams with expected versions, and a market that is what its
//! events say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod events {
    mod follow;
    mod log;
    mod market;
    mod streams;
    mod subscriptions;
}
