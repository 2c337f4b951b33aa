//! What can happen to a payout, one file per verb.

mod finish;
mod request;
mod tell;

pub use finish::{End, finish};
pub use request::{NewPayout, request};
