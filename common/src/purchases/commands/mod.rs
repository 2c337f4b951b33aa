//! What can happen to a purchase, one file per verb.

mod announce;
mod create;
mod download;
mod fail;
mod make_way;
mod pay;
mod pay_otherwise;
mod refund;
mod renew;
mod terms;
mod unpaid;

pub use announce::announce;
pub use create::{Created, create};
pub use download::download;
pub use fail::{Failure, close, expire, fail_in_tx};
pub use pay::{delay_payment, doubt_payment_in_tx, pay};
pub use pay_otherwise::{PayRequest, pay_otherwise};
pub use refund::{Cause, NewReturn, Refund, refund, refund_in_tx};
pub use renew::renew;
pub use unpaid::{Canceler, cancel};
