//! `GET /api/ai/listings`: the caller's own, page by page.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::catalog;
use common::ids::PackagePublicId;
use common::limits::PAGE_ROWS_MAX;
use serde::Deserialize;
use serde_json::{Value, json};

use super::view;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Query};
use crate::routes::success;
use crate::state::ApiState;

/// Rows of a page of which nothing is said.
const PAGE_ROWS: i64 = 50;

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListingQuery {
    before: Option<String>,
    limit: Option<i64>,
}

/// Newest first, removed ones too; `next` goes into `before` for the following page.
pub async fn list_listings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<ListingQuery>,
) -> Result<Response, ApiError> {
    let limit = query.limit.unwrap_or(PAGE_ROWS);
    if !(1..=PAGE_ROWS_MAX).contains(&limit) {
        return Err(faulty(
            "limit",
            format!("must be from 1 to {PAGE_ROWS_MAX}"),
        ));
    }
    let before = match query.before {
        None => None,
        Some(text) => {
            let row = PackagePublicId::parse(&text).and_then(|id| id.row());
            let message = "must be the next of an earlier page";
            Some(row.ok_or_else(|| faulty("before", message.to_owned()))?)
        }
    };
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
        json!({ "listings": bodies, "next": next }),
    ))
}

fn faulty(field: &str, message: String) -> ApiError {
    ApiError::new(Code::InvalidInput, format!("{field} {message}.")).field(field, message)
}
