//! The pipeline through the public API: every flow that a client, a receiver or an operator sees.
//! One binary, so that all flows share one PostgreSQL and one Redis; each test has its own world.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod flows {
    mod admin;
    mod errors;
    mod fields;
    mod idempotency;
    mod jwks;
    mod keys;
    mod limits;
    mod listing_changes;
    mod listing_sales;
    mod listings;
    mod presigned;
    mod status;
    mod sweeps;
    mod uploads;
    mod validations;
    mod verdicts;
    mod webhooks;
}
