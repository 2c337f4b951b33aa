//! Rows and values of tasks.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::types::Json;

use crate::agents::AgentId;
use crate::ids::{AgentTaskId, UserId};

/// Where a task stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[schemars(rename = "AgentTaskState")]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum TaskState {
    /// It was asked for, and the price is held.
    Pending,
    /// The provider does it.
    Accepted,
    /// The payer has the result.
    Delivered,
    /// The provider is paid.
    Settled,
    /// One of the two does not want it; the payer has the price again.
    Cancelled,
    /// It was not accepted or not delivered in time; the payer has the price again.
    Expired,
    /// The payer disputes the result, and an operator is to decide.
    Disputed,
    /// The payer has the price again.
    ResolvedRefund,
    /// The provider is paid.
    ResolvedRelease,
    /// The provider is paid a part of it.
    ResolvedSplit,
}

impl TaskState {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Accepted,
        Self::Delivered,
        Self::Settled,
        Self::Cancelled,
        Self::Expired,
        Self::Disputed,
        Self::ResolvedRefund,
        Self::ResolvedRelease,
        Self::ResolvedSplit,
    ];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Disputed => "disputed",
            Self::ResolvedRefund => "resolved_refund",
            Self::ResolvedRelease => "resolved_release",
            Self::ResolvedSplit => "resolved_split",
        }
    }

    /// Whether nothing more happens to it.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Pending | Self::Accepted | Self::Delivered | Self::Disputed
        )
    }
}

impl fmt::Display for TaskState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an operator ends a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The payer gets the price back.
    Refund,
    /// The provider is paid.
    Release,
    /// The provider is paid so many hundredths of a percent of the price, rounded down, and the payer gets the rest.
    Split { provider_basis_points: u16 },
}

impl Decision {
    /// Where the task stands then.
    pub fn state(self) -> TaskState {
        match self {
            Self::Refund => TaskState::ResolvedRefund,
            Self::Release => TaskState::ResolvedRelease,
            Self::Split { .. } => TaskState::ResolvedSplit,
        }
    }

    /// What of the price is the provider's, before the fee.
    pub fn paid_minor(self, amount_minor: i64) -> i64 {
        match self {
            Self::Refund => 0,
            Self::Release => amount_minor,
            Self::Split {
                provider_basis_points,
            } => amount_minor * i64::from(provider_basis_points) / 10_000,
        }
    }
}

/// A task.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct AgentTask {
    pub id: AgentTaskId,
    pub payer_agent: AgentId,
    pub provider_agent: AgentId,
    pub payer_id: UserId,
    pub provider_id: UserId,
    pub capability: String,
    pub amount_minor: i64,
    pub currency: String,
    pub fee_basis_points: i32,
    pub context: Json<Map<String, Value>>,
    pub result: Option<Json<Map<String, Value>>>,
    pub state: TaskState,
    /// What the provider was paid, of which the fee was taken.
    pub paid_minor: Option<i64>,
    /// Why it ended so, in words.
    pub note: Option<String>,
    /// What the payer thinks of it, in stars.
    pub rating: Option<i16>,
    pub version: i64,
    pub created_at: DateTime<Utc>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub delivered_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    /// When the state ends by itself.
    pub due_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_of_states_are_those_of_the_wire() {
        for state in TaskState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }

    proptest! {
        #[test]
        fn a_decision_pays_a_part_of_the_price(amount in 0_i64..=100_000_000, share in 0_u16..=10_000) {
            let paid = Decision::Split { provider_basis_points: share }.paid_minor(amount);
            prop_assert!((0..=amount).contains(&paid));
            prop_assert_eq!(Decision::Refund.paid_minor(amount), 0);
            prop_assert_eq!(Decision::Release.paid_minor(amount), amount);
        }
    }
}
