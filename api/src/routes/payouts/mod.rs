//! Payouts: asked for and seen by sellers.

mod error;
mod list;
mod request;
mod view;

pub use list::{get_payout, list_payouts};
pub use request::request_payout;
pub(in crate::routes) use view::Payout;
