//! Rows and values of identity.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use package::PackageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Authority;
use crate::ids::{ApiKeyId, SessionId, UserId};

/// What a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    Upload,
    Purchase,
    Download,
    /// To manage the account: its keys, its sessions, its profile.
    Account,
    /// To manage webhook endpoints and their log.
    Webhooks,
    /// To register and manage agents.
    Agents,
    /// To keep event streams and subscriptions.
    Events,
    /// To acquire, extend and release leases.
    Leases,
}

impl Permission {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Upload,
        Self::Purchase,
        Self::Download,
        Self::Account,
        Self::Webhooks,
        Self::Agents,
        Self::Events,
        Self::Leases,
    ];
    /// What a key has when nothing is said: the seed's three.
    pub const DEFAULT: [Self; 3] = [Self::Upload, Self::Purchase, Self::Download];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Purchase => "purchase",
            Self::Download => "download",
            Self::Account => "account",
            Self::Webhooks => "webhooks",
            Self::Agents => "agents",
            Self::Events => "events",
            Self::Leases => "leases",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| {
                let all = Self::ALL.map(Self::as_str).join(", ");
                format!("no permission is called {text}; there are {all}")
            })
    }
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    /// The key that acts; for a session the user's own.
    pub key: ApiKeyId,
    pub permissions: Vec<Permission>,
    /// The session, if no key was sent.
    pub session: Option<SessionId>,
    /// Whether the user may act as an operator, in a session.
    pub is_admin: bool,
}

impl Principal {
    /// Whether the key allows it.
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }
}

/// What a key may spend and for how long; `None` is without a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct KeyLimits {
    /// The most that it spends within 24 hours, in minor units.
    pub budget_day_minor: Option<i64>,
    /// The most that one purchase costs, in minor units.
    pub budget_purchase_minor: Option<i64>,
    /// The types of packages that it buys; null for all.
    pub package_types: Option<Vec<PackageType>>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it may be shown.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct KeySummary {
    pub id: ApiKeyId,
    /// Whose key it is.
    pub user_id: UserId,
    /// The name of that user.
    pub user_name: String,
    /// The name of the key.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// What the key allows.
    #[schemars(with = "Vec<Permission>")]
    pub permissions: Vec<String>,
    /// The most that it spends within 24 hours, in minor units.
    pub budget_day_minor: Option<i64>,
    /// The most that one purchase costs, in minor units.
    pub budget_purchase_minor: Option<i64>,
    /// The types of packages that it buys; null for all.
    #[schemars(with = "Option<Vec<PackageType>>")]
    pub package_types: Option<Vec<String>>,
    /// Keys that replace each other have one line.
    #[serde(skip)]
    pub line_id: ApiKeyId,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeySummary {
    /// How far it reaches.
    pub fn authority(&self) -> Authority {
        let permissions = self.permissions.iter();
        let types =
            |types: &Vec<String>| types.iter().filter_map(|text| text.parse().ok()).collect();
        Authority {
            permissions: permissions.filter_map(|text| text.parse().ok()).collect(),
            limits: KeyLimits {
                budget_day_minor: self.budget_day_minor,
                budget_purchase_minor: self.budget_purchase_minor,
                package_types: self.package_types.as_ref().map(types),
                expires_at: self.expires_at,
            },
            line: Some(self.line_id),
        }
    }

    /// Whether it has been revoked, or its time is over.
    pub fn has_ended(&self) -> bool {
        let now = Utc::now();
        self.revoked_at.is_some() || self.expires_at.is_some_and(|at| at <= now)
    }
}
