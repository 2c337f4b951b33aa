//! `PATCH /api/ai/packages/{packageId}`: the seller changes what is said of it. Terms are changed at the
//! listing; bytes and measurements stay.

use axum::extract::State;
use axum::response::Response;
use common::catalog::CatalogError;
use common::catalog::commands::{self, PackageChanges};
use common::ids::PackagePublicId;
use serde::{Deserialize, Deserializer};

use super::show::{find, uncached};
use crate::error::{ApiError, Code};
use crate::extract::{Caller, DryRun, IdempotencyHeader, IfMatch, Json, Path};
use crate::state::ApiState;

/// What is to be said; what is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Changes {
    name: Option<String>,
    description: Option<String>,
    /// `null` takes it away.
    #[serde(deserialize_with = "there")]
    category: Option<Option<String>>,
    tags: Option<Vec<String>>,
}

fn there<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(value).map(Some)
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
    let changes = PackageChanges {
        name: changes.name,
        description: changes.description,
        category: changes.category,
        tags: changes.tags,
    };
    if changes == PackageChanges::default() {
        let message = "Say what to change: name, description, category, tags.";
        return Err(ApiError::new(Code::InvalidInput, message));
    }
    let key = idempotency.scoped(&seller, "packages");
    let (outbox, seen) = (&dry_run.outbox(&state), if_match.as_deref());
    commands::change_package(outbox, seller.user, &id, seen, &changes, key.as_ref()).await?;
    if let Some(answer) = dry_run.went_well() {
        return Ok(answer);
    }
    Ok(uncached(&find(&state, &id, Some(seller.user)).await?))
}
