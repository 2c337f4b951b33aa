//! Disputes: opened by buyers, followed by both parties.

mod error;
mod open;
mod status;
mod view;

pub use open::open_dispute;
pub use status::get_dispute;
pub(in crate::routes) use view::{Dispute, Followable};
