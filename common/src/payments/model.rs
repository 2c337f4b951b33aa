//! Rows and values of payments.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{ApiKeyId, PaymentId, PurchaseId, UserId};
use crate::wire::Currency;

/// Where a payment stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PaymentState {
    /// The provider has said nothing yet; most likely it was not asked.
    Created,
    /// The bank takes its time.
    Processing,
    /// The payer must act at the provider, with the client secret.
    RequiresAction,
    /// The payer must choose a card at the provider, with the client secret.
    RequiresPaymentMethod,
    /// The provider did not say what it did. It will be asked until it does.
    Unknown,
    /// Credited.
    Succeeded,
    /// The bank or the provider refused; nothing was charged.
    Failed,
    /// Nobody paid in time, or somebody called it off; nothing was charged.
    Canceled,
}

impl PaymentState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Created,
        Self::Processing,
        Self::RequiresAction,
        Self::RequiresPaymentMethod,
        Self::Unknown,
        Self::Succeeded,
        Self::Failed,
        Self::Canceled,
    ];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Processing => "processing",
            Self::RequiresAction => "requires_action",
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether it is over.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Canceled)
    }

    /// Whether nothing goes on until the payer acts.
    pub fn waits_for_payer(self) -> bool {
        matches!(self, Self::RequiresAction | Self::RequiresPaymentMethod)
    }
}

impl fmt::Display for PaymentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PaymentState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let state = Self::ALL.into_iter().find(|state| state.as_str() == text);
        state.ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("no payment state is called {text}; there are {known}")
        })
    }
}

/// What a payment is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Purpose {
    TopUp,
    Purchase,
}

/// A payment to begin.
#[derive(Debug, Clone)]
pub struct NewPayment {
    pub user: UserId,
    pub api_key: ApiKeyId,
    /// None for a top-up.
    pub purchase: Option<PurchaseId>,
    pub amount_minor: i64,
    /// Three upper-case letters.
    pub currency: String,
    /// The provider's name of a card, such as `pm_card_visa`.
    pub method_id: Option<String>,
    pub request_id: String,
    pub webhook_url: Option<String>,
}

/// What a user asks for who wants more credits.
#[derive(Debug, Clone)]
pub struct TopUpRequest {
    pub user: UserId,
    pub api_key: ApiKeyId,
    pub amount_minor: i64,
    pub currency: String,
    pub method_id: Option<String>,
    pub webhook_url: Option<String>,
    pub request_id: String,
}

impl TopUpRequest {
    /// Digest of what an idempotency key stands for.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let content = serde_json::json!([
            self.amount_minor,
            self.currency,
            self.method_id,
            self.webhook_url
        ]);
        Sha256::digest(content.to_string()).to_vec()
    }
}

/// A payment.
#[derive(Clone, sqlx::FromRow)]
pub struct Payment {
    pub id: PaymentId,
    pub user_id: UserId,
    pub api_key_id: ApiKeyId,
    pub purpose: Purpose,
    pub purchase_id: Option<PurchaseId>,
    pub amount_minor: i64,
    pub currency: String,
    pub method_id: Option<String>,
    pub state: PaymentState,
    pub provider_id: Option<String>,
    pub client_secret: Option<String>,
    pub reason_code: Option<String>,
    pub decline_code: Option<String>,
    pub message: Option<String>,
    pub request_id: String,
    pub webhook_url: Option<String>,
    pub version: i64,
    pub looks: i32,
    pub sent_at: Option<DateTime<Utc>>,
    pub expires_at: DateTime<Utc>,
    /// Since when it is to come to nothing: its purchase ended, or is paid otherwise.
    pub called_off_at: Option<DateTime<Utc>>,
    /// Since when the provider refuses what we ask about it: a fault of ours.
    pub delayed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

impl Payment {
    /// Whether its money may be on its way: the provider was asked to take it and has not said that it
    /// waits for the payer.
    pub fn is_under_way(&self) -> bool {
        match self.state {
            PaymentState::Created => self.sent_at.is_some(),
            PaymentState::Processing | PaymentState::Unknown => true,
            _ => false,
        }
    }
}

impl fmt::Debug for Payment {
    /// Without the client secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payment")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("amount_minor", &self.amount_minor)
            .field("provider_id", &self.provider_id)
            .finish_non_exhaustive()
    }
}

/// Which payments an operator wants to see.
#[derive(Debug, Clone, Default)]
pub struct PaymentFilter {
    pub state: Option<PaymentState>,
    /// Older than this one.
    pub before: Option<PaymentId>,
    pub limit: i64,
}

/// A payment as operators see it: without what lets one pay.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct PaymentSummary {
    pub id: PaymentId,
    /// Who pays.
    #[serde(rename = "user")]
    pub user_id: UserId,
    pub purpose: Purpose,
    /// The purchase that it pays, if it pays one.
    pub purchase_id: Option<PurchaseId>,
    /// The amount in minor units.
    pub amount_minor: i64,
    #[schemars(with = "Currency")]
    pub currency: String,
    pub state: PaymentState,
    /// The card provider's id.
    pub provider_id: Option<String>,
    /// Why it failed, for machines.
    pub reason_code: Option<String>,
    /// The bank's reason, if it declined the card.
    pub decline_code: Option<String>,
    /// What was said last, for people.
    pub message: Option<String>,
    /// The request that began it.
    pub request_id: String,
    /// How often the provider was asked about it without an answer that ends it.
    pub looks: i32,
    /// When the provider was first asked for it.
    pub sent_at: Option<DateTime<Utc>>,
    /// Until when it can be paid.
    pub expires_at: DateTime<Utc>,
    /// When it was requested.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}
