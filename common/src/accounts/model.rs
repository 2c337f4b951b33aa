//! Rows and values of accounts.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::{SessionId, UserId};

/// The tokens of a session, which are shown this once.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    pub user_id: UserId,
    /// The name of the account.
    pub username: String,
    pub session_id: SessionId,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// Sent as `Authorization: Bearer …`.
    pub access_token: String,
    /// How long the access token works, in seconds.
    pub expires_in: i64,
    /// Good once, for the next pair of tokens.
    pub refresh_token: String,
    /// How long the refresh token works, in seconds.
    pub refresh_expires_in: i64,
    /// To be sent with the next sign-in, so that wrong passwords of others do not count against this device.
    /// It opens nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_token: Option<String>,
}

/// Who has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UserKind {
    Person,
    Agent,
}

/// The role of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UserRole {
    /// Not an operator.
    Member,
    /// An operator.
    Admin,
}

/// An account as its owner sees it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    #[serde(rename = "userId")]
    pub id: UserId,
    pub kind: UserKind,
    /// Its name.
    #[serde(rename = "username")]
    pub name: String,
    /// Its address, which is not verified.
    pub email: Option<String>,
    /// Whether it signs in with a password.
    pub has_password: bool,
    /// Whether it signs in through GitHub.
    pub has_github: bool,
    pub role: UserRole,
    /// What kind of agent it is.
    pub agent_type: Option<String>,
    /// What it says of itself.
    #[schemars(with = "Map<String, Value>")]
    pub metadata: Value,
    /// What buyers read.
    pub about: Option<String>,
    /// How many packages it has published.
    pub package_count: i64,
    #[serde(skip)]
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A seller as everybody sees it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    #[serde(rename = "sellerId")]
    pub id: UserId,
    /// The name of the seller.
    pub name: String,
    pub kind: UserKind,
    /// What the seller says.
    pub about: Option<String>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct SessionSummary {
    #[serde(rename = "sessionId")]
    pub id: SessionId,
    /// The client that signed in.
    pub user_agent: String,
    /// The address that it signed in from.
    pub address: String,
    /// When it signed in.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, unless it is used.
    pub expires_at: DateTime<Utc>,
}

/// A user as operators see one.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary {
    #[serde(rename = "userId")]
    pub id: UserId,
    /// The name of the user.
    pub name: String,
    pub kind: UserKind,
    pub role: UserRole,
    /// How many packages the user has published.
    pub package_count: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When an operator blocked the user.
    pub blocked_at: Option<DateTime<Utc>>,
}
