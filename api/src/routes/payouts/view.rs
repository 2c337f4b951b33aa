//! A payout on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use common::money::decimal_number;
use common::payouts::{Payout, PayoutFilter};
use serde_json::{Value, json};

use crate::routes::page;

/// As its seller sees it.
pub fn body(payout: &Payout) -> Value {
    json!({
        "payoutId": payout.id,
        "status": payout.state,
        "amount": decimal_number(payout.amount_minor),
        "amountMinor": payout.amount_minor,
        "currency": payout.currency,
        "reference": payout.reference,
        "reason": payout.reason,
        "timestamps": {
            "requested": time(payout.requested_at),
            "finished": payout.finished_at.map(time),
        },
    })
}

/// A page of them.
pub fn shown(payouts: &[Payout], filter: &PayoutFilter, shape: impl Fn(&Payout) -> Value) -> Value {
    let next = page::next(payouts, filter.limit, |payout| payout.id);
    let shown: Vec<Value> = payouts.iter().map(shape).collect();
    json!({ "payouts": shown, "nextCursor": next })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
