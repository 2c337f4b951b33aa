//! `GET /api/ai/listings/{packageId}`: the terms of a package, for everybody.

use axum::extract::State;
use common::catalog::{self, CatalogError};
use common::ids::PackagePublicId;

use super::view::{Listing, answer};
use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path};
use crate::state::ApiState;

/// Answers a listing. One that was removed is there for its seller alone.
pub async fn get_listing(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
) -> Result<Cacheable<Listing>, ApiError> {
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::NotFound)?;
    let viewer = caller.map(|caller| caller.user);
    let listing = catalog::find_listing(state.pool(), &id)
        .await?
        .filter(|listing| listing.is_visible_to(viewer))
        .ok_or(CatalogError::NotFound)?;
    Ok(Cacheable(answer(&listing, viewer)))
}
