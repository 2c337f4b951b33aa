//! How long an answer may take, how large a request is, and what it takes a place of meanwhile.

use common::limits::{
    EVENT_STREAM_SECONDS_MAX, REQUEST_SECONDS_MAX, SMALL_BODY_BYTES_MAX,
    UPLOAD_REQUEST_SECONDS_MAX, WAIT_SECONDS_MAX, WEBHOOK_BODY_REQUEST_BYTES_MAX,
};

use crate::middleware::{Door, Takes};

/// The kinds of operations that are admitted alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It is answered at once.
    Quick,
    /// The same, with a larger body.
    Roomy,
    /// A client may wait for a change (`Prefer: wait`).
    Waiting,
    /// It goes on for as long as something changes.
    Streaming,
    /// It carries package data, which its handler reads as it arrives.
    Receiving,
    /// It is answered whatever else is under way.
    Always,
}

impl Pace {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Quick,
        Self::Roomy,
        Self::Waiting,
        Self::Streaming,
        Self::Receiving,
        Self::Always,
    ];

    /// How its requests are admitted.
    pub fn door(self) -> Door {
        let (seconds_max, takes) = match self {
            Self::Quick | Self::Roomy => (REQUEST_SECONDS_MAX, Takes::Request),
            Self::Waiting => (WAIT_SECONDS_MAX + 10, Takes::Wait),
            Self::Streaming => (EVENT_STREAM_SECONDS_MAX, Takes::Stream),
            Self::Receiving => (UPLOAD_REQUEST_SECONDS_MAX, Takes::Nothing),
            Self::Always => (REQUEST_SECONDS_MAX, Takes::Nothing),
        };
        let body_bytes_max = match self {
            Self::Receiving => None,
            Self::Roomy => Some(WEBHOOK_BODY_REQUEST_BYTES_MAX),
            _ => Some(SMALL_BODY_BYTES_MAX),
        };
        Door {
            seconds_max,
            body_bytes_max,
            takes,
        }
    }
}
