//! The sweeps. Each is idempotent, bounded in what one step does, and safe to kill anywhere.

mod counters;
mod due;
mod history;
mod ledger;
mod objects;
mod orphans;
mod payments;
mod purchases;
mod staging;
mod supply;
mod webhooks;

pub use counters::sweep as sweep_counters;
pub use due::DueSweep;
pub use history::sweep as sweep_history;
pub use ledger::{keep_auditing, keep_folding};
pub use objects::sweep as sweep_objects;
pub use orphans::OrphanSweep;
pub use payments::sweep as sweep_payments;
pub use purchases::sweep as sweep_purchases;
pub use staging::sweep as sweep_staging;
pub use supply::sweep as sweep_supply;
pub use webhooks::WebhookSweep;
