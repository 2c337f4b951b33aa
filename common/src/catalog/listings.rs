//! Listings: what a package costs, to whom and how often.
//!
//! ```text
//! draft ──▶ active ◀──▶ paused,  any ──▶ removed
//! ```
//!
//! Each change of the seller is the next version. How many are left moves with every sale and is no
//! change of the seller: a version names the terms, not the stock.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::PgExecutor;

use super::LicenseMode;
use crate::ids::{ApiKeyId, PackageId, PackagePublicId, UserId};
use crate::merge_patch::Patch;
use crate::money::Price;

/// The topic under which changes of listings are announced; the id is the package's public one.
pub const LISTING_CHANGED: &str = "listing";

/// Whether a package is for sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ListingStatus {
    /// Seen by its seller alone, until it is made active.
    Draft,
    Active,
    /// Shown, and not for sale.
    Paused,
    /// Shown to its seller alone, for good.
    Removed,
    /// By an operator: shown to its seller alone, until it is restored. No seller sets it.
    #[serde(rename = "taken_down")]
    #[sqlx(rename = "taken_down")]
    TakenDown,
}

impl ListingStatus {
    /// All that a seller sets.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Active, Self::Paused, Self::Removed];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Removed => "removed",
            Self::TakenDown => "taken_down",
        }
    }
}

impl fmt::Display for ListingStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ListingStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| "must be draft, active, paused or removed".to_owned())
    }
}

/// A listing with what a buyer wants to know of its package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct Listing {
    pub package_id: PackageId,
    pub package_public_id: PackagePublicId,
    pub package_type: String,
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub package_sha256: String,
    pub w_matrix_sha256: String,
    pub seller_id: UserId,
    /// The key that gave the webhook's address, and signs what is sent there.
    pub api_key_id: ApiKeyId,
    pub price_minor: i64,
    pub currency: String,
    pub license_mode: LicenseMode,
    /// How many may be sold in all; none without a limit.
    pub supply: Option<i32>,
    /// Live purchases, where there is a limit.
    pub taken: i32,
    /// As its seller set it.
    pub status: ListingStatus,
    /// As it stands: taken down, or not for sale because its seller is blocked.
    #[serde(default)]
    pub shown_status: Option<ListingStatus>,
    /// Why an operator took the package down.
    #[serde(default)]
    pub taken_down_because: Option<String>,
    pub webhook_url: Option<String>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl Listing {
    /// How many are left; none without a limit.
    pub fn remaining(&self) -> Option<i32> {
        self.supply.map(|supply| supply - self.taken)
    }

    /// Whether there is a limit, and it is reached.
    pub fn is_sold_out(&self) -> bool {
        self.remaining() == Some(0)
    }

    /// Whether that user may see it; nobody is `None`.
    pub fn is_visible_to(&self, user: Option<UserId>) -> bool {
        let is_public = matches!(
            self.standing(),
            ListingStatus::Active | ListingStatus::Paused
        );
        is_public || user == Some(self.seller_id)
    }

    /// How it stands for buyers.
    pub fn standing(&self) -> ListingStatus {
        self.shown_status.unwrap_or(self.status)
    }
}

/// What a seller may change; `None` leaves it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ListingChanges {
    pub price: Option<Price>,
    pub license_mode: Option<LicenseMode>,
    pub supply: Patch<i64>,
    pub status: Option<ListingStatus>,
    pub webhook_url: Patch<String>,
}

macro_rules! select_listings {
    ($rest:literal) => {
        concat!(
            "select listings.package_id, packages.public_id as package_public_id, package_type, name,
                    encode(package.sha256, 'hex') as package_sha256,
                    encode(w_matrix.sha256, 'hex') as w_matrix_sha256,
                    seller_id, api_key_id, price_minor, currency, license_mode, supply, taken, status,
                    shown_status(listings) as shown_status, taken_down_because, webhook_url, version, listings.created_at, updated_at
             from listings
             join packages on packages.id = listings.package_id
             join objects as package on package.key = packages.package_key
             join objects as w_matrix on w_matrix.key = packages.w_matrix_key ",
            $rest
        )
    };
}

/// The listing of a package, whatever its status.
pub async fn find_listing(
    executor: impl PgExecutor<'_>,
    package: &PackagePublicId,
) -> Result<Option<Listing>, sqlx::Error> {
    sqlx::query_as(select_listings!("where packages.public_id = $1"))
        .bind(package)
        .fetch_optional(executor)
        .await
}

/// A seller's listings, newest first, from behind `before` on; at most `limit`.
pub async fn list_listings(
    executor: impl PgExecutor<'_>,
    seller: UserId,
    before: Option<PackageId>,
    limit: i64,
) -> Result<Vec<Listing>, sqlx::Error> {
    sqlx::query_as(select_listings!(
        "where seller_id = $1
           and ($2::uuid is null or listings.package_id < $2)
         order by listings.package_id desc
         limit $3"
    ))
    .bind(seller)
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
}
