//! One package in full, its versions, and its seller.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{PgPool, QueryBuilder};

use super::ListingStatus;
use super::browse::{Card, SELECT_CARDS};
use crate::ids::{PackageId, PackagePublicId, UserId};

/// A package in full.
#[derive(Debug, Clone)]
pub struct Details {
    pub card: Card,
    pub more: More,
}

/// What lists do not show.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct More {
    pub status: ListingStatus,
    /// Why an operator took it down; for its seller.
    pub taken_down_because: Option<String>,
    pub details_version: i64,
    pub line_id: PackageId,
    pub is_latest: bool,
    pub epsilon_declared: f64,
    pub epsilon_measured: Option<f64>,
    pub package_bytes: i64,
    pub w_matrix_bytes: i64,
    pub package_sha256: String,
    pub w_matrix_sha256: String,
}

impl Details {
    /// Whether that user may see it; nobody is `None`.
    pub fn is_visible_to(&self, user: Option<UserId>) -> bool {
        let is_public = matches!(
            self.more.status,
            ListingStatus::Active | ListingStatus::Paused
        );
        is_public || user == Some(self.card.seller_id)
    }
}

/// A package, whatever its status.
pub async fn find_details(
    pool: &PgPool,
    id: &PackagePublicId,
) -> Result<Option<Details>, sqlx::Error> {
    let mut query = QueryBuilder::new(SELECT_CARDS);
    query
        .push(" where packages.public_id = ")
        .push_bind(id.clone());
    let Some(card) = query.build_query_as::<Card>().fetch_optional(pool).await? else {
        return Ok(None);
    };
    let more = sqlx::query_as(
        "select shown_status(listings) as status, taken_down_because, details_version, line_id, is_latest, epsilon_declared, epsilon_measured,
                package.size_bytes as package_bytes, w_matrix.size_bytes as w_matrix_bytes,
                encode(package.sha256, 'hex') as package_sha256, encode(w_matrix.sha256, 'hex') as w_matrix_sha256
         from packages
         join listings on package_id = packages.id
         join objects as package on package.key = package_key
         join objects as w_matrix on w_matrix.key = w_matrix_key
         where packages.id = $1",
    )
    .bind(card.package_id)
    .fetch_one(pool)
    .await?;
    Ok(Some(Details { card, more }))
}

/// One version of a package.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct PackageVersion {
    #[schemars(with = "PackagePublicId")]
    pub package_id: String,
    /// The semantic version.
    pub version: String,
    pub status: ListingStatus,
    /// Whether it is the newest.
    pub is_latest: bool,
    /// The price in minor units.
    pub price_minor: i64,
    /// When it was published.
    pub created_at: DateTime<Utc>,
}

/// The versions of a line, the newest first; what only its seller sees is left out for others.
pub async fn list_versions(
    pool: &PgPool,
    line: PackageId,
    viewer: Option<UserId>,
) -> Result<Vec<PackageVersion>, sqlx::Error> {
    sqlx::query_as(
        "select public_id as package_id, semver as version, shown_status(listings) as status, is_latest, price_minor, packages.created_at
         from packages
         join listings on package_id = packages.id
         where line_id = $1
           and (shown_status(listings) in ('active', 'paused') or seller_id = $2)
         order by packages.id desc
         limit 200",
    )
    .bind(line)
    .bind(viewer)
    .fetch_all(pool)
    .await
}

/// What a seller's packages have come to: `downloads` are the paying accounts that fetched one, `reviews` and
/// `rating` are of buyers who were not refunded.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct SellerFigures {
    /// Packages for sale.
    pub packages: i64,
    /// How often they were sold.
    pub sales: i64,
    /// How many paying accounts downloaded them.
    pub downloads: i64,
    /// How many reviews they have.
    pub reviews: i64,
    /// The mean of the reviews.
    pub rating: Option<f64>,
}

/// The figures of what a seller has for sale.
pub async fn seller_figures(pool: &PgPool, seller: UserId) -> Result<SellerFigures, sqlx::Error> {
    sqlx::query_as(
        "select count(*) as packages, coalesce(sum(sales), 0)::bigint as sales,
                coalesce(sum(downloaders), 0)::bigint as downloads,
                coalesce(sum(rating_count), 0)::bigint as reviews,
                round(sum(rating_sum) / nullif(sum(rating_count), 0), 2)::double precision as rating
         from shelf
         join packages on packages.id = package_id
         where seller_id = $1
           and is_shown",
    )
    .bind(seller)
    .fetch_one(pool)
    .await
}
