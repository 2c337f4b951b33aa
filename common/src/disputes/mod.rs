//! Disputes: a buyer says that a settled purchase is not what was sold.
//!
//! ```text
//! open ──measure──▶ measured ──decide──▶ resolved_refund | resolved_release
//!   └────────────decide────────────────────▲
//! ```
//!
//! Opening one freezes the seller's share of the sale and queues `remeasure_package`, which downloads
//! the package again and judges it as its validation did. Where the claim is about bytes or epsilon
//! the measurement decides; elsewhere it is evidence, and an operator decides, who may also do so
//! before it is there. The first decision stands
//! (`a_decided_dispute_stays_decided_whatever_comes_late`); a purchase is disputed once for ever. It is
//! `disputed` exactly while its dispute is not resolved: the schema holds
//! that at every commit. The buyer may go on downloading until then.

pub mod commands;
mod error;
mod finding;
mod model;
mod queries;

pub use error::DisputeError;
pub use finding::Finding;
pub use model::{
    Case, Decider, Decision, Dispute, DisputeFilter, DisputeReason, DisputeState, DisputeSummary,
    DisputeView, StoredBlob, StoredBlobs,
};
pub use queries::{find, find_case, find_view, list};

/// The topic under which changes of disputes are announced; the id is the public one.
pub const CHANGED: &str = "dispute";
