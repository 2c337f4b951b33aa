//! The documented error answers (<https://docs.stripe.com/api/errors>).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A bank's no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Decline {
    pub(super) code: String,
    pub(super) decline_code: Option<String>,
    pub(super) message: String,
}

impl Decline {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "type": "card_error",
            "code": self.code,
            "decline_code": self.decline_code,
            "doc_url": format!("https://stripe.com/docs/error-codes/{}", self.code.replace('_', "-")),
            "message": self.message,
        })
    }
}

/// An answer that is no payment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) status: u16,
    pub(super) message: String,
    body: Value,
    /// Whether the request had begun to be executed, so that its idempotency key remembers it.
    pub(super) is_outcome: bool,
}

impl Fault {
    fn new(status: u16, kind: &str, message: String) -> Self {
        Self {
            status,
            body: json!({"type": kind, "message": message}),
            message,
            is_outcome: false,
        }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body[name] = value.into();
        self
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"error": self.body})
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message.into())
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::new(401, "invalid_request_error", message.to_owned())
    }

    pub(super) fn no_route(method: &str, path: &str) -> Self {
        let message = format!("Unrecognized request URL ({method}: {path}).");
        Self::new(404, "invalid_request_error", message)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::invalid(format!("Missing required param: {parameter}."))
            .with("code", "parameter_missing")
            .with("param", parameter)
    }

    pub(super) fn unknown(parameter: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {parameter}"))
            .with("code", "parameter_unknown")
            .with("param", parameter)
    }

    pub(super) fn bad(parameter: &str, code: &str, message: impl Into<String>) -> Self {
        Self::invalid(message)
            .with("code", code)
            .with("param", parameter)
    }

    pub(super) fn no_intent(id: &str) -> Self {
        let message = format!("No such payment_intent: '{id}'");
        Self::new(404, "invalid_request_error", message)
            .with("code", "resource_missing")
            .with("param", "intent")
    }

    pub(super) fn no_method(id: &str) -> Self {
        let message = format!("No such PaymentMethod: '{id}'");
        Self::bad("payment_method", "resource_missing", message)
    }

    pub(super) fn unexpected_state(message: String, intent: Value) -> Self {
        Self {
            is_outcome: true,
            ..Self::invalid(message)
                .with("code", "payment_intent_unexpected_state")
                .with("payment_intent", intent)
        }
    }

    pub(super) fn key_reused(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first \
             used with. Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self::new(400, "idempotency_error", message)
    }

    pub(super) fn declined(decline: &Decline, intent: Value) -> Self {
        Self {
            status: 402,
            message: decline.message.clone(),
            body: decline.to_json(),
            is_outcome: true,
        }
        .with("payment_intent", intent)
    }

    pub(super) fn down() -> Self {
        let message = "The sandbox plays a provider that is down.".to_owned();
        Self::new(503, "api_error", message)
    }

    pub(super) fn not_kept(reason: &str) -> Self {
        let message = format!("The sandbox cannot keep its state: {reason}");
        Self::new(500, "api_error", message)
    }
}
