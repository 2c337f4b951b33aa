//! `common::queue` against a real Redis. The names are the claims; the module's defect table says
//! which apalis-redis defect each one holds down.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod queue {
    mod changed;
    mod faults;
    mod ground;
    mod push;
    mod serve;
    mod stop;
}
