//! Rows and values of payouts.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{PayoutId, UserId};

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type)]
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

/// What a seller has, in minor units.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Earnings {
    /// All that was earned and not drawn: below zero after a refund of what was.
    pub posted_minor: i64,
    /// Of sales that buyers may still hand back.
    pub maturing_minor: i64,
}

impl Earnings {
    /// What can be drawn now.
    pub fn available_minor(self) -> i64 {
        (self.posted_minor - self.maturing_minor).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seller_draws_what_is_earned_for_good_and_never_less_than_nothing() {
        let available = |posted_minor, maturing_minor| {
            let earnings = Earnings {
                posted_minor,
                maturing_minor,
            };
            earnings.available_minor()
        };
        assert_eq!(available(1_000, 0), 1_000);
        assert_eq!(available(1_000, 400), 600);
        assert_eq!(available(400, 400), 0);
        assert_eq!(available(-100, 0), 0);
        assert_eq!(available(300, 400), 0);
    }
}
