//! What can happen to a purchase, one file per verb.

mod announce;
mod create;
mod download;
mod fail;
mod pay;
mod renew;
mod terms;

pub use announce::announce;
pub use create::{Created, create};
pub use download::download;
pub use fail::{Failure, expire, fail_in_tx};
pub use pay::{doubt_payment_in_tx, pay};
pub use renew::renew;
