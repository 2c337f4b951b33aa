//! `GET /api/ai/listings`: the caller's own, page by page.

use axum::extract::State;
use common::catalog;
use common::ids::PackagePublicId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::view::Listing;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Query};
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which page of your listings.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ListingQuery {
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of listings, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListingPage {
    listings: Vec<Listing>,
    next_cursor: NextCursor,
}

/// A page, newest first, removed ones too.
pub async fn list_listings(
    State(state): State<ApiState>,
    Caller(caller): Caller,
    Query(query): Query<ListingQuery>,
) -> Result<Answer<ListingPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let before = page::cursor(query.cursor.as_ref(), |text| {
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
    let next_cursor = NextCursor::new(next);
    let listings = listings.iter();
    let shown = listings.map(|listing| Listing::seen_by(Some(caller.user), listing));
    Ok(Answer::ok(ListingPage {
        listings: shown.collect(),
        next_cursor,
    }))
}
