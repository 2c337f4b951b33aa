//! Rows and values of endpoints.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{ApiKeyId, EndpointId, JobId, UserId};
use crate::webhooks::envelope::PayloadMode;

/// Whether it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum EndpointState {
    Enabled,
    Disabled,
}

/// Where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "EndpointSource")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Source {
    /// Its owner registered it.
    Registered,
    /// A request named its address.
    Request,
}

/// In which order it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[schemars(rename = "EndpointOrdering")]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Ordering {
    /// As fast as it can be; `sequence` tells the order.
    None,
    /// News of one subject one after the other.
    Subject,
}

/// An endpoint as its owner sees it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Endpoint {
    pub id: EndpointId,
    pub owner_id: UserId,
    pub source: Source,
    pub url: String,
    pub description: String,
    pub api_key_id: ApiKeyId,
    pub event_types: Vec<String>,
    pub payload: PayloadMode,
    pub ordering: Ordering,
    pub plan: String,
    pub plan_seconds: Option<Vec<i32>>,
    pub stop_on_client_error: bool,
    pub rate_per_second: i32,
    pub concurrency: i16,
    pub timeout_seconds: i16,
    pub header_names: Vec<String>,
    pub state: EndpointState,
    pub disabled_reason: Option<String>,
    pub disabled_at: Option<DateTime<Utc>>,
    pub version: i64,
    pub job_id: JobId,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
    pub failing_since: Option<DateTime<Utc>>,
}
