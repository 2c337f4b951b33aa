//! Rows and values of payouts.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{PayoutId, UserId};

/// Where a payout stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum PayoutState {
    /// Taken from the earnings; an operator is to pay it.
    Requested,
    /// It left the house.
    Paid,
    /// It could not be paid; the earnings have it again.
    Returned,
}

impl fmt::Display for PayoutState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requested => "requested",
            Self::Paid => "paid",
            Self::Returned => "returned",
        })
    }
}

impl FromStr for PayoutState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        serde_json::from_value(text.into())
            .map_err(|_| format!("no payout is {text}; there are requested, paid, returned"))
    }
}

/// A payout.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Payout {
    pub id: PayoutId,
    pub seller_id: UserId,
    pub amount_minor: i64,
    pub currency: String,
    pub state: PayoutState,
    /// What the bank calls it, once it is paid.
    pub reference: Option<String>,
    /// Why it was returned.
    pub reason: Option<String>,
    pub requested_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which payouts.
#[derive(Debug, Clone, Default)]
pub struct PayoutFilter {
    /// None is every seller's, for operators.
    pub seller: Option<UserId>,
    pub state: Option<PayoutState>,
    /// Only those requested before this one.
    pub before: Option<PayoutId>,
    pub limit: i64,
}
