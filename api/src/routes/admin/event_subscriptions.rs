//! `/admin/event-subscriptions`: whose consumers are behind.

use common::events::subscriptions::{self, Subscription};
use common::ids::{EventSubscriptionId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use axum::extract::State;

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::Query;
use crate::routes::events::EventSubscription;
use crate::routes::page::{self, NextCursor, PageCursor, ShortLimit};
use crate::state::ApiState;

/// Which subscriptions.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AllEventSubscriptionsQuery {
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// A page of subscriptions, the one that is furthest behind first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllEventSubscriptionsPage {
    subscriptions: Vec<OwnedEventSubscription>,
    next_cursor: NextCursor,
}

/// A subscription, and whose it is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnedEventSubscription {
    /// The owner.
    user_id: UserId,
    #[serde(flatten)]
    subscription: EventSubscription,
}

impl From<&Subscription> for OwnedEventSubscription {
    fn from(row: &Subscription) -> Self {
        Self {
            user_id: row.owner_id,
            subscription: row.into(),
        }
    }
}

/// Everybody's subscriptions, those first whose oldest event that is not acknowledged is the oldest.
pub async fn list_all_event_subscriptions(
    State(state): State<ApiState>,
    Query(query): Query<AllEventSubscriptionsQuery>,
) -> Result<Answer<AllEventSubscriptionsPage>, ApiError> {
    let limit = page::rows(query.limit)?;
    let after = page::cursor(query.cursor.as_ref(), place)?;
    let found = subscriptions::list_most_behind(state.pool(), after, limit).await?;
    let next_cursor = page::next(&found, limit, |row| {
        format!("{}.{}", row.oldest.unwrap_or(i64::MAX), row.id)
    });
    Ok(Answer::ok(AllEventSubscriptionsPage {
        subscriptions: found.iter().map(OwnedEventSubscription::from).collect(),
        next_cursor,
    }))
}

/// The place of a row in this order: its oldest event, and its id.
fn place(text: &str) -> Option<(i64, EventSubscriptionId)> {
    let (oldest, id) = text.split_once('.')?;
    Some((oldest.parse().ok()?, id.parse().ok()?))
}
