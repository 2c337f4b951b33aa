//! The posting rules: which accounts gain and lose by what happens. Pure; every rule sums to zero.

use uuid::Uuid;

use super::{AccountKind, TransferKind};
use crate::ids::UserId;

/// One account's gain (positive) or loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// Nil for the platform.
    pub owner: Uuid,
    pub account: AccountKind,
    pub amount_minor: i64,
}

impl Leg {
    fn of(owner: UserId, account: AccountKind, amount_minor: i64) -> Self {
        Self {
            owner: owner.0,
            account,
            amount_minor,
        }
    }

    fn of_platform(account: AccountKind, amount_minor: i64) -> Self {
        Self {
            owner: Uuid::nil(),
            account,
            amount_minor,
        }
    }
}

/// A transfer to be posted. Legs of zero are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub kind: TransferKind,
    pub subject: Uuid,
    pub legs: Vec<Leg>,
}

/// A price divided between seller and platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    pub price_minor: i64,
    pub fee_minor: i64,
    pub net_minor: i64,
}

impl Split {
    /// The fee is `fee_basis_points` of the price, rounded half up to a whole minor unit; the seller
    /// gets the rest, so the parts always sum to the price.
    pub fn of(price_minor: i64, fee_basis_points: u16) -> Self {
        let fee_minor = (price_minor * i64::from(fee_basis_points) + 5_000) / 10_000;
        Self {
            price_minor,
            fee_minor,
            net_minor: price_minor - fee_minor,
        }
    }
}

/// Where a refund finds the seller's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// In the reserve: the sale is disputed.
    Frozen,
    /// Among the seller's earnings, as much as was not drawn.
    Earned { left_minor: i64 },
}

impl Posting {
    fn new(kind: TransferKind, subject: Uuid, legs: &[Leg]) -> Self {
        let legs = legs
            .iter()
            .copied()
            .filter(|leg| leg.amount_minor != 0)
            .collect();
        Self {
            kind,
            subject,
            legs,
        }
    }

    /// A payment from outside becomes a buyer's credits.
    pub fn top_up(payment: Uuid, buyer: UserId, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::TopUp,
            payment,
            &[
                Leg::of(buyer, AccountKind::BuyerCredits, amount_minor),
                Leg::of_platform(AccountKind::PaymentsClearing, -amount_minor),
            ],
        )
    }

    /// An operator gives credits, or takes them (negative).
    pub fn adjustment(adjustment: Uuid, user: UserId, amount_minor: i64) -> Self {
        let top_up = Self::top_up(adjustment, user, amount_minor);
        Self {
            kind: TransferKind::Adjustment,
            ..top_up
        }
    }

    /// A purchase is paid out of what was held. `settle_purchases` of the schema posts this, a batch
    /// at a time; the audit and the tests hold it to these legs.
    pub fn settlement(purchase: Uuid, buyer: UserId, seller: UserId, split: Split) -> Self {
        Self::new(
            TransferKind::Settlement,
            purchase,
            &[
                Leg::of(buyer, AccountKind::BuyerCredits, -split.price_minor),
                Leg::of(seller, AccountKind::SellerEarnings, split.net_minor),
                Leg::of_platform(AccountKind::PlatformFees, split.fee_minor),
            ],
        )
    }

    /// A task is paid out of what was held, wholly or in part. `settle_agent_task` of the schema posts this; the
    /// audit and the tests hold it to these legs.
    pub fn task_settlement(task: Uuid, payer: UserId, provider: UserId, split: Split) -> Self {
        let settlement = Self::settlement(task, payer, provider, split);
        Self {
            kind: TransferKind::TaskSettlement,
            ..settlement
        }
    }

    /// A settled purchase is reversed, fee and all. What the seller has drawn of the share already, the
    /// platform bears.
    pub fn refund(
        purchase: Uuid,
        buyer: UserId,
        seller: UserId,
        split: Split,
        share: Share,
    ) -> Self {
        let (share, borne_minor) = match share {
            Share::Frozen => (
                Leg::of_platform(AccountKind::RefundsReserve, -split.net_minor),
                0,
            ),
            Share::Earned { left_minor } => (
                Leg::of(seller, AccountKind::SellerEarnings, -left_minor),
                split.net_minor - left_minor,
            ),
        };
        Self::new(
            TransferKind::Refund,
            purchase,
            &[
                Leg::of(buyer, AccountKind::BuyerCredits, split.price_minor),
                share,
                Leg::of_platform(AccountKind::PlatformFees, -split.fee_minor - borne_minor),
            ],
        )
    }

    /// A dispute sets the seller's share of a sale aside: what the earnings have left of it, and the rest
    /// from the platform.
    pub fn dispute_freeze(dispute: Uuid, seller: UserId, net_minor: i64, left_minor: i64) -> Self {
        Self::new(
            TransferKind::DisputeFreeze,
            dispute,
            &[
                Leg::of(seller, AccountKind::SellerEarnings, -left_minor),
                Leg::of_platform(AccountKind::PlatformFees, left_minor - net_minor),
                Leg::of_platform(AccountKind::RefundsReserve, net_minor),
            ],
        )
    }

    /// A dispute ends for the seller: everybody has again what the freeze took.
    pub fn dispute_release(dispute: Uuid, seller: UserId, net_minor: i64, left_minor: i64) -> Self {
        let freeze = Self::dispute_freeze(dispute, seller, net_minor, left_minor);
        Self {
            kind: TransferKind::DisputeRelease,
            ..freeze.reversed()
        }
    }

    /// Money is to go back to a card: the buyer's credits pay as much of it as there is of them, and owe the rest.
    pub fn chargeback(chargeback: Uuid, buyer: UserId, amount_minor: i64, owed_minor: i64) -> Self {
        Self::new(
            TransferKind::Chargeback,
            chargeback,
            &[
                Leg::of(buyer, AccountKind::BuyerCredits, owed_minor - amount_minor),
                Leg::of(buyer, AccountKind::BuyerDebt, -owed_minor),
                Leg::of_platform(AccountKind::ChargebacksReserve, amount_minor),
            ],
        )
    }

    /// It stays here after all: what is owed of it is forgiven, the rest is the buyer's again.
    pub fn chargeback_won(
        chargeback: Uuid,
        buyer: UserId,
        amount_minor: i64,
        owed_minor: i64,
    ) -> Self {
        let taken = Self::chargeback(chargeback, buyer, amount_minor, owed_minor);
        Self {
            kind: TransferKind::ChargebackWon,
            ..taken.reversed()
        }
    }

    /// It went back.
    pub fn chargeback_lost(chargeback: Uuid, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::ChargebackLost,
            chargeback,
            &[
                Leg::of_platform(AccountKind::ChargebacksReserve, -amount_minor),
                Leg::of_platform(AccountKind::PaymentsClearing, amount_minor),
            ],
        )
    }

    /// What a buyer got pays what the buyer owes.
    pub fn debt_paid(source: Uuid, buyer: UserId, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::DebtPaid,
            source,
            &[
                Leg::of(buyer, AccountKind::BuyerCredits, -amount_minor),
                Leg::of(buyer, AccountKind::BuyerDebt, amount_minor),
            ],
        )
    }

    fn reversed(mut self) -> Self {
        for leg in &mut self.legs {
            leg.amount_minor = -leg.amount_minor;
        }
        self
    }

    /// A seller asks for earnings.
    pub fn payout(payout: Uuid, seller: UserId, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::Payout,
            payout,
            &[
                Leg::of(seller, AccountKind::SellerEarnings, -amount_minor),
                Leg::of_platform(AccountKind::Payouts, amount_minor),
            ],
        )
    }

    /// A payout left the house.
    pub fn payout_paid(payout: Uuid, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::PayoutPaid,
            payout,
            &[
                Leg::of_platform(AccountKind::Payouts, -amount_minor),
                Leg::of_platform(AccountKind::PaymentsClearing, amount_minor),
            ],
        )
    }

    /// A payout could not be made.
    pub fn payout_returned(payout: Uuid, seller: UserId, amount_minor: i64) -> Self {
        Self::new(
            TransferKind::PayoutReturned,
            payout,
            &[
                Leg::of_platform(AccountKind::Payouts, -amount_minor),
                Leg::of(seller, AccountKind::SellerEarnings, amount_minor),
            ],
        )
    }
}

#[cfg(test)]
#[path = "posting_tests.rs"]
mod tests;
