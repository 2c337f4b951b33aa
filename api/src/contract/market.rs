//! The market: browsing, search, single packages, reviews, models, and the terms of packages.

use common::identity::Permission::{Purchase, Upload};
use common::webhooks::EventType;

use super::operation::{Operation, delete, get, patch, post, put};
use crate::access::Access::{Anyone, May, Optional, SignedIn};
use crate::limits::Kind;
use crate::openapi::Modes;
use crate::routes::packages::query;
use crate::routes::{listings, packages};

/// What a seller gets at the address of a listing.
pub(super) const LISTING_EVENTS: [EventType; 7] = [
    EventType::ListingSoldOut,
    EventType::PackageTakenDown,
    EventType::PackageRestored,
    EventType::PurchaseRefunded,
    EventType::DisputeOpened,
    EventType::DisputeMeasured,
    EventType::DisputeResolved,
];

pub fn operations() -> Vec<Operation> {
    let browsing = [lists(), packages()].into_iter().flatten();
    let browsing = browsing.map(|row| row.limited_as(Some(Kind::Browse)));
    let market = browsing.chain(changes()).chain(opinions());
    let market = market.map(|row| row.tagged("market"));
    market
        .chain(terms().into_iter().map(|row| row.tagged("listings")))
        .collect()
}

fn lists() -> Vec<Operation> {
    vec![
        get("/api/ai/search-packages", packages::search_packages, Optional, "Search packages")
            .about(
                "By words and model names. Misspelt words are corrected, `gpt4` finds GPT-4, and each word that is corrected counts \
                 as two requests more. `/docs/search` says how results are ranked.",
            )
            .asks::<query::SearchQuery>()
            .tool("search_capabilities", "Search for packages by words and model names.")
            .gives(200, "The packages, best first."),
        get("/api/ai/packages", packages::list_packages, Optional, "List packages")
            .asks::<query::PackageQuery>()
            .gives(200, "A page."),
        get("/api/ai/packages/trending", packages::list_trending, Anyone, "List trending packages")
            .asks::<query::TrendingQuery>()
            .gives(200, "The packages, hottest first."),
        get("/api/ai/packages/best-matrix", packages::find_best_matrix, Anyone, "Find the best map between two models")
            .about("Measured maps come before declared ones, then by error, evidence and popularity.")
            .asks::<query::MatrixQuery>()
            .tool("find_best_matrix", "Find the best map from one model's latent space to another's.")
            .gives(200, "The packages, best first."),
    ]
}

fn packages() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/packages/{package_id}",
            packages::get_package,
            Optional,
            "Get a package",
        )
        .tool("get_package", "Get one package.")
        .gives(200, "The package."),
        get(
            "/api/ai/packages/{package_id}/versions",
            packages::list_versions,
            Optional,
            "List the versions of a package",
        )
        .gives(200, "The versions, newest first."),
        get(
            "/api/ai/packages/{package_id}/reviews",
            packages::list_reviews,
            Optional,
            "List the reviews of a package",
        )
        .about("By those who have the package.")
        .gives(200, "A page, newest first."),
        get(
            "/api/ai/sellers/{seller_id}",
            packages::get_seller,
            Anyone,
            "Get a seller",
        )
        .gives(200, "The seller."),
    ]
}

fn changes() -> Vec<Operation> {
    vec![
        patch(
            "/api/ai/packages/{package_id}",
            packages::change_package,
            May(Upload),
            "Change a package",
        )
        .about("Its terms are changed at the listing. Its bytes and what was measured stay.")
        .gives(200, "The package."),
        get(
            "/packages/{package_id}",
            packages::follow_package_page,
            Anyone,
            "Follow the address of a package in an event",
        )
        .answers::<packages::Package>()
        .gives(200, "The package, for clients that accept JSON.")
        .empty(303, "A redirect to the package."),
        get(
            "/api/ai/categories",
            packages::list_categories,
            Anyone,
            "List categories",
        )
        .gives(200, "All of them."),
        post(
            "/api/ai/compatibility",
            packages::check_compatibility,
            Anyone,
            "Check the way from one model to another",
        )
        .gives(200, "The maps, directly and over a third model."),
    ]
}

fn opinions() -> Vec<Operation> {
    vec![
        put(
            "/api/ai/packages/{package_id}/reviews",
            packages::review_package,
            May(Purchase),
            "Write or change your review of a package",
        )
        .about("For those who bought it; each has one review.")
        .gives(200, "The review."),
        delete(
            "/api/ai/packages/{package_id}/reviews",
            packages::withdraw_review,
            May(Purchase),
            "Delete your review of a package",
        )
        .gives(200, "It is deleted."),
        put(
            "/api/ai/reviews/{review_id}/reply",
            packages::reply_to_review,
            May(Upload),
            "Reply to a review of your package",
        )
        .gives(200, "The reply."),
        put(
            "/api/ai/packages/{package_id}/star",
            packages::star_package,
            SignedIn,
            "Star a package",
        )
        .gives(200, "It is starred."),
        delete(
            "/api/ai/packages/{package_id}/star",
            packages::unstar_package,
            SignedIn,
            "Unstar a package",
        )
        .gives(200, "It is not starred."),
    ]
}

fn terms() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/listings",
            listings::list_listings,
            SignedIn,
            "List your listings",
        )
        .limited_as(Some(Kind::Browse))
        .gives(200, "A page, newest first."),
        get(
            "/api/ai/listings/{package_id}",
            listings::get_listing,
            Optional,
            "Get the terms of a package",
        )
        .limited_as(Some(Kind::Browse))
        .gives(200, "The listing."),
        patch(
            "/api/ai/listings/{package_id}",
            listings::change_listing,
            May(Upload),
            "Change the terms of a package",
        )
        .takes::<listings::ListingChanges>()
        .gives(200, "The listing.")
        .calls_back("webhookUrl", Modes::Plain, &LISTING_EVENTS),
    ]
}
