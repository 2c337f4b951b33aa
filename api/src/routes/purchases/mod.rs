//! Purchases: one way in, one status, and what follows for their two sides.

mod cancel;
mod create;
mod list;
mod pay;
mod receipt;
mod refund;
mod renew;
mod reserved;
mod status;
mod view;

pub use cancel::cancel_purchase;
pub use create::{expected_minor, purchase_package};
pub use list::list_purchases;
pub use pay::pay_purchase;
pub use receipt::get_receipt;
pub use refund::refund_purchase;
pub use renew::renew_purchase;
pub use status::{get_purchase, stream_purchase};
