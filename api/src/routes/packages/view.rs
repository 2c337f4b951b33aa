//! Packages on the wire: the seed's fields first, then ours.

use chrono::{DateTime, Utc};
use common::catalog::{self, Category, Details, LicenseMode, ListingStatus};
use common::ids::{PackagePublicId, ReviewId, UserId};
use common::wire::Currency;
use package::{EvidenceLevel, PackageType, Tier};
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::Price;

/// A package in a list.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PackageCard")]
pub struct Card {
    package_id: PackagePublicId,
    #[schemars(with = "PackageType")]
    package_type: String,
    /// The package's name.
    name: String,
    /// What it is for.
    description: String,
    #[serde(flatten)]
    price: Price,
    /// The alignment error: measured if it could be, else declared.
    epsilon: f64,
    /// How many accounts downloaded it.
    downloads: i64,
    currency: Currency,
    #[schemars(with = "LicenseMode")]
    license_mode: String,
    #[schemars(with = "EvidenceLevel")]
    evidence_level: String,
    #[schemars(with = "Option<Tier>")]
    tier: Option<String>,
    /// The semantic version.
    version: String,
    #[schemars(with = "Option<Category>")]
    category: Option<String>,
    /// Words to find it by.
    tags: Vec<String>,
    /// The model that it comes from.
    source_model: String,
    /// The model that it is aligned to.
    target_model: String,
    /// The length of the states that it takes.
    source_dimension: Option<i32>,
    /// The length of the states that it gives.
    target_dimension: Option<i32>,
    /// How often it was sold.
    sales: i64,
    /// The mean of its reviews.
    rating: Option<f64>,
    /// How many reviews it has.
    reviews: i64,
    /// How many accounts have starred it.
    stars: i64,
    seller_id: UserId,
    /// The name of the seller.
    seller_name: String,
    /// When it was published.
    created_at: DateTime<Utc>,
}

/// A package in full.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Package {
    #[serde(flatten)]
    card: Card,
    status: ListingStatus,
    /// Why an operator took it down; only its seller sees a package that is taken down.
    taken_down_because: Option<String>,
    /// Whether it is the newest of its versions.
    is_latest: bool,
    /// The alignment error that the seller declared.
    epsilon_declared: f64,
    /// The alignment error that was measured here.
    epsilon_measured: Option<f64>,
    /// The size of the package.
    package_size_bytes: i64,
    /// The size of the alignment matrix.
    w_matrix_size_bytes: i64,
    /// The SHA-256 of the package.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    package_sha256: String,
    /// The SHA-256 of the alignment matrix.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    w_matrix_sha256: String,
    /// Its terms, with what is left of its supply.
    listing_url: String,
    /// Its versions.
    versions_url: String,
    /// Its reviews.
    reviews_url: String,
}

/// A review of a package.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    review_id: ReviewId,
    /// Who wrote it.
    buyer_id: UserId,
    /// The name of who wrote it.
    buyer_name: String,
    /// Stars, from 1 to 5.
    rating: i16,
    /// The review in words.
    text: Option<String>,
    /// Whether the buyer still owns the package.
    verified_purchase: bool,
    /// What the seller answered.
    reply: Option<String>,
    /// When the seller answered.
    replied_at: Option<DateTime<Utc>>,
    /// When it was written.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
}

impl From<&catalog::Card> for Card {
    fn from(card: &catalog::Card) -> Self {
        let rating = card.rating();
        let card = card.clone();
        Self {
            package_id: card.public_id,
            package_type: card.package_type,
            name: card.name,
            description: card.description,
            price: Price::new(card.price_minor),
            epsilon: card.epsilon,
            downloads: card.downloads,
            currency: Currency(card.currency),
            license_mode: card.license_mode,
            evidence_level: card.evidence_level,
            tier: card.tier,
            version: card.semver,
            category: card.category,
            tags: card.tags,
            source_model: card.source_model,
            target_model: card.target_model,
            source_dimension: card.source_dimension,
            target_dimension: card.target_dimension,
            sales: card.sales,
            rating,
            reviews: card.rating_count,
            stars: card.star_count,
            seller_id: card.seller_id,
            seller_name: card.seller_name,
            created_at: card.created_at,
        }
    }
}

/// Those of a list.
pub fn cards(cards: &[catalog::Card]) -> Vec<Card> {
    cards.iter().map(Card::from).collect()
}

impl From<&Details> for Package {
    fn from(details: &Details) -> Self {
        let (id, more) = (&details.card.public_id, details.more.clone());
        Self {
            card: Card::from(&details.card),
            status: more.status,
            taken_down_because: more.taken_down_because,
            is_latest: more.is_latest,
            epsilon_declared: more.epsilon_declared,
            epsilon_measured: more.epsilon_measured,
            package_size_bytes: more.package_bytes,
            w_matrix_size_bytes: more.w_matrix_bytes,
            package_sha256: more.package_sha256,
            w_matrix_sha256: more.w_matrix_sha256,
            listing_url: format!("/api/ai/listings/{id}"),
            versions_url: format!("/api/ai/packages/{id}/versions"),
            reviews_url: format!("/api/ai/packages/{id}/reviews"),
        }
    }
}

impl From<&catalog::Review> for Review {
    fn from(review: &catalog::Review) -> Self {
        let review = review.clone();
        Self {
            review_id: review.id,
            buyer_id: review.buyer_id,
            buyer_name: review.buyer_name,
            rating: review.stars,
            text: review.body,
            verified_purchase: review.is_verified,
            reply: review.reply,
            replied_at: review.replied_at,
            created_at: review.created_at,
            updated_at: review.updated_at,
        }
    }
}
