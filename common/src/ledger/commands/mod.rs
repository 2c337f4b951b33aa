//! What operators do to the ledger, one file per verb.

mod adjust;

pub use adjust::{Adjusted, Adjustment, adjust};
