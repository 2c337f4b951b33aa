//! `GET /api/ai/purchases/{purchaseId}` and `…/events`.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use common::purchases;

use super::view::{self, Purchase};
use crate::contract::Cacheable;
use crate::error::ApiError;
use crate::extract::{Caller, PreferWait, PurchasePath};
use crate::follow::Follower;
use crate::state::ApiState;
use crate::version::ApiVersion;

/// Answers the purchase to its buyer; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    PurchasePath(id): PurchasePath,
) -> Result<Cacheable<Purchase>, ApiError> {
    let find = view::finder(&state, Some(id), principal.user);
    Follower::new(
        &state,
        Some(&principal),
        purchases::CHANGED,
        id.to_string(),
        find,
    )
    .answer(version, wait, &headers)
    .await
}

/// Sends the purchase whenever it changes, as server-sent events, until it has ended.
pub async fn stream_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(version): Extension<ApiVersion>,
    headers: HeaderMap,
    PurchasePath(id): PurchasePath,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, Some(id), principal.user);
    Follower::new(
        &state,
        Some(&principal),
        purchases::CHANGED,
        id.to_string(),
        find,
    )
    .stream(&headers, version)
    .await
}
