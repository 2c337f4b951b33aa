//! Subscriptions, and what consumers get and give back.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::events::log::LoggedEvent;
use crate::events::{Cursor, CursorError, TypeFilter};
use crate::ids::{EventSubscriptionId, UserId};
use crate::limits::EVENT_SUBSCRIPTION_NAME_BYTES_MAX;

/// The name that an owner gave a subscription.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct SubscriptionName(String);

impl SubscriptionName {
    /// Reads a name; the subscription need not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let is_name = text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.len() <= EVENT_SUBSCRIPTION_NAME_BYTES_MAX
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        is_name.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a subscription begins to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event that is kept.
    Earliest,
    /// With the next event that happens.
    Latest,
    After(Cursor),
}

impl FromStr for Start {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        match text {
            "earliest" => Ok(Self::Earliest),
            "latest" => Ok(Self::Latest),
            cursor => cursor.parse().map(Self::After),
        }
    }
}

/// A subscription to be.
#[derive(Debug)]
pub struct NewSubscription {
    pub owner: UserId,
    pub name: SubscriptionName,
    /// Empty for all types.
    pub types: Vec<TypeFilter>,
    /// Names of streams, or what follows the hyphen in them; empty for all streams.
    pub ids: Vec<String>,
    pub start: Start,
    pub ack_seconds: i32,
}

/// A subscription, and how far it has come.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Subscription {
    pub id: EventSubscriptionId,
    pub owner_id: UserId,
    pub name: SubscriptionName,
    pub types: Vec<String>,
    pub ids: Vec<String>,
    pub ack_seconds: i32,
    pub created_at: DateTime<Utc>,
    pub epoch: i32,
    pub position: i64,
    /// The oldest event that is not acknowledged, and its age; none if there is none.
    pub oldest: Option<i64>,
    pub oldest_age_seconds: Option<f64>,
    /// Events in the window that were never handed out.
    pub waiting: i64,
    /// Events of the owner after the position, as far as they are counted.
    pub unseen: i64,
    /// Events that were handed out and are not acknowledged.
    pub handed_out: i64,
    pub parked: i64,
}

impl Subscription {
    /// Up to where the log was looked at.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.epoch,
            position: self.position,
        }
    }

    /// Events that were never handed out. The filter may pass over some of them.
    pub fn behind(&self) -> i64 {
        self.waiting + self.unseen
    }
}

/// What a consumer says of an event that it was given, to acknowledge it or to give it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acknowledgement {
    pub position: i64,
    pub fence: i64,
}

impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.fence)
    }
}

impl Acknowledgement {
    /// Reads what a fetch answered.
    pub fn parse(text: &str) -> Option<Self> {
        let (position, fence) = text.split_once('.')?;
        let acknowledgement = Self {
            position: position.parse().ok()?,
            fence: fence.parse().ok()?,
        };
        let is_canonical = acknowledgement.position > 0
            && acknowledgement.fence > 0
            && acknowledgement.to_string() == text;
        is_canonical.then_some(acknowledgement)
    }
}

/// An event that a consumer is given.
#[derive(Debug, Clone)]
pub struct HandedOut {
    pub event: LoggedEvent,
    pub acknowledgement: Acknowledgement,
    /// How often it was handed out, this time included.
    pub attempt: i32,
}

/// What a fetch comes to.
#[derive(Debug)]
pub struct Batch {
    pub subscription: EventSubscriptionId,
    pub epoch: i32,
    /// In the order of the log.
    pub events: Vec<HandedOut>,
    /// Whether another fetch may find more at once.
    pub has_more: bool,
    /// When the next event that is handed out comes again, from now on.
    pub next_due: Option<Duration>,
}

/// An event that was handed out too often.
#[derive(Debug, Clone)]
pub struct ParkedEvent {
    pub handed_out: HandedOut,
    pub parked_at: DateTime<Utc>,
}

/// What became of acknowledgements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// How many were good, or had been good before.
    pub done: usize,
    /// Those that came too late: the event was handed out again, or will be.
    pub late: Vec<Acknowledgement>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_reads_back_and_nothing_else_does() {
        for (position, fence) in [(1, 1), (1024, 17), (i64::MAX, i64::MAX)] {
            let acknowledgement = Acknowledgement { position, fence };
            let read = Acknowledgement::parse(&acknowledgement.to_string());
            assert_eq!(read, Some(acknowledgement));
        }
        for text in [
            "", ".", "1", "1.", ".1", "0.1", "1.0", "-1.1", "01.1", "1.+1", "1.1.1",
        ] {
            assert_eq!(Acknowledgement::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_can_stand_in_an_address() {
        for text in ["a", "billing", "B-2_x.y", &"a".repeat(64)] {
            assert!(SubscriptionName::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            ".",
            "..",
            "-a",
            "_a",
            "a b",
            "a/b",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(SubscriptionName::parse(text).is_none(), "{text}");
        }
    }
}
