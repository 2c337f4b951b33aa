//! A dispute on the wire.

use common::disputes::{Decider, Decision, DisputeReason, DisputeState, DisputeView, Finding};
use common::ids::{DisputeId, PackagePublicId};
use common::wire::{Currency, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::contract::{Price, PurchaseReference};
use crate::follow::Status;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 1000;

/// A dispute, to be followed by its two sides and by operators.
#[derive(Debug)]
pub struct Followable(pub DisputeView);

/// A dispute about a purchase.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dispute {
    dispute_id: DisputeId,
    status: DisputeState,
    #[serde(flatten)]
    purchase: PurchaseReference,
    package_id: PackagePublicId,
    reason: DisputeReason,
    /// The buyer's description.
    description: String,
    #[serde(flatten)]
    price: Price,
    /// The seller's share, in minor units, which cannot be paid out while the dispute is open.
    frozen_minor: i64,
    currency: Currency,
    /// The result of measuring the package again.
    finding: Option<Finding>,
    /// The report of that measurement, in the form of a validation report.
    measurement: Option<Map<String, Value>>,
    /// The decision, once there is one.
    decision: Option<Decision>,
    /// Who decided.
    decided_by: Option<Decider>,
    /// Why it was decided so.
    note: Option<String>,
    /// Where the dispute is followed.
    status_url: String,
    /// When to look again, in milliseconds; null once it is decided.
    next_poll_ms: Option<u64>,
    timestamps: DisputeTimes,
}

/// When a dispute changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DisputeTimes {
    /// When the buyer opened it.
    opened: Timestamp,
    /// When the package was measured again.
    measured: Option<Timestamp>,
    /// When it was decided.
    resolved: Option<Timestamp>,
}

/// Where a dispute is followed.
pub fn status_url(id: DisputeId) -> String {
    format!("/api/ai/disputes/{id}")
}

impl Status for Followable {
    type Body = Dispute;

    fn version(&self) -> i64 {
        self.0.version
    }

    fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    fn body(&self) -> Dispute {
        let dispute = &self.0;
        let is_final = dispute.state.is_final();
        Dispute {
            dispute_id: dispute.id,
            status: dispute.state,
            purchase: dispute.purchase_id.into(),
            package_id: dispute.package_public_id.clone(),
            reason: dispute.reason,
            description: dispute.description.clone(),
            price: Price::new(dispute.price_minor),
            frozen_minor: if is_final { 0 } else { dispute.net_minor },
            currency: Currency(dispute.currency.clone()),
            finding: dispute.finding,
            measurement: dispute.report.as_ref().and_then(Value::as_object).cloned(),
            decision: decision(dispute.state),
            decided_by: dispute.decided_by,
            note: dispute.note.clone(),
            status_url: status_url(dispute.id),
            next_poll_ms: (!is_final).then_some(NEXT_POLL_MS),
            timestamps: DisputeTimes {
                opened: dispute.opened_at.into(),
                measured: dispute.measured_at.map(Timestamp),
                resolved: dispute.resolved_at.map(Timestamp),
            },
        }
    }
}

fn decision(state: DisputeState) -> Option<Decision> {
    [Decision::Refund, Decision::Release]
        .into_iter()
        .find(|decision| decision.state() == state)
}
