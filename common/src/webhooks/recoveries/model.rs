//! Rows and values of recoveries.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{EndpointId, RecoveryId, UserId};

/// The topic on which changes of recoveries are announced.
pub const CHANGED: &str = "webhook_recovery";

/// What is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "RecoveryMode")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Mode {
    /// Deliveries that were given up.
    Failed,
    /// Deliveries that were held while the endpoint was disabled.
    Held,
    /// Events that the endpoint's filters let through and that it was never promised.
    Missing,
}

/// Where a recovery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum RecoveryState {
    Running,
    Done,
    Cancelled,
}

/// A recovery.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Recovery {
    pub id: RecoveryId,
    pub owner_id: UserId,
    pub endpoint_id: EndpointId,
    pub mode: Mode,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
    pub state: RecoveryState,
    /// Counted when it started.
    pub total: i64,
    pub queued: i64,
    /// The sequence of the last event that was looked at.
    pub reached: i64,
    pub trace: String,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
    /// Of those queued, how many have arrived and how many were given up again.
    pub delivered: i64,
    pub failed: i64,
}
