//! What can happen to a purchase, one file per verb.

mod announce;
mod create;
mod download;
mod fail;
mod pay;
mod refund;
mod renew;
mod terms;

pub use announce::announce;
pub use create::{Created, create};
pub use download::download;
pub use fail::{Failure, expire, fail_in_tx};
pub use pay::{doubt_payment_in_tx, pay};
pub use refund::{Cause, Refund, refund, refund_in_tx};
pub use renew::renew;
