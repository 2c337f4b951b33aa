//! The catalogue: published packages, how they are sold, how they are found, what buyers say of them,
//! and the content-addressed bytes they stand on.
//!
//! An object's row is written before its bytes and taken away after them, so no object is without a
//! row; a package refers to rows, so no package is without its bytes. Lists and search read the shelf,
//! which triggers keep beside packages and listings.

mod browse;
mod candidates;
pub mod commands;
mod counters;
mod details;
mod error;
mod insight;
mod license;
mod listings;
mod model;
mod objects;
mod packages;
mod placement;
mod reviews;
mod search;
mod words;

pub use browse::{Card, Cursor, Filters, Sort, browse};
pub use counters::fold_counters;
pub use details::{
    Details, PackageVersion, SellerFigures, find_details, list_versions, seller_figures,
};
pub use error::CatalogError;
pub use insight::{Detour, KnownModel, best_matrices, detours, trending};
pub use license::{License, LicenseError, LicenseMode};
pub use listings::{
    LISTING_CHANGED, Listing, ListingChanges, ListingStatus, find_listing, list_listings,
};
pub use model::NewPackage;
pub use objects::{
    Claim, OrphanObject, claim_object, condemn_orphans, condemn_unknown, forget_object,
};
pub use packages::{Claimed, find_claim_in_tx, publish_in_tx};
pub use placement::{
    CATALOGUE, CATEGORIES, Category, Placement, category_fault, highest, is_higher, tags_fault,
    versions_of_line,
};
pub use reviews::{Review, list_reviews};
pub use search::{SearchPlan, plan_search, search};
pub use words::sweep_words;
