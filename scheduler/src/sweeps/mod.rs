//! The sweeps. Each is idempotent, bounded in what one step does, and safe to kill anywhere.

mod analytics;
mod cards;
mod counters;
mod due;
mod ledger;
mod objects;
mod orphans;
mod payments;
mod presence;
mod purchases;
mod reputation;
mod retention;
mod staging;
mod supply;

use common::agents::PresenceError;
use common::db;
use common::queue::QueueError;
use common::storage::StorageError;
use thiserror::Error;

pub use analytics::roll_up as roll_up_analytics;
pub use cards::renew as renew_cards;
pub use counters::sweep as sweep_counters;
pub use due::DueSweep;
pub use ledger::{audit as audit_ledger, fold as fold_ledger};
pub use objects::sweep as sweep_objects;
pub use orphans::{OrphanSweep, tidy_queues};
pub use payments::sweep as sweep_payments;
pub use presence::sweep as sweep_presence;
pub use purchases::sweep as sweep_purchases;
pub use reputation::score as score_agents;
pub use retention::sweep as sweep_retention;
pub use staging::sweep as sweep_staging;
pub use supply::sweep as sweep_supply;

/// How much of its work a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// All that there was.
    All,
    /// A part: the next step is due at once.
    Partly,
}

impl Swept {
    const fn partly_if(is_left: bool) -> Self {
        if is_left { Self::Partly } else { Self::All }
    }
}

/// Why a sweep broke off; the next one starts where it began.
#[derive(Debug, Error)]
pub enum SweepError {
    #[error("PostgreSQL: {0}")]
    Database(#[from] db::Error),
    #[error("Redis: {0}")]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Presence(#[from] PresenceError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}
