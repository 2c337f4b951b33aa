//! `PATCH /api/ai/listings/{packageId}`: the seller changes the terms.

use axum::body::Bytes;
use axum::extract::State;
use common::catalog::commands::{self, Change};
use common::catalog::{CatalogError, LicenseMode};
use common::ids::PackagePublicId;
use schemars::JsonSchema;

use super::view::{Listing, answer};
use crate::contract::Tried;
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, IdempotencyHeader, IfMatch, Path};
use crate::middleware::RequestId;
use crate::receive::listing_changes;
use crate::state::ApiState;

const ENDPOINT: &str = "listings";

/// The terms to change, for the document. The body is read by `receive`, which names every fault at once.
#[derive(JsonSchema)]
#[schemars(
    rename_all = "camelCase",
    deny_unknown_fields,
    rename = "ListingChanges"
)]
#[expect(dead_code, reason = "only its schema is used")]
pub struct ListingChanges {
    /// The price, with at most two decimals.
    #[schemars(default, range(min = 0.0), extend("type" = "number"))]
    price: Option<f64>,
    #[schemars(default)]
    license_mode: Option<LicenseMode>,
    /// How many may buy it in all, if the license is `limited`.
    #[schemars(default, range(min = 1))]
    supply: Option<i64>,
    #[schemars(default)]
    status: Option<SettableStatus>,
    /// The address that gets its events; null for none.
    #[schemars(default, url)]
    webhook_url: Option<String>,
}

/// Whether a package is for sale.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", rename = "ListingStatusRequest")]
#[expect(dead_code, reason = "only its schema is used")]
enum SettableStatus {
    /// You alone see it.
    Draft,
    Active,
    /// It is shown, and not for sale.
    Paused,
    /// You alone see it, for good.
    Removed,
}

/// Changes what the body names, if the listing is at a version that the caller has seen.
pub async fn change_listing(
    State(state): State<ApiState>,
    (Caller(seller), dry_run): (Caller, DryRun),
    idempotency: IdempotencyHeader,
    if_match: Result<IfMatch, ApiError>,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    Path(package_id): Path<String>,
    body: Bytes,
) -> Result<Tried<Listing>, ApiError> {
    let package = PackagePublicId::parse(&package_id).ok_or(CatalogError::NotFound)?;
    let IfMatch(if_match) = if_match?;
    let changes = listing_changes(&body, &state.webhook_policy)?;
    let key = idempotency.scoped(&seller, ENDPOINT);
    let changed = commands::change_listing(
        &dry_run.outbox(&state),
        &Change {
            seller: &seller,
            package: &package,
            if_match: if_match.as_deref(),
            changes: &changes,
            key: key.as_ref(),
            request_id: &request_id,
        },
    )
    .await?;
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let answer = answer(&changed.listing, Some(seller.user));
    Ok(Tried::Done(answer.replayed_if(changed.is_replay)))
}
