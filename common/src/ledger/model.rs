//! Words of the ledger.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;

/// What an account is for. The platform's own have no owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// What a buyer can spend: never below zero.
    BuyerCredits,
    /// What a buyer owes after money went back to a card: never above zero.
    BuyerDebt,
    /// What a seller has earned: below zero after a refund of what was paid out.
    SellerEarnings,
    /// The platform's share.
    PlatformFees,
    /// The world outside: negative by as much as has come in.
    PaymentsClearing,
    /// On its way to sellers.
    Payouts,
    /// Earnings frozen by disputes.
    RefundsReserve,
    /// Credits set aside for cardholders who dispute a payment.
    ChargebacksReserve,
}

impl AccountKind {
    /// Its name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuyerCredits => "buyer_credits",
            Self::BuyerDebt => "buyer_debt",
            Self::SellerEarnings => "seller_earnings",
            Self::PlatformFees => "platform_fees",
            Self::PaymentsClearing => "payments_clearing",
            Self::Payouts => "payouts",
            Self::RefundsReserve => "refunds_reserve",
            Self::ChargebacksReserve => "chargebacks_reserve",
        }
    }
}

impl fmt::Display for AccountKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why money moved. Each kind happens at most once for its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum TransferKind {
    /// A payment became credits (subject: the payment).
    TopUp,
    /// An operator gave or took credits (subject: the adjustment's id).
    Adjustment,
    /// A purchase was paid (subject: the purchase). Posted by `settle_purchases` alone.
    Settlement,
    /// A purchase was reversed (subject: the purchase).
    Refund,
    /// A dispute set the seller's share aside (subject: the dispute).
    DisputeFreeze,
    /// A dispute gave it back (subject: the dispute).
    DisputeRelease,
    /// A seller asked for earnings (subject: the payout).
    Payout,
    /// They left the house (subject: the payout).
    PayoutPaid,
    /// They could not, and came back (subject: the payout).
    PayoutReturned,
    /// A cardholder disputes a payment, or it was refunded at the provider (subject: the chargeback).
    Chargeback,
    /// The payment stands (subject: the chargeback).
    ChargebackWon,
    /// The money left the house (subject: the chargeback).
    ChargebackLost,
    /// What came in paid what was owed (subject: the payment or purchase that it came from).
    DebtPaid,
    /// An agent was paid for a task (subject: the task).
    TaskSettlement,
}

impl TransferKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::TopUp,
        Self::Adjustment,
        Self::Settlement,
        Self::Refund,
        Self::DisputeFreeze,
        Self::DisputeRelease,
        Self::Payout,
        Self::PayoutPaid,
        Self::PayoutReturned,
        Self::Chargeback,
        Self::ChargebackWon,
        Self::ChargebackLost,
        Self::DebtPaid,
        Self::TaskSettlement,
    ];

    /// Its name in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::Adjustment => "adjustment",
            Self::Settlement => "settlement",
            Self::Refund => "refund",
            Self::DisputeFreeze => "dispute_freeze",
            Self::DisputeRelease => "dispute_release",
            Self::Payout => "payout",
            Self::PayoutPaid => "payout_paid",
            Self::PayoutReturned => "payout_returned",
            Self::Chargeback => "chargeback",
            Self::ChargebackWon => "chargeback_won",
            Self::ChargebackLost => "chargeback_lost",
            Self::DebtPaid => "debt_paid",
            Self::TaskSettlement => "task_settlement",
        }
    }
}

impl FromStr for TransferKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        known.ok_or(())
    }
}

/// How a hold ends without what it is for being settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    Voided,
    Expired,
}

impl HoldEnd {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

/// What an account holds, in minor units.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Balance {
    /// All that was posted.
    pub posted_minor: i64,
    /// Set aside for purchases under way.
    pub held_minor: i64,
}

impl Balance {
    /// What can be spent.
    pub fn available_minor(self) -> i64 {
        self.posted_minor - self.held_minor
    }
}
