//! Analytics of an account by the hour and by the day. Operators see the same of the market and of any account.

mod account;
mod kept;
mod view;

pub use account::get_analytics;
pub use kept::KeptAnalytics;
pub use view::{Analytics, answer, range};
