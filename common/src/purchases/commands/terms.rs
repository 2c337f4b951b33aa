//! The terms of a purchase: what the listing asks, or what a quote promised if that is cheaper.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::ids::{PackageId, PackagePublicId, UserId};
use crate::purchases::supply::lock_listing_in_tx;
use crate::purchases::{PurchaseError, PurchaseRequest, PurchaseState};
use crate::quotes::Opened;
use crate::signatures::Quote;

/// What is bought from whom for how much. The version of the listing is the one that asked this price.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Terms {
    pub package_id: PackageId,
    pub seller_id: UserId,
    pub version: i64,
    pub price_minor: i64,
    pub currency: String,
    pub license_mode: String,
    status: String,
}

impl Terms {
    /// What a purchase on these terms begins with, as its first event says it.
    pub(super) fn as_event(&self, package: &PackagePublicId, state: PurchaseState) -> Value {
        json!({
            "state": state,
            "packageId": package,
            "priceMinor": self.price_minor,
            "currency": self.currency,
            "licenseMode": self.license_mode,
        })
    }
}

/// What the quoted package is today, and how it was for sale when it was quoted.
#[derive(Debug, sqlx::FromRow)]
struct Quoted {
    package_sha256: Vec<u8>,
    w_matrix_sha256: Vec<u8>,
    license_mode: String,
}

/// The terms, under the listing's lock, if the listing and the request agree to them.
pub(super) async fn agree_in_tx(
    conn: &mut PgConnection,
    request: &PurchaseRequest,
    package: PackageId,
    is_limited: bool,
) -> Result<Terms, PurchaseError> {
    lock_listing_in_tx(conn, package, is_limited).await?;
    let mut terms = find_terms(conn, package).await?;
    check_listing(request, &terms)?;
    let mut asked_minor = terms.price_minor;
    if let Some(Opened { claims, .. }) = &request.quote {
        check_quote(conn, request, claims, &terms).await?;
        asked_minor = claims.amount_minor;
        if claims.amount_minor < terms.price_minor {
            terms.price_minor = claims.amount_minor;
            terms.version = claims.listing_version;
        }
    }
    match request.expected_price_minor {
        Some(expected_minor) if expected_minor != asked_minor => Err(PurchaseError::PriceChanged {
            expected_minor,
            current_minor: asked_minor,
        }),
        _ => {
            request.check_card(terms.price_minor)?;
            Ok(terms)
        }
    }
}

async fn find_terms(conn: &mut PgConnection, package: PackageId) -> Result<Terms, sqlx::Error> {
    sqlx::query_as(
        "select package_id, seller_id, version, price_minor, currency, license_mode,
                shown_status(listings) as status
         from listings
         where package_id = $1",
    )
    .bind(package)
    .fetch_one(conn)
    .await
}

/// No quote opens what is closed.
fn check_listing(request: &PurchaseRequest, terms: &Terms) -> Result<(), PurchaseError> {
    if ["removed", "taken_down"].contains(&terms.status.as_str()) {
        return Err(PurchaseError::PackageNotFound);
    }
    if terms.seller_id == request.buyer {
        return Err(PurchaseError::OwnPackage);
    }
    if terms.status != "active" {
        return Err(PurchaseError::NotForSale);
    }
    Ok(())
}

/// The quote is live, for this package, and for what is still sold. A price is promised, not a
/// license: once the seller sells under another mode, the old price does not buy the new one.
async fn check_quote(
    conn: &mut PgConnection,
    request: &PurchaseRequest,
    quote: &Quote,
    terms: &Terms,
) -> Result<(), PurchaseError> {
    if !is_for(quote, request) {
        return Err(PurchaseError::QuoteForOtherPackage);
    }
    if !quote.is_live_at(Utc::now().timestamp()) {
        let expired_at = DateTime::from_timestamp(quote.exp, 0).unwrap_or_default();
        return Err(PurchaseError::QuoteExpired { expired_at });
    }
    let quoted = find_quoted(conn, terms.package_id, quote.listing_version).await?;
    let Some(quoted) = quoted.filter(|quoted| quoted.license_mode == terms.license_mode) else {
        return Err(PurchaseError::QuoteOutdated("the license"));
    };
    if quote.currency != terms.currency {
        return Err(PurchaseError::QuoteOutdated("the currency"));
    }
    let is_same = hex::encode(quoted.package_sha256) == quote.package_sha256
        && hex::encode(quoted.w_matrix_sha256) == quote.w_matrix_sha256;
    if !is_same {
        return Err(PurchaseError::QuoteOutdated("the package"));
    }
    Ok(())
}

fn is_for(quote: &Quote, request: &PurchaseRequest) -> bool {
    quote.package_id == request.package && quote.package_type.as_str() == request.package_type
}

async fn find_quoted(
    conn: &mut PgConnection,
    package: PackageId,
    version: i64,
) -> Result<Option<Quoted>, sqlx::Error> {
    sqlx::query_as(
        "select package_object.sha256 as package_sha256, w_matrix_object.sha256 as w_matrix_sha256, license_mode
         from packages
         join listing_versions on package_id = packages.id
         join objects as package_object on package_object.key = package_key
         join objects as w_matrix_object on w_matrix_object.key = w_matrix_key
         where packages.id = $1
           and listing_versions.version = $2",
    )
    .bind(package)
    .bind(version)
    .fetch_optional(conn)
    .await
}
