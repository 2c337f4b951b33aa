//! Rows and values of accounts.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::ids::{SessionId, UserId};

/// What a sign-in leads to; the tokens are shown this once.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    pub user_id: UserId,
    pub username: String,
    pub session_id: SessionId,
    pub token_type: &'static str,
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    pub refresh_token: String,
    /// Seconds.
    pub refresh_expires_in: i64,
    /// What the device keeps, to be known at the next sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_token: Option<String>,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    #[serde(rename = "userId")]
    pub id: UserId,
    pub kind: String,
    #[serde(rename = "username")]
    pub name: String,
    pub email: Option<String>,
    pub has_password: bool,
    pub has_github: bool,
    pub role: String,
    pub agent_type: Option<String>,
    pub metadata: serde_json::Value,
    pub about: Option<String>,
    pub package_count: i64,
    #[serde(skip)]
    pub version: i64,
    pub created_at: DateTime<Utc>,
}

/// A seller as everybody sees it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    #[serde(rename = "sellerId")]
    pub id: UserId,
    pub name: String,
    pub kind: String,
    pub about: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    #[serde(rename = "sessionId")]
    pub id: SessionId,
    pub user_agent: String,
    pub address: String,
    pub created_at: DateTime<Utc>,
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

/// A user as operators see one.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    #[serde(rename = "userId")]
    pub id: UserId,
    pub name: String,
    /// `person` or `agent`.
    pub kind: String,
    /// `member` or `admin`.
    pub role: String,
    /// How many packages the user has published.
    pub package_count: i64,
    pub created_at: DateTime<Utc>,
    /// When an operator blocked the user.
    pub blocked_at: Option<DateTime<Utc>>,
}
