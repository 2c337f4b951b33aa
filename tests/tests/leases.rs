//! Leases: one holder at a time, waiters in their order, and late writers refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod leases {
    mod contention;
    mod crash;
    mod ground;
    mod holders;
    mod line;
    mod operators;
    mod quotas;
    mod stopped;
    mod writes;
}
