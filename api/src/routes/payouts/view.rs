//! A payout on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use common::limits::PAGE_ROWS_MAX;
use common::money::decimal_number;
use common::payouts::{Payout, PayoutFilter};
use serde_json::{Value, json};

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

/// A page of them; `next` goes into `before` for the following one.
pub fn page(payouts: &[Payout], filter: &PayoutFilter, shape: impl Fn(&Payout) -> Value) -> Value {
    let limit = usize::try_from(filter.limit.clamp(1, PAGE_ROWS_MAX)).unwrap_or(usize::MAX);
    let next = payouts.last().filter(|_| payouts.len() >= limit);
    let shown: Vec<Value> = payouts.iter().map(shape).collect();
    json!({ "payouts": shown, "next": next.map(|payout| payout.id) })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
