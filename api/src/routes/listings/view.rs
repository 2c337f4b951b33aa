//! A listing on the wire.
//!
//! Its entity tag begins with the version of its terms, for `If-Match`. What is left of the supply moves
//! without that, so an answer is never served from a cache.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use common::catalog::Listing;
use common::ids::UserId;
use common::money::decimal_number;
use serde_json::{Value, json};

use crate::entity_tag::Tagged;
use crate::routes::success;

/// One listing with its tag.
pub fn answer(listing: &Listing, viewer: Option<UserId>) -> Response {
    let mut response = success(StatusCode::OK, body(listing, viewer));
    response
        .extensions_mut()
        .insert(Tagged::at(listing.version));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The body of a listing; its seller also sees where the seller is told of sales.
pub fn body(listing: &Listing, viewer: Option<UserId>) -> Value {
    let mut body = json!({
        "packageId": listing.package_public_id,
        "packageType": listing.package_type,
        "name": listing.name,
        "packageSha256": listing.package_sha256,
        "wMatrixSha256": listing.w_matrix_sha256,
        "price": decimal_number(listing.price_minor),
        "priceMinor": listing.price_minor,
        "currency": listing.currency,
        "licenseMode": listing.license_mode,
        "supply": listing.supply,
        "remaining": listing.remaining(),
        "soldOut": listing.is_sold_out(),
        "status": listing.standing(),
        "version": listing.version,
        "createdAt": listing.created_at,
        "updatedAt": listing.updated_at,
    });
    if viewer == Some(listing.seller_id) {
        body["webhookUrl"] = json!(listing.webhook_url);
        body["takenDownBecause"] = json!(listing.taken_down_because);
    }
    body
}
