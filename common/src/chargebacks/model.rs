//! Rows and values of chargebacks.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use thiserror::Error;

use crate::cards::{ReversalKind, ReversalState};
use crate::ids::{ChargebackId, PaymentId, UserId};
use crate::ledger::LedgerError;
use crate::limits::EVIDENCE_CHARS_MAX;
use crate::wire::Currency;

/// A chargeback, as operators see it.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Chargeback {
    pub id: ChargebackId,
    pub payment_id: PaymentId,
    /// Whose payment it is.
    pub user_id: UserId,
    /// The card provider's id.
    pub provider_id: String,
    pub kind: ReversalKind,
    /// The reason that the provider gives.
    pub reason: String,
    /// The amount in minor units.
    pub amount_minor: i64,
    #[schemars(with = "Currency")]
    pub currency: String,
    pub state: ReversalState,
    /// What the user still owes of it, in minor units.
    pub owed_minor: i64,
    /// Until when it can be answered.
    pub evidence_due_at: Option<DateTime<Utc>>,
    /// The evidence that an operator gave.
    pub evidence: Option<String>,
    /// When the provider received the evidence.
    pub evidence_sent_at: Option<DateTime<Utc>>,
    /// Counts its changes.
    pub version: i64,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// When it was decided.
    pub closed_at: Option<DateTime<Utc>>,
}

/// Which chargebacks.
#[derive(Debug, Clone, Default)]
pub struct ChargebackFilter {
    pub state: Option<ReversalState>,
    /// Only those before this one.
    pub before: Option<ChargebackId>,
    pub limit: i64,
}

/// Why nothing was done.
#[derive(Debug, Error)]
pub enum ChargebackError {
    #[error("no such chargeback")]
    NotFound,
    /// A refund, or one that is decided or answered.
    #[error("only a dispute that is not decided can be answered, and only once")]
    NotToBeAnswered,
    #[error("evidence has 1 to {EVIDENCE_CHARS_MAX} characters")]
    Evidence,
    /// What cannot be, was: a defect of ours, which trying again does not mend.
    #[error("a defect: {0}")]
    Defect(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl From<LedgerError> for ChargebackError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Database(error),
            // Credits are locked and its row's state is checked first.
            error => Self::Defect(error.to_string()),
        }
    }
}
