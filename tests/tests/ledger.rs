//! The ledger: what its schema refuses, what it reads, what its audit sees, and that no race bends
//! it. Real PostgreSQL, a database per test.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod ledger {
    mod abuses;
    mod audit;
    mod market;
    mod operators;
    mod races;
    mod reads;
    mod rights;
    mod rogue;
    mod statements;
}
