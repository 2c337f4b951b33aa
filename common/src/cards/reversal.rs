//! Money that went back to a card or is asked back, as the provider lists it: disputes
//! (<https://docs.stripe.com/api/disputes/object>) and refunds (`/api/refunds/object`).

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ReversalKind {
    /// The cardholder, at the bank.
    Dispute,
    /// We, at the provider.
    Refund,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum ReversalState {
    /// The bank asks; no money moves.
    Inquiry,
    /// The money is taken until it is decided.
    Open,
    /// It stays with us.
    Won,
    /// It is the cardholder's.
    Lost,
}

/// A dispute or a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    pub id: String,
    pub kind: ReversalKind,
    pub state: ReversalState,
    pub amount_minor: i64,
    /// Three lower-case letters.
    pub currency: String,
    /// The provider's word.
    pub reason: String,
    /// Until when a dispute is answered.
    pub evidence_due_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct List<T> {
    object: String,
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Body {
    id: String,
    object: String,
    amount: i64,
    currency: String,
    status: Option<String>,
    reason: Option<String>,
    evidence_details: Option<EvidenceDetails>,
}

#[derive(Deserialize)]
struct EvidenceDetails {
    due_by: Option<i64>,
}

/// A list of disputes; nothing if it is another.
pub(super) fn read_disputes(body: &[u8]) -> Option<Vec<Reversal>> {
    read_list(body)?.into_iter().map(dispute).collect()
}

/// A list of refunds.
pub(super) fn read_refunds(body: &[u8]) -> Option<Vec<Reversal>> {
    read_list(body)?.into_iter().map(refund).collect()
}

/// One dispute.
pub(super) fn read_dispute(body: &[u8]) -> Option<Reversal> {
    serde_json::from_slice(body).ok().and_then(dispute)
}

fn read_list(body: &[u8]) -> Option<Vec<Body>> {
    let list: List<Body> = serde_json::from_slice(body).ok()?;
    (list.object == "list").then_some(list.data)
}

fn dispute(body: Body) -> Option<Reversal> {
    let state = match body.status.as_deref()? {
        "warning_needs_response" | "warning_under_review" => ReversalState::Inquiry,
        "warning_closed" | "won" => ReversalState::Won,
        "lost" => ReversalState::Lost,
        _ => ReversalState::Open,
    };
    (body.object == "dispute").then(|| reversal(body, ReversalKind::Dispute, state))
}

fn refund(body: Body) -> Option<Reversal> {
    let state = match body.status.as_deref() {
        Some("failed" | "canceled") => ReversalState::Won,
        Some("succeeded") => ReversalState::Lost,
        _ => ReversalState::Open,
    };
    (body.object == "refund").then(|| reversal(body, ReversalKind::Refund, state))
}

fn reversal(body: Body, kind: ReversalKind, state: ReversalState) -> Reversal {
    let due_by = body.evidence_details.and_then(|details| details.due_by);
    Reversal {
        kind,
        state,
        id: body.id,
        amount_minor: body.amount,
        currency: body.currency,
        reason: body.reason.unwrap_or_default(),
        evidence_due_at: due_by.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_one_state_of_ours() {
        for (status, state) in [
            ("warning_needs_response", ReversalState::Inquiry),
            ("warning_closed", ReversalState::Won),
            ("needs_response", ReversalState::Open),
            ("under_review", ReversalState::Open),
            ("a_status_of_next_year", ReversalState::Open),
            ("won", ReversalState::Won),
            ("lost", ReversalState::Lost),
        ] {
            let body = format!(
                r#"{{"object":"list","data":[{{"id":"dp_1","object":"dispute","amount":500,"currency":"usd","status":"{status}",
                    "reason":"fraudulent","evidence_details":{{"due_by":1700000000}}}}]}}"#
            );
            let read = read_disputes(body.as_bytes()).expect("a list");
            assert_eq!(
                (read[0].state, read[0].amount_minor),
                (state, 500),
                "{status}"
            );
            assert!(read[0].evidence_due_at.is_some());
            assert!(read_refunds(body.as_bytes()).is_none(), "no refund");
        }
        assert!(read_disputes(br#"{"object":"charge"}"#).is_none());
    }
}
