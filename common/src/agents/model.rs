//! Rows and values of agents.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::Profile;
use crate::ids::UserId;
use crate::limits::AGENT_ID_CHARS_MAX;
use crate::schema::inline_schema;

/// The id that an owner gave an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct AgentId(String);

inline_schema!(AgentId, {
    "type": "string",
    "description": "The id of an agent: letters, digits, `_` and `-`.",
    "pattern": "^[a-zA-Z0-9_-]{1,64}$",
    "examples": ["vision-broker"],
});

impl AgentId {
    /// Reads an id; the agent need not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound = (1..=AGENT_ID_CHARS_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        is_sound.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "must be 1 to {AGENT_ID_CHARS_MAX} letters, digits, _ and -"
            ))
        })
    }
}

/// Whether an agent takes tasks, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "AgentAvailability")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Availability {
    Online,
    Busy,
    Offline,
    Maintenance,
}

impl fmt::Display for Availability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Online => "online",
            Self::Busy => "busy",
            Self::Offline => "offline",
            Self::Maintenance => "maintenance",
        })
    }
}

/// Whether an agent lives, as its heartbeats say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "AgentPresence")]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Its last heartbeat is fresh.
    Online,
    /// It missed one.
    Offline,
    /// Redis is away.
    Unknown,
}

/// An agent.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Agent {
    pub agent_id: AgentId,
    pub owner_id: UserId,
    #[sqlx(flatten)]
    pub profile: Profile,
    pub version: i64,
    pub registered_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub seen_at: DateTime<Utc>,
    #[sqlx(flatten)]
    pub figures: Figures,
}

/// What the tasks of an agent say of it.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Figures {
    /// From 0 to 5.
    pub reputation: f64,
    /// How much it rests on.
    pub evidence: f64,
    /// Accounts that paid.
    pub counterparties: i32,
    pub tasks_succeeded: i32,
    pub tasks_failed: i32,
    /// The median time from acceptance to result.
    pub latency_seconds: Option<f64>,
    /// Those that it was asked for and has not delivered.
    pub open_tasks: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_letters_digits_underscores_and_hyphens() {
        for text in ["a", "vision-broker", "Agent_7", &"x".repeat(64)] {
            assert_eq!(AgentId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "a b", "a/b", "a.b", "é", "a\0", &"x".repeat(65)] {
            assert_eq!(AgentId::parse(text), None, "{text}");
        }
    }
}
