//! `/api/ai/event-subscriptions`: the event log for consumers that cannot be called, with their position kept here.

mod body;
mod consume;
mod manage;
mod parked;
mod view;

use common::events::subscriptions::{SubscriptionError, SubscriptionName};

use crate::error::ApiError;

pub use consume::{acknowledge_events, fetch_events, release_events};
pub use manage::{
    create_event_subscription, delete_event_subscription, get_event_subscription,
    list_event_subscriptions, seek_event_subscription,
};
pub use parked::{list_parked_events, replay_parked_events};
pub use view::EventSubscription;

/// The name in a path. What is no name is the name of no subscription.
fn name(text: &str) -> Result<SubscriptionName, ApiError> {
    SubscriptionName::parse(text).ok_or_else(|| SubscriptionError::NotFound.into())
}
