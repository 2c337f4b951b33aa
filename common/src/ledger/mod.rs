//! The ledger: double-entry, append-only, and guarded by the schema (`migrations/0006_ledger.sql`).
//!
//! Money moves by posting a [`Posting`]: two or more legs that sum to zero, made by the pure rules of
//! `posting`. A hold sets a buyer's credits aside until its purchase settles or ends. Nothing here
//! decides who may pay; that is for `purchases`, `payments` and `disputes`.

pub mod audit;
pub mod commands;
mod error;
mod model;
mod posting;
mod queries;
mod write;

pub use error::{AdjustmentError, LedgerError};
pub use model::{AccountKind, Balance, HoldEnd, TransferKind};
pub use posting::{Leg, Posting, Share, Split};
pub use queries::{
    Statement, StatementCursor, StatementLine, balance, balance_as_of, count_deltas, statement,
};
pub use write::{fold, hold_in_tx, lock_credits_in_tx, open_in_tx, post_in_tx, release_hold_in_tx};
