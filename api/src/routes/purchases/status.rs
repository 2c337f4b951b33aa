//! `GET /api/ai/purchases/{purchaseId}` and `…/events`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use common::ids::PurchaseId;
use common::purchases;

use super::view;
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait};
use crate::follow::Follower;
use crate::state::ApiState;

/// Answers the purchase to its buyer; see [`Follower::answer`] for `Prefer: wait` and entity tags.
pub async fn get_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    headers: HeaderMap,
    Path(purchase_id): Path<String>,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, PurchaseId::parse(&purchase_id), principal.user);
    Follower::new(&state, purchases::CHANGED, purchase_id, find)
        .answer(wait, &headers)
        .await
}

/// Sends the purchase whenever it changes, as server-sent events, until it has ended.
pub async fn stream_purchase(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    headers: HeaderMap,
    Path(purchase_id): Path<String>,
) -> Result<Response, ApiError> {
    let find = view::finder(&state, PurchaseId::parse(&purchase_id), principal.user);
    Follower::new(&state, purchases::CHANGED, purchase_id, find)
        .stream(&headers)
        .await
}
