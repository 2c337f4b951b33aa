//! What can happen to a dispute, one file per verb.

mod decide;
mod measure;
mod open;
mod refund;
mod resolve;
mod tell;

pub use decide::decide;
pub use measure::{Measurement, record_measurement};
pub use open::{NewDispute, open};
pub use refund::refund_by_operator;
