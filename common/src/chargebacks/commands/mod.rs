//! Changes of chargebacks.

mod answer;
mod collect;
mod record;
mod tell;

pub use answer::{answer, note_sent};
pub use collect::{collect_in_tx, lock_owed_in_tx};
pub use record::record;
