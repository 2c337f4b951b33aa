//! A listing on the wire.
//!
//! Its entity tag begins with the version of its terms, for `If-Match`. What is left of the supply moves
//! without that, so an answer is never served from a cache.

use chrono::{DateTime, Utc};
use common::catalog::{self, LicenseMode, ListingStatus};
use common::ids::{PackagePublicId, UserId};
use common::wire::Currency;
use package::PackageType;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Answer, Price};
use crate::entity_tag::Tagged;

/// The terms of a package.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    package_id: PackagePublicId,
    #[schemars(with = "PackageType")]
    package_type: String,
    /// The package's name.
    name: String,
    /// The SHA-256 of the package.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    package_sha256: String,
    /// The SHA-256 of the alignment matrix.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    w_matrix_sha256: String,
    #[serde(flatten)]
    price: Price,
    currency: Currency,
    license_mode: LicenseMode,
    /// How many may buy it in all, if there is a limit.
    supply: Option<i32>,
    /// How many still may, if there is a limit.
    remaining: Option<i32>,
    /// Whether nobody may buy it any more.
    sold_out: bool,
    status: ListingStatus,
    /// The version of the terms; the entity tag begins with it.
    version: i64,
    /// When it was published.
    created_at: DateTime<Utc>,
    /// When the terms were last changed.
    updated_at: DateTime<Utc>,
    #[serde(flatten)]
    own: Option<OwnTerms>,
}

/// What only its seller sees of a listing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OwnTerms {
    /// The address that gets its events.
    #[schemars(url)]
    webhook_url: Option<String>,
    /// Why an operator took the package down.
    taken_down_because: Option<String>,
}

impl Listing {
    /// As that user sees it.
    pub fn seen_by(viewer: Option<UserId>, listing: &catalog::Listing) -> Self {
        let own = (viewer == Some(listing.seller_id)).then(|| OwnTerms {
            webhook_url: listing.webhook_url.clone(),
            taken_down_because: listing.taken_down_because.clone(),
        });
        Self {
            package_id: listing.package_public_id.clone(),
            package_type: listing.package_type.clone(),
            name: listing.name.clone(),
            package_sha256: listing.package_sha256.clone(),
            w_matrix_sha256: listing.w_matrix_sha256.clone(),
            price: Price::new(listing.price_minor),
            currency: Currency(listing.currency.clone()),
            license_mode: listing.license_mode,
            supply: listing.supply,
            remaining: listing.remaining(),
            sold_out: listing.is_sold_out(),
            status: listing.standing(),
            version: listing.version,
            created_at: listing.created_at,
            updated_at: listing.updated_at,
            own,
        }
    }
}

/// One listing with its tag.
pub fn answer(listing: &catalog::Listing, viewer: Option<UserId>) -> Answer<Listing> {
    let tag = Tagged::at(listing.version);
    Answer::ok(Listing::seen_by(viewer, listing))
        .tagged(tag)
        .uncached()
}
