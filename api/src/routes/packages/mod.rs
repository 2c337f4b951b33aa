//! The market as buyers see it: browsing, search, single packages, what buyers say of them, and which
//! maps there are between models.
//!
//! Lists and packages are answered from a cache ([`cached`]); what is shown there is the same for
//! everybody.

mod browse;
mod cached;
mod change;
mod compatibility;
mod filters;
pub mod query;
mod reviews;
mod search;
mod seller;
mod show;
mod turns;
mod view;

pub use browse::{list_categories, list_packages, list_trending};
pub use cached::Cached;
pub use change::change_package;
pub use compatibility::{check_compatibility, find_best_matrix};
pub use reviews::{
    list_reviews, reply_to_review, review_package, star_package, unstar_package, withdraw_review,
};
pub use search::search_packages;
pub use seller::get_seller;
pub use show::{follow_package_page, get_package, list_versions};
pub use turns::SearchTurns;
pub use view::Package;
