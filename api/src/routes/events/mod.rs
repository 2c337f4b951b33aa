//! `/api/ai/events`, `/api/ai/event-streams` and `/api/ai/event-subscriptions`: what happened, as it happens; streams of
//! clients' own; and positions that are kept for clients.

mod append;
mod log;
mod streams;
mod subscriptions;
mod tail;
mod view;

pub use append::append_events;
pub use log::read_events;
pub use streams::{
    StreamState, get_stream_state, list_event_streams, list_stream_events, version_from_one,
};
pub use subscriptions::{
    EventSubscription, acknowledge_events, create_event_subscription, delete_event_subscription,
    fetch_events, get_event_subscription, list_event_subscriptions, list_parked_events,
    release_events, replay_parked_events, seek_event_subscription,
};
pub use tail::stream_events;
