//! `GET /api/ai/listings`: the caller's own, page by page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog;
use common::ids::PackagePublicId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListingQuery {
    cursor: Option<String>,
    limit: Option<i64>,
}

/// A page, newest first, removed ones too.
pub async fn list_listings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<ListingQuery>,
) -> Result<Response, ApiError> {
    let limit = Pages::LONG.limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), |text| {
        PackagePublicId::parse(text)?.row()
    })?;
    // One more than is shown says whether there is another page.
    let mut listings = catalog::list_listings(state.pool(), caller.user, before, limit + 1).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = listings.len() > shown;
    listings.truncate(shown);
    let next = listings
        .last()
        .filter(|_| has_more)
        .map(|listing| &listing.package_public_id);
    let bodies: Vec<Value> = listings
        .iter()
        .map(|listing| view::body(listing, Some(caller.user)))
        .collect();
    Ok(success(
        StatusCode::OK,
        json!({ "listings": bodies, "nextCursor": next }),
    ))
}
