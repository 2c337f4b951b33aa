//! Purchases: one way in, one status.

mod create;
mod status;
mod view;

pub use create::purchase_package;
pub use status::{get_purchase, stream_purchase};
