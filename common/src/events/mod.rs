//! The event log: what happened, in streams, with one order for all who read it.
//!
//! ```text
//!  append_in_tx ──commit──▶ scheduler: number_next ──▶ Tail of each API process ──▶ long polls, event streams
//!                                                  ├─▶ Consumer in a worker: reacts, and keeps its position
//!                                                  └─▶ [`subscriptions`]: a client reacts, and its position is kept
//! ```
//!
//! An event is the next version of its stream, written in the transaction in which it happened. Its data is a merge
//! patch: the state of a stream is the fold of its events ([`replay`]), and what the rows say is compared with it
//! ([`verify`]). Its position in the log comes after the commit (`migrations/0044_event_log.sql` says why), so that a
//! reader who remembers a position misses nothing.

mod append;
mod cause;
mod consume;
mod cursor;
mod filter;
mod log;
mod number;
mod replay;
mod stream;
pub mod subscriptions;
mod tail;
mod verify;

pub use append::{
    AppendError, Appended, Expected, NewEvent, append_expecting_in_tx, append_for_in_tx,
    append_in_tx,
};
pub use cause::caused_by;
pub use consume::{Consumer, Reaction, consume_next};
pub use cursor::{Cursor, CursorError};
pub use filter::{FILTER_BYTES_MAX, FILTERS_MAX, FilterError, TypeFilter};
pub use log::{
    Direction, HistoryEvent, LoggedEvent, StreamEvent, find_first, list_history, list_stream,
};
pub use number::{NUMBERED, Round, number_next, observe};
pub use replay::{ReplayError, Replayed, fold, make_snapshots, replay};
pub use stream::{
    Category, NewStream, STREAM_NAME_PATTERN, StreamNameError, StreamRow, find_id, find_visible,
    list_own, open_in_tx, open_own_in_tx, parse_name, prune_feed, prune_streams,
};
pub use tail::{Filter, Listener, Page, Tail, TailError};
pub use verify::{Difference, verify};

/// The topic that is announced when events have been committed.
pub const APPENDED: &str = "events-appended";
