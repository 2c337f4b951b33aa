//! What operators see: structured logs, metrics, and the text they are served as.

mod bounded;
mod declare;
mod events;
mod leases;
mod logs;
mod market;
mod metrics;

pub use events::EventMetrics;
pub use leases::LeaseMetrics;
pub use logs::{LogGuard, init_logs};
pub use market::{MarketMetrics, OTHER};
pub use metrics::{Metrics, metrics};
