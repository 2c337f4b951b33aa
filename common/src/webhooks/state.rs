//! Where a delivery stands, and what caused its next attempt.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum DeliveryState {
    /// To be sent, now or later.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Failed,
    /// Kept, because its endpoint is disabled.
    Held,
    /// Not to be sent: its endpoint is gone, or its owner said so.
    Discarded,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Delivered,
        Self::Failed,
        Self::Held,
        Self::Discarded,
    ];

    /// Its name in SQL, JSON and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Discarded => "discarded",
        }
    }

    /// Whether nothing follows by itself.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Held)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "no delivery is {text}; there are pending, delivered, failed, held, discarded"
                )
            })
    }
}

/// What caused an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "DeliveryTrigger")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Trigger {
    /// The retry plan.
    Plan,
    /// Its owner asked for it.
    Manual,
    /// A recovery of the endpoint.
    Recovery,
    /// A trial of the endpoint; sent once.
    Test,
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plan => "plan",
            Self::Manual => "manual",
            Self::Recovery => "recovery",
            Self::Test => "test",
        })
    }
}
