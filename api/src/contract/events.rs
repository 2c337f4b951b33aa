//! The event log, and streams of clients' own.

use common::identity::Permission::Events;
use common::limits::{
    APPENDED_EVENTS_MAX, EVENT_FEED_KEPT, EVENT_STREAM_SECONDS_MAX, SNAPSHOT_EVERY,
};

use super::operation::{Operation, get, post};
use crate::access::Access::{May, SignedIn};
use crate::routes::events;

pub fn operations() -> Vec<Operation> {
    let rows = [log(), streams()].into_iter().flatten();
    rows.map(|row| row.tagged("event log")).collect()
}

fn log() -> Vec<Operation> {
    vec![
        get("/api/ai/events", events::read_events, SignedIn, "Read the event log")
            .about(format!(
                "What happened to your uploads, packages, purchases, sales, tasks, disputes, payouts and streams, in one order. Remember \
                 `nextCursor`: what is read from there on is complete, also if your connection breaks. Events can be read for {} days; an \
                 older cursor answers 410 with `details.earliest`.",
                EVENT_FEED_KEPT.as_secs() / 86_400
            ))
            .waiting()
            .gives(200, "Events, oldest first.")
            .faults(&[410]),
        get("/api/ai/events/stream", events::stream_events, SignedIn, "Follow the event log as a stream of events")
            .about(format!(
                "The id of each event is a cursor: a client that comes back with `Last-Event-ID` misses nothing and gets nothing twice. \
                 An event `checkpoint` says that there was nothing for you up to its id. A stream ends after {EVENT_STREAM_SECONDS_MAX} seconds; connect again.",
            ))
            .header("Last-Event-ID")
            .streaming()
            .faults(&[410]),
    ]
}

fn streams() -> Vec<Operation> {
    vec![
        post("/api/ai/event-streams/{stream}/events", events::append_events, May(Events), "Append events to a stream")
            .about(format!(
                "Up to {APPENDED_EVENTS_MAX}, all or none. With `expectedVersion` they are appended if the stream has that version; else 409 says \
                 which it has. The first event opens the stream. A snapshot of its state is kept every {SNAPSHOT_EVERY} events."
            ))
            .replayed()
            .gives(201, "The events are in the stream."),
        get("/api/ai/event-streams", events::list_event_streams, May(Events), "List your event streams")
            .gives(200, "A page, by name."),
        get("/api/ai/event-streams/{stream}/events", events::list_stream_events, SignedIn, "Read a stream")
            .about("Streams of your own, and those of your uploads, purchases and so on, such as `purchase-pur_…`.")
            .gives(200, "Its events.")
            .faults(&[404]),
        get("/api/ai/event-streams/{stream}/state", events::get_stream_state, May(Events), "Replay a stream")
            .about("From the newest snapshot that is not younger than the version, and the events after it.")
            .gives(200, "The state.")
            .faults(&[404, 410]),
    ]
}
