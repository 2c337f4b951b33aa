//! A dispute on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use common::disputes::{Decision, DisputeState, DisputeView};
use common::ids::DisputeId;
use common::money::decimal_number;
use serde_json::{Value, json};

use crate::follow::Status;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 1000;

/// A dispute as its parties and operators see it.
#[derive(Debug)]
pub struct Shown(pub DisputeView);

/// Where a dispute is followed.
pub fn status_url(id: DisputeId) -> String {
    format!("/api/ai/disputes/{id}")
}

impl Status for Shown {
    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    fn body(&self) -> Value {
        let Self(dispute) = self;
        json!({
            "disputeId": dispute.id,
            "status": dispute.state,
            "purchaseId": dispute.purchase_id,
            "packageId": dispute.package_public_id,
            "reason": dispute.reason,
            "description": dispute.description,
            "price": decimal_number(dispute.price_minor),
            "priceMinor": dispute.price_minor,
            "frozenMinor": if dispute.state.is_final() { 0 } else { dispute.net_minor },
            "currency": dispute.currency,
            "finding": dispute.finding,
            "measurement": dispute.report,
            "decision": decision(dispute.state),
            "decidedBy": dispute.decided_by,
            "note": dispute.note,
            "statusUrl": status_url(dispute.id),
            "nextPollMs": (!dispute.state.is_final()).then_some(NEXT_POLL_MS),
            "timestamps": {
                "opened": time(dispute.opened_at),
                "measured": dispute.measured_at.map(time),
                "resolved": dispute.resolved_at.map(time),
            },
        })
    }
}

fn decision(state: DisputeState) -> Option<Decision> {
    [Decision::Refund, Decision::Release]
        .into_iter()
        .find(|decision| decision.state() == state)
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}
