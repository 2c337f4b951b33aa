//! `GET /api/ai/packages/{packageId}`, its versions, and the page that webhooks name.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use common::catalog::{self, CatalogError, Details, PackageVersion};
use common::ids::{PackagePublicId, UserId};
use schemars::JsonSchema;
use serde::Serialize;

use super::cached::Found;
use super::view::Package;
use crate::contract::{Answer, Ready};
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path};
use crate::negotiation::prefers_json;
use crate::state::ApiState;

/// Answers a package. A draft and one that was removed are there for their seller alone.
pub async fn get_package(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
) -> Result<Ready<Package>, ApiError> {
    let viewer = caller.map(|caller| caller.user);
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let make = async {
        let details = find(&state, &id, None).await?;
        Ok(Found {
            data: Package::from(&details),
            next: None,
            version: Some(details.more.details_version),
            is_empty: false,
        })
    };
    let shown = state.cached(&format!("package/{id}"), make).await;
    if shown.is_ok() {
        state.counts.view(&id);
    }
    match (shown, viewer) {
        // What nobody may see its seller may.
        (Err(error), Some(viewer)) if error.code == crate::error::Code::NotFound => {
            let details = find(&state, &id, Some(viewer)).await?;
            Ok(Ready::new(uncached(&details)))
        }
        (shown, _) => shown,
    }
}

/// A package as it is now.
pub fn uncached(details: &Details) -> Answer<Package> {
    let no_store = HeaderValue::from_static("private, no-store");
    Answer::ok(Package::from(details))
        .tagged(Tagged::at(details.more.details_version))
        .header(header::CACHE_CONTROL, no_store)
}

/// A package that this user may see.
pub async fn find(
    state: &ApiState,
    id: &PackagePublicId,
    viewer: Option<UserId>,
) -> Result<Details, ApiError> {
    let found = catalog::find_details(state.pool(), id).await?;
    let visible = found.filter(|details| details.is_visible_to(viewer));
    Ok(visible.ok_or(CatalogError::Unknown("package"))?)
}

/// The versions of a package that the caller may see, newest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackageVersions {
    versions: Vec<PackageVersion>,
}

/// Lists the versions of a package, the newest first.
pub async fn list_versions(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
) -> Result<Answer<PackageVersions>, ApiError> {
    let viewer = caller.map(|caller| caller.user);
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let details = find(&state, &id, viewer).await?;
    let versions = catalog::list_versions(state.pool(), details.more.line_id, viewer).await?;
    Ok(Answer::ok(PackageVersions { versions }))
}

/// `GET /packages/{packageId}`: leads to the package, if it is to be seen.
pub async fn follow_package_page(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let found = find(&state, &id, None).await?;
    if prefers_json(&headers) {
        state.counts.view(&id);
        return Ok(uncached(&found).into_response());
    }
    Ok(Redirect::to(&format!("/api/ai/packages/{id}")).into_response())
}
