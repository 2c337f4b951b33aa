//! Rows and values of disputes.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Finding;
use crate::ids::{DisputeId, PackagePublicId, PurchaseId, UserId};

/// What a buyer objects to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DisputeReason {
    /// The alignment error is above the limit, or worse than listed.
    EpsilonTooHigh,
    /// The bytes are not those that were sold, or cannot be read.
    Corrupt,
    NotAsDescribed,
    Other,
}

impl DisputeReason {
    /// Its name on the wire, in SQL and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EpsilonTooHigh => "epsilon_too_high",
            Self::Corrupt => "corrupt",
            Self::NotAsDescribed => "not_as_described",
            Self::Other => "other",
        }
    }

    /// Whether a measurement answers it; else an operator does.
    pub fn is_measurable(self) -> bool {
        matches!(self, Self::EpsilonTooHigh | Self::Corrupt)
    }
}

/// Where a dispute stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DisputeState {
    /// The package is to be measured again.
    Open,
    /// It was; an operator is to decide.
    Measured,
    /// The buyer was right.
    ResolvedRefund,
    /// The seller was.
    ResolvedRelease,
}

impl DisputeState {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::ResolvedRefund | Self::ResolvedRelease)
    }
}

impl fmt::Display for DisputeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Measured => "measured",
            Self::ResolvedRefund => "resolved_refund",
            Self::ResolvedRelease => "resolved_release",
        })
    }
}

impl FromStr for DisputeState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(text.into()).map_err(|_| {
            format!(
                "no dispute is {text}; there are open, measured, resolved_refund, resolved_release"
            )
        })
    }
}

/// How a dispute ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The buyer gets the price back.
    Refund,
    /// The seller gets the frozen share back.
    Release,
}

impl Decision {
    /// Its name on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Release => "release",
        }
    }

    /// The state that it leads to.
    pub fn state(self) -> DisputeState {
        match self {
            Self::Refund => DisputeState::ResolvedRefund,
            Self::Release => DisputeState::ResolvedRelease,
        }
    }
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(text.into())
            .map_err(|_| format!("{text} is no decision; there are refund, release"))
    }
}

/// Who decided.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum Decider {
    Measurement,
    Operator,
}

/// A dispute as commands see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Dispute {
    pub id: DisputeId,
    pub purchase_id: PurchaseId,
    pub reason: DisputeReason,
    pub state: DisputeState,
    pub finding: Option<Finding>,
    pub request_id: String,
}

/// What the re-measurement needs: the claim, what the listing showed, and where the bytes are.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Case {
    pub id: DisputeId,
    pub state: DisputeState,
    pub package_type: String,
    pub source_model: String,
    pub target_model: String,
    pub epsilon_declared: f64,
    pub epsilon_measured: Option<f64>,
    #[sqlx(flatten)]
    pub blobs: StoredBlobs,
}

impl Case {
    /// The epsilon that the listing showed: the measured one, if there was one.
    pub fn epsilon_listed(&self) -> f64 {
        self.epsilon_measured.unwrap_or(self.epsilon_declared)
    }
}

/// Both blobs of a published package, as its rows name them.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredBlobs {
    package_key: String,
    package_sha256: Vec<u8>,
    package_bytes: i64,
    w_matrix_key: String,
    w_matrix_sha256: Vec<u8>,
    w_matrix_bytes: i64,
}

/// Where the bytes of a blob are, and what they must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlob {
    pub key: String,
    pub sha256: Vec<u8>,
    pub size_bytes: u64,
}

impl StoredBlobs {
    /// One of them.
    pub fn blob(&self, blob: crate::storage::Blob) -> StoredBlob {
        let (key, sha256, bytes) = match blob {
            crate::storage::Blob::Package => {
                (&self.package_key, &self.package_sha256, self.package_bytes)
            }
            crate::storage::Blob::WMatrix => (
                &self.w_matrix_key,
                &self.w_matrix_sha256,
                self.w_matrix_bytes,
            ),
        };
        StoredBlob {
            key: key.clone(),
            sha256: sha256.clone(),
            size_bytes: bytes.unsigned_abs(),
        }
    }
}

/// A dispute as its parties and operators see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DisputeView {
    pub id: DisputeId,
    pub purchase_id: PurchaseId,
    pub package_public_id: PackagePublicId,
    pub buyer_id: UserId,
    pub seller_id: UserId,
    pub price_minor: i64,
    pub net_minor: i64,
    pub currency: String,
    pub reason: DisputeReason,
    pub description: String,
    pub state: DisputeState,
    pub finding: Option<Finding>,
    pub report: Option<serde_json::Value>,
    pub decided_by: Option<Decider>,
    pub note: Option<String>,
    pub version: i64,
    pub opened_at: DateTime<Utc>,
    pub measured_at: Option<DateTime<Utc>>,
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Which disputes an operator looks at.
#[derive(Debug, Clone, Default)]
pub struct DisputeFilter {
    pub state: Option<DisputeState>,
    /// Only those opened before this one.
    pub before: Option<DisputeId>,
    pub limit: i64,
}

/// A dispute in an operator's list.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct DisputeSummary {
    pub id: DisputeId,
    pub purchase_id: PurchaseId,
    pub reason: DisputeReason,
    pub state: DisputeState,
    pub finding: Option<Finding>,
    /// The price in minor units.
    pub price_minor: i64,
    /// A currency by its ISO 4217 code.
    pub currency: String,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
}
