//! What changes leases.

mod acquire;
mod extend;
mod release;

pub use acquire::{Granted, NewLease, acquire};
pub use extend::extend;
pub use release::{force_release, release};
