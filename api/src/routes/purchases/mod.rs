//! Purchases: one way in, one status, and what follows for their two sides.

mod create;
mod list;
mod receipt;
mod refund;
mod renew;
mod status;
mod view;

pub use create::{expected_minor, purchase_package};
pub use list::list_purchases;
pub use receipt::get_receipt;
pub use refund::refund_purchase;
pub use renew::renew_purchase;
pub use status::{get_purchase, stream_purchase};
