//! Listings: shown to everybody, changed by their seller.

mod change;
mod list;
mod show;
mod view;

pub use change::{ListingChanges, change_listing};
pub use list::list_listings;
pub use show::get_listing;
