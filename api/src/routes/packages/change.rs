//! `PATCH /api/ai/packages/{packageId}`: the seller changes what is said of it. Terms are changed at the
//! listing; bytes and measurements stay.

use axum::extract::State;
use axum::response::Response;
use common::catalog::CatalogError;
use common::catalog::commands::{self, PackageChanges};
use common::ids::PackagePublicId;
use common::merge_patch::Patch;
use serde::Deserialize;

use super::show::{find, uncached};
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, IdempotencyHeader, IfMatch, Json, Path, set_or_keep};
use crate::state::ApiState;

/// What is to be said; what is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    name: Patch<String>,
    description: Patch<String>,
    /// `null` takes it away.
    category: Patch<String>,
    /// `null` takes all of them away.
    tags: Patch<Vec<String>>,
}

/// Changes the package, if it is at a version that the caller has seen.
pub async fn change_package(
    State(state): State<ApiState>,
    Caller(seller): Caller,
    dry_run: DryRun,
    idempotency: IdempotencyHeader,
    if_match: Result<IfMatch, ApiError>,
    Path(package_id): Path<String>,
    Json(changes): Json<Changes>,
) -> Result<Response, ApiError> {
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let IfMatch(if_match) = if_match?;
    let mut faults = Vec::new();
    let changes = PackageChanges {
        name: set_or_keep(changes.name, "name", &mut faults),
        description: set_or_keep(changes.description, "description", &mut faults),
        category: changes.category,
        tags: changes.tags,
    };
    if !faults.is_empty() {
        return Err(ApiError::fields(&faults));
    }
    let key = idempotency.scoped(&seller, "packages");
    let (outbox, seen) = (&dry_run.outbox(&state), if_match.as_deref());
    commands::change_package(outbox, seller.user, &id, seen, &changes, key.as_ref()).await?;
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    Ok(uncached(&find(&state, &id, Some(seller.user)).await?))
}
