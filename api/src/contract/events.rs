//! The event log, streams of clients' own, and subscriptions.

use common::identity::Permission::Events;
use common::limits::{
    APPENDED_EVENTS_MAX, EVENT_FEED_KEPT, EVENT_STREAM_SECONDS_MAX, EVENT_SUBSCRIPTIONS_MAX,
    PARKED_REPLAYED_MAX, SNAPSHOT_EVERY, SUBSCRIPTION_ATTEMPTS_MAX,
};

use super::operation::{Operation, delete, get, post};
use crate::access::Access::{May, SignedIn};
use crate::routes::events;

pub fn operations() -> Vec<Operation> {
    let rows = [log(), streams(), subscriptions(), consumers()]
        .into_iter()
        .flatten();
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

fn subscriptions() -> Vec<Operation> {
    vec![
        post("/api/ai/event-subscriptions", events::create_event_subscription, May(Events), "Create an event subscription")
            .about(format!(
                "For consumers that cannot take webhooks: the position is kept here, and several consumers may share it. An account has at \
                 most {EVENT_SUBSCRIPTIONS_MAX}. A subscription that exists is answered as it is; 409 if its types, ids or `ackSeconds` differ."
            ))
            .gives(201, "The subscription.")
            .gives(200, "The subscription, which existed.")
            .faults(&[409, 410]),
        get("/api/ai/event-subscriptions", events::list_event_subscriptions, May(Events), "List your event subscriptions")
            .gives(200, "All of them, by name."),
        get("/api/ai/event-subscriptions/{subscription}", events::get_event_subscription, May(Events), "Get an event subscription with its lag")
            .gives(200, "The subscription.")
            .faults(&[404]),
        delete("/api/ai/event-subscriptions/{subscription}", events::delete_event_subscription, May(Events), "Delete an event subscription")
            .about("Its parked events are gone with it.")
            .empty(204, "It is deleted.")
            .faults(&[404]),
        post("/api/ai/event-subscriptions/{subscription}/seek", events::seek_event_subscription, May(Events), "Move an event subscription")
            .about(
                "What it holds is dropped, but for parked events before the new place. Acknowledgements of events that were fetched before \
                 are late.",
            )
            .gives(200, "The subscription.")
            .faults(&[404, 410]),
    ]
}

fn consumers() -> Vec<Operation> {
    vec![
        post("/api/ai/event-subscriptions/{subscription}/fetch", events::fetch_events, May(Events), "Fetch events of a subscription")
            .about(format!(
                "An event is yours for `ackSeconds`; then it comes again, to whoever fetches. A stream is with one consumer at a time, in \
                 its order. After {SUBSCRIPTION_ATTEMPTS_MAX} attempts an event is parked. 410 if events after the position are no longer \
                 kept: move the subscription, to `details.earliest` or elsewhere."
            ))
            .waiting()
            .gives(200, "Events, oldest first; none if none came in time.")
            .faults(&[404, 410]),
        post("/api/ai/event-subscriptions/{subscription}/acknowledge", events::acknowledge_events, May(Events), "Acknowledge events")
            .about("They do not come again. To acknowledge an event twice changes nothing; to acknowledge a parked event discards it.")
            .gives(200, "How many are acknowledged, and which came too late.")
            .faults(&[404]),
        post("/api/ai/event-subscriptions/{subscription}/release", events::release_events, May(Events), "Give events back")
            .about("They come again before their deadline. The attempt counts.")
            .gives(200, "How many were given back, and which were not yours any more.")
            .faults(&[404]),
        get("/api/ai/event-subscriptions/{subscription}/parked", events::list_parked_events, May(Events), "List parked events")
            .gives(200, "A page, oldest first.")
            .faults(&[404]),
        post("/api/ai/event-subscriptions/{subscription}/parked/replay", events::replay_parked_events, May(Events), "Replay parked events")
            .about(format!("The oldest {PARKED_REPLAYED_MAX}. Their attempts begin anew; the position of the subscription does not move."))
            .gives(200, "How many were put back.")
            .faults(&[404]),
    ]
}
