//! What can happen to a payment, one file per verb.

mod begin;
mod call_off;
mod notice;
mod record;
mod tell;
mod top_up;
mod wake;

pub use begin::begin_in_tx;
pub use call_off::call_off_in_tx;
pub use notice::{prune_notices, take_notice};
pub use record::{doubt_in_tx, record_in_tx};
pub use top_up::{CreatedTopUp, top_up};
pub use wake::{look_again_in_tx, wake_idle};
