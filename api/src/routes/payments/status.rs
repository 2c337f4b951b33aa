//! `GET /api/ai/credits/top-ups/{topUpId}` and the list of them.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use common::ids::PaymentId;
use common::payments;
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::{self, TopUp, TopUpPage};
use crate::contract::{Answer, Cacheable};
use crate::error::ApiError;
use crate::extract::{Caller, Path, PreferWait, Query};
use crate::follow::Follower;
use crate::routes::page::{self, LongLimit, PageCursor};
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
) -> Result<Cacheable<TopUp>, ApiError> {
    let find = view::finder(&state, PaymentId::parse(&top_up_id), principal.user);
    Follower::new(&state, Some(&principal), payments::CHANGED, top_up_id, find)
        .answer(version, wait, &headers)
        .await
}

/// A page.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PageQuery {
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// A page of the caller's top-ups, newest first.
pub async fn list_top_ups(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<PageQuery>,
) -> Result<Answer<TopUpPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let before = page::cursor(query.cursor.as_ref(), PaymentId::parse)?;
    let found = payments::list_top_ups(state.pool(), principal.user, before, limit).await?;
    Ok(Answer::ok(TopUpPage {
        next_cursor: page::next(&found, limit, |payment| payment.id),
        top_ups: found.iter().map(TopUp::from).collect(),
    }))
}
