//! What operators see: structured logs, metrics, and the text they are served as.

mod bounded;
mod declare;
mod logs;
mod metrics;

pub use logs::{LogGuard, init_logs};
pub use metrics::{Metrics, metrics};
