//! What can happen to a purchase, one file per verb.

mod announce;
mod create;
mod fail;
mod terms;

pub use announce::announce;
pub use create::{Created, create};
pub use fail::{Failure, expire, fail_in_tx};
