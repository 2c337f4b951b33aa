//! A payout on the wire.

use common::ids::PayoutId;
use common::payouts::{self, PayoutFilter, PayoutState};
use common::wire::{Amount, Currency, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::routes::page;

/// A payout of a seller's earnings.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    payout_id: PayoutId,
    status: PayoutState,
    /// The amount, with two decimals.
    amount: Amount,
    /// The amount in minor units, such as cents.
    amount_minor: i64,
    currency: Currency,
    /// The bank's reference, once it is paid.
    reference: Option<String>,
    /// Why it was returned, if it was.
    reason: Option<String>,
    timestamps: PayoutTimes,
}

/// When a payout changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PayoutTimes {
    /// When the seller asked for it.
    requested: Timestamp,
    /// When it was paid or returned.
    finished: Option<Timestamp>,
}

/// A page of payouts, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PayoutPage {
    payouts: Vec<Payout>,
    next_cursor: page::NextCursor,
}

impl From<&payouts::Payout> for Payout {
    fn from(payout: &payouts::Payout) -> Self {
        Self {
            payout_id: payout.id,
            status: payout.state,
            amount: Amount(payout.amount_minor),
            amount_minor: payout.amount_minor,
            currency: Currency(payout.currency.clone()),
            reference: payout.reference.clone(),
            reason: payout.reason.clone(),
            timestamps: PayoutTimes {
                requested: payout.requested_at.into(),
                finished: payout.finished_at.map(Timestamp),
            },
        }
    }
}

impl PayoutPage {
    pub fn new(payouts: &[payouts::Payout], filter: &PayoutFilter) -> Self {
        Self {
            payouts: payouts.iter().map(Payout::from).collect(),
            next_cursor: page::next(payouts, filter.limit, |payout| payout.id),
        }
    }
}
