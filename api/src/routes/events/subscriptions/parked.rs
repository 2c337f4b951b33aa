//! Events that no consumer acknowledged: listed, and handed out anew.

use axum::extract::State;
use common::events::subscriptions::{self, commands};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::name;
use super::view::ParkedSubscriptionEvent;
use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Caller, Path, Query};
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which parked events.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParkedEventQuery {
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of parked events, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParkedEventPage {
    events: Vec<ParkedSubscriptionEvent>,
    next_cursor: NextCursor,
}

/// Parked events that are handed out again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedParkedEvents {
    /// How many were put back.
    replayed: i64,
}

/// What is parked.
pub async fn list_parked_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
    Query(query): Query<ParkedEventQuery>,
) -> Result<Answer<ParkedEventPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let after = page::cursor(query.cursor.as_ref(), page::row::<i64>)?.unwrap_or_default();
    let found = subscriptions::find(state.pool(), principal.user, &name(&subscription)?).await?;
    let parked = subscriptions::list_parked(state.pool(), found.id, after, limit).await?;
    let next_cursor = page::next(&parked, limit, |parked| {
        parked.handed_out.acknowledgement.position
    });
    Ok(Answer::ok(ParkedEventPage {
        events: parked
            .iter()
            .map(|parked| ParkedSubscriptionEvent::new(parked, found.epoch))
            .collect(),
        next_cursor,
    }))
}

/// Puts what is parked back into its subscription.
pub async fn replay_parked_events(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(subscription): Path<String>,
) -> Result<Answer<ReplayedParkedEvents>, ApiError> {
    let name = name(&subscription)?;
    let replayed = commands::replay_parked(&state.outbox, principal.user, &name).await?;
    Ok(Answer::ok(ReplayedParkedEvents { replayed }))
}
