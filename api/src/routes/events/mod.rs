//! `/api/ai/events` and `/api/ai/event-streams`: what happened, as it happens, and streams of clients' own.

mod append;
mod log;
mod streams;
mod tail;
mod view;

pub use append::append_events;
pub use log::read_events;
pub use streams::{get_stream_state, list_event_streams, list_stream_events, version_from_one};
pub use tail::stream_events;
