//! What is for sale, and what buyers say of it.

use axum::Router;
use axum::routing::{get, post, put};

use crate::routes::{listings, packages};
use crate::state::ApiState;

/// What is answered at once.
pub fn quick() -> Router<ApiState> {
    let one = "/api/ai/packages/{package_id}";
    Router::new()
        .route("/api/ai/search-packages", get(packages::search_packages))
        .route("/api/ai/packages", get(packages::list_packages))
        .route("/api/ai/packages/trending", get(packages::list_trending))
        .route(
            "/api/ai/packages/best-matrix",
            get(packages::find_best_matrix),
        )
        .route(
            one,
            get(packages::get_package).patch(packages::change_package),
        )
        .route(&format!("{one}/versions"), get(packages::list_versions))
        .route(
            &format!("{one}/reviews"),
            get(packages::list_reviews)
                .put(packages::review_package)
                .delete(packages::withdraw_review),
        )
        .route(
            &format!("{one}/star"),
            put(packages::star_package).delete(packages::unstar_package),
        )
        .route(
            "/api/ai/reviews/{review_id}/reply",
            put(packages::reply_to_review),
        )
        .route("/api/ai/sellers/{seller_id}", get(packages::get_seller))
        .route("/api/ai/categories", get(packages::list_categories))
        .route("/api/ai/compatibility", post(packages::check_compatibility))
        .route("/packages/{package_id}", get(packages::follow_package_page))
        .route("/api/ai/listings", get(listings::list_listings))
        .route(
            "/api/ai/listings/{package_id}",
            get(listings::get_listing).patch(listings::change_listing),
        )
}
