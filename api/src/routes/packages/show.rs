//! `GET /api/ai/packages/{packageId}`, its versions, and the page that webhooks name.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use common::catalog::{self, CatalogError, Details};
use common::ids::{PackagePublicId, UserId};
use serde_json::json;

use super::cached::Answer;
use super::view;
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::extract::{MaybeCaller, Path};
use crate::negotiation::prefers_json;
use crate::routes::success;
use crate::state::ApiState;

/// Answers a package. A draft and one that was removed are there for their seller alone.
pub async fn get_package(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    let viewer = caller.map(|caller| caller.user);
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let make = async {
        let details = find(&state, &id, None).await?;
        Ok(Answer {
            data: view::details(&details),
            next: None,
            version: Some(details.more.details_version),
        })
    };
    let shown = state.cached(&format!("package/{id}"), make).await;
    match (shown, viewer) {
        // What nobody may see its seller may.
        (Err(error), Some(viewer)) if error.code == crate::error::Code::NotFound => {
            let details = find(&state, &id, Some(viewer)).await?;
            Ok(uncached(&details))
        }
        (shown, _) => shown,
    }
}

/// A package as it is now.
pub fn uncached(details: &Details) -> Response {
    let mut response = success(StatusCode::OK, view::details(details));
    let version = details.more.details_version;
    response.extensions_mut().insert(Tagged::at(version));
    response.headers_mut().insert(
        axum::http::header::CACHE_CONTROL,
        axum::http::HeaderValue::from_static("private, no-store"),
    );
    response
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

/// Lists the versions of a package, the newest first.
pub async fn list_versions(
    State(state): State<ApiState>,
    MaybeCaller(caller): MaybeCaller,
    Path(package_id): Path<String>,
) -> Result<Response, ApiError> {
    let viewer = caller.map(|caller| caller.user);
    let id = PackagePublicId::parse(&package_id).ok_or(CatalogError::Unknown("package"))?;
    let details = find(&state, &id, viewer).await?;
    let versions = catalog::list_versions(state.pool(), details.more.line_id, viewer).await?;
    Ok(success(StatusCode::OK, json!({ "versions": versions })))
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
        return Ok(uncached(&found));
    }
    Ok(Redirect::to(&format!("/api/ai/packages/{id}")).into_response())
}
