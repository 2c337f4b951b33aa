//! One payment of the sandbox, and the object that the API shows of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::Decline;

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    Succeeded,
    Canceled,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    pub id: String,
    pub client_secret: String,
    pub amount_minor: i64,
    pub amount_received_minor: i64,
    pub currency: String,
    pub description: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub payment_method: Option<String>,
    pub status: Status,
    /// The one successful charge.
    pub charge: Option<String>,
    pub created_unix_seconds: i64,
    pub canceled_unix_seconds: Option<i64>,
    pub(super) last_error: Option<Decline>,
}

impl Intent {
    /// The PaymentIntent object of the API.
    pub(super) fn to_json(&self) -> Value {
        let needs_action = self.status == Status::RequiresAction;
        let action = json!({"type": "use_stripe_sdk", "use_stripe_sdk": {}});
        json!({
            "id": self.id,
            "object": "payment_intent",
            "amount": self.amount_minor,
            "amount_capturable": 0,
            "amount_received": self.amount_received_minor,
            "automatic_payment_methods": {"allow_redirects": "never", "enabled": true},
            "canceled_at": self.canceled_unix_seconds,
            "cancellation_reason": null,
            "capture_method": "automatic_async",
            "client_secret": self.client_secret,
            "confirmation_method": "automatic",
            "created": self.created_unix_seconds,
            "currency": self.currency,
            "customer": null,
            "description": self.description,
            "last_payment_error": self.last_error.as_ref().map(Decline::to_json),
            "latest_charge": self.charge,
            "livemode": false,
            "metadata": self.metadata,
            "next_action": needs_action.then_some(action),
            "payment_method": self.payment_method,
            "payment_method_types": ["card"],
            "status": self.status,
        })
    }
}
