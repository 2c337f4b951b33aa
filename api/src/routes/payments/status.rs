//! `GET /api/ai/credits/top-ups/{topUpId}` and the list of them.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use common::ids::PaymentId;
use common::limits::PAGE_ROWS_MAX;
use common::payments;
use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait, Query};
use crate::follow::Follower;
use crate::routes::success;
use crate::state::ApiState;

/// Rows of a page, if the client does not say.
const PAGE_ROWS: i64 = 50;

/// Answers the top-up to its payer; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_top_up(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    headers: HeaderMap,
    Path(top_up_id): Path<String>,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, PaymentId::parse(&top_up_id), principal.user);
    Follower::new(&state, Some(&principal), payments::CHANGED, top_up_id, find)
        .answer(wait, &headers)
        .await
}

/// A page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    before: Option<PaymentId>,
    limit: Option<i64>,
}

/// The caller's top-ups, newest first; `next` goes into `before` for the following page.
pub async fn list_top_ups(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(page): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let limit = page.limit.unwrap_or(PAGE_ROWS).clamp(1, PAGE_ROWS_MAX);
    let found = payments::list_top_ups(state.pool(), principal.user, page.before, limit).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == limit);
    let next = found.last().filter(|_| is_full).map(|payment| payment.id);
    let top_ups: Vec<_> = found.iter().map(view::body).collect();
    Ok(success(
        StatusCode::OK,
        json!({ "topUps": top_ups, "next": next }),
    ))
}
