//! The catalogue: published packages, how they are sold, and the content-addressed bytes they stand on.
//!
//! An object's row is written before its bytes and taken away after them, so no object is without a
//! row; a package refers to rows, so no package is without its bytes.

pub mod commands;
mod counters;
mod error;
mod licence;
mod listings;
mod model;
mod objects;
mod packages;

pub use counters::fold_counters;
pub use error::CatalogError;
pub use licence::{Licence, LicenceError, LicenceMode};
pub use listings::{
    LISTING_CHANGED, Listing, ListingChanges, ListingStatus, find_listing, list_listings,
};
pub use model::NewPackage;
pub use objects::{
    Claim, OrphanObject, claim_object, condemn_orphans, condemn_unknown, forget_object,
};
pub use packages::publish_in_tx;
