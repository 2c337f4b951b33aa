//! `PATCH /api/ai/packages/{packageId}`: the seller changes what is said of it. Terms are changed at the
//! listing; bytes and measurements stay.

use axum::extract::State;
use common::catalog::commands::{self, PackageChanges};
use common::catalog::{CatalogError, Category};
use common::ids::PackagePublicId;
use common::merge_patch::Patch;
use common::schema::inline_schema;
use schemars::JsonSchema;
use serde::Deserialize;

use super::show::{find, uncached};
use super::view::Package;
use crate::contract::Tried;
use crate::error::ApiError;
use crate::extract::{Caller, DryRun, IdempotencyHeader, IfMatch, Json, Path, set_or_keep};
use crate::state::ApiState;

/// A word to find a package by.
struct Tag;

inline_schema!(Tag, { "type": "string", "pattern": "^[a-z0-9-]{1,30}$", "examples": ["images"] });

/// What is to be said; what is left out stays.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "PackageChanges")]
pub struct Changes {
    /// The package's name.
    #[schemars(length(min = 3, max = 100))]
    name: Patch<String>,
    /// What it is for.
    #[schemars(length(min = 10, max = 1000))]
    description: Patch<String>,
    /// Null for none.
    #[schemars(with = "Option<Category>")]
    category: Patch<String>,
    /// At most ten words to find it by; null for none.
    #[schemars(with = "Option<Vec<Tag>>")]
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
) -> Result<Tried<Package>, ApiError> {
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
    if dry_run.0 {
        return Ok(Tried::DRY_RUN);
    }
    let package = find(&state, &id, Some(seller.user)).await?;
    Ok(Tried::Done(uncached(&package)))
}
