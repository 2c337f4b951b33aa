//! `PATCH /api/ai/listings/{packageId}`: the seller changes the terms.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::Response;
use common::catalog::CatalogError;
use common::catalog::commands::{self, Change};
use common::ids::PackagePublicId;

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, IdempotencyHeader, IfMatch, Path};
use crate::middleware::RequestId;
use crate::receive::listing_changes;
use crate::state::ApiState;

const ENDPOINT: &str = "listings";

/// Changes what the body names, if the listing is at a version that the caller has seen.
pub async fn change_listing(
    State(state): State<ApiState>,
    (Caller(seller), dry_run): (Caller, DryRun),
    idempotency: IdempotencyHeader,
    if_match: Result<IfMatch, ApiError>,
    axum::Extension(RequestId(request_id)): axum::Extension<RequestId>,
    Path(package_id): Path<String>,
    body: Bytes,
) -> Result<Response, ApiError> {
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
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    let mut response = view::answer(&changed.listing, Some(seller.user));
    if changed.is_replay {
        response
            .headers_mut()
            .insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}
