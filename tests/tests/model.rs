//! The market against a model of it: many clients do random things to a real stack whose parts are
//! killed meanwhile, then everything that they were told is compared with what the books hold.
//!
//! `AWARENESS_MODEL_SEED` repeats the choices of clients and faults, `AWARENESS_LONG=1` makes ten
//! times as many operations. The judge itself is held to fabricated histories.

#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a test that cannot go on fails, and its figures are small"
)]

mod model {
    mod aftermath;
    mod answers;
    mod asking_back;
    mod books;
    mod buying;
    mod chaos;
    mod client;
    mod earning;
    mod ground;
    mod hiring;
    mod history;
    mod judge;
    mod judgements;
    mod money;
    mod owning;
    mod paying;
    mod promises;
    mod returns;
    mod rows;
    mod run;
    mod selling;
    mod tasks;
}
