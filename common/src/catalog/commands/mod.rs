//! Writes of the catalogue, one file each.

mod change_listing;

pub use change_listing::{Change, Changed, change_listing};
