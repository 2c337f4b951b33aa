//! Changes of chargebacks.

mod answer;
mod collect;
mod record;
mod tell;

pub use answer::{answer, note_sent};
pub use collect::Debts;
pub use record::record;
