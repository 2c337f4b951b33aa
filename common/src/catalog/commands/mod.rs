//! Writes of the catalogue, one file each.

mod change_listing;
mod change_package;
mod review;

pub use change_listing::{Change, Changed, change_listing};
pub use change_package::{PackageChanges, change_package};
pub use review::{reply_to_review, review, set_star, withdraw_review};
