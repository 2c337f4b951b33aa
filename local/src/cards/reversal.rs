//! Disputes and refunds of the sandbox, and the objects that the API shows of them.

use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a dispute may be answered.
const EVIDENCE_SECONDS: i64 = 7 * 24 * 3600;

/// Where a dispute or a refund stands, in the provider's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReversalStatus {
    WarningNeedsResponse,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
    Succeeded,
}

/// Money of a payment that its card asks back, or has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    pub id: String,
    pub payment_intent: String,
    pub charge: String,
    pub amount_minor: i64,
    pub currency: String,
    pub status: ReversalStatus,
    pub evidence: Option<String>,
    pub created_unix_seconds: i64,
}

impl Reversal {
    /// Whether the cardholder asks; else we did.
    pub fn is_dispute(&self) -> bool {
        self.status != ReversalStatus::Succeeded
    }

    /// The Dispute or Refund object of the API.
    pub(super) fn to_json(&self) -> Value {
        let mut object = json!({
            "id": self.id,
            "amount": self.amount_minor,
            "charge": self.charge,
            "created": self.created_unix_seconds,
            "currency": self.currency,
            "payment_intent": self.payment_intent,
            "status": self.status,
        });
        if self.is_dispute() {
            object["object"] = json!("dispute");
            object["reason"] = json!("fraudulent");
            object["evidence"] = json!({ "uncategorized_text": self.evidence });
            object["evidence_details"] = json!({
                "due_by": self.created_unix_seconds + EVIDENCE_SECONDS,
                "has_evidence": self.evidence.is_some(),
                "submission_count": u8::from(self.evidence.is_some()),
            });
        } else {
            object["object"] = json!("refund");
            object["reason"] = json!("requested_by_customer");
        }
        object
    }

    pub(super) fn now() -> i64 {
        Utc::now().timestamp()
    }
}
