//! `GET /api/ai/credits/top-ups/{topUpId}` and the list of them.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use common::ids::PaymentId;
use common::payments;
use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait, Query};
use crate::follow::Follower;
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// Answers the top-up to its payer; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_top_up(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    Path(top_up_id): Path<String>,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, PaymentId::parse(&top_up_id), principal.user);
    Follower::new(&state, Some(&principal), payments::CHANGED, top_up_id, find)
        .answer(version, wait, &headers)
        .await
}

/// A page.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    cursor: Option<String>,
    limit: Option<i64>,
}

/// A page of the caller's top-ups, newest first.
pub async fn list_top_ups(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Response, ApiError> {
    let limit = Pages::LONG.limit(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), PaymentId::parse)?;
    let found = payments::list_top_ups(state.pool(), principal.user, before, limit).await?;
    let next = page::next(&found, limit, |payment| payment.id);
    let top_ups: Vec<_> = found.iter().map(view::body).collect();
    Ok(success(
        StatusCode::OK,
        json!({ "topUps": top_ups, "nextCursor": next }),
    ))
}
