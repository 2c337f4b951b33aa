//! Rows and values of purchases.

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{ApiKeyId, PackageId, PackagePublicId, PurchaseId, UserId};
use crate::ledger::Split;
use crate::limits::{CARD_AMOUNT_MINOR_MAX, CARD_AMOUNT_MINOR_MIN};
use crate::purchases::PurchaseError;
use crate::quotes::Opened;

/// Where a purchase stands.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum PurchaseState {
    /// A card is to pay first.
    AwaitingPayment,
    /// The card provider did not say whether the card paid.
    PaymentUnknown,
    /// Paid for by a hold; the settlement is queued.
    Pending,
    /// The buyer may download.
    Settled,
    /// Settled, and contested by its buyer.
    Disputed,
    /// Its hold was released; money that a card has paid nevertheless stays as credits.
    Failed,
    /// Reversed.
    Refunded,
}

impl PurchaseState {
    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting_payment",
            Self::PaymentUnknown => "payment_unknown",
            Self::Pending => "pending",
            Self::Settled => "settled",
            Self::Disputed => "disputed",
            Self::Failed => "failed",
            Self::Refunded => "refunded",
        }
    }

    /// Whether a client that waits has its answer.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Settled | Self::Disputed | Self::Failed | Self::Refunded
        )
    }

    /// Whether a card is still to pay.
    pub fn is_unpaid(self) -> bool {
        matches!(self, Self::AwaitingPayment | Self::PaymentUnknown)
    }

    /// Whether the buyer may download.
    pub fn is_granted(self) -> bool {
        matches!(self, Self::Settled | Self::Disputed)
    }
}

impl fmt::Display for PurchaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a purchase is paid.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum PaymentMethod {
    Credits,
    Stripe,
}

/// Why a buyer hands back what was downloaded.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum ReturnReason {
    NotAsDescribed,
    DoesNotWork,
    BoughtByMistake,
    Other,
}

/// What a buyer asks for.
#[derive(Debug, Clone)]
pub struct PurchaseRequest {
    pub buyer: UserId,
    pub api_key: ApiKeyId,
    pub package_type: String,
    pub package: PackagePublicId,
    pub payment_method: PaymentMethod,
    /// The card as its provider calls it; without one the buyer chooses at the provider.
    pub payment_method_id: Option<String>,
    /// Whether there is a card provider.
    pub are_cards_on: bool,
    /// Refused if the listing asks another price.
    pub expected_price_minor: Option<i64>,
    /// The price is no higher than this quote's.
    pub quote: Option<Opened>,
    pub webhook_url: Option<String>,
    pub request_id: String,
}

impl PurchaseRequest {
    /// Whether a card pays; what costs nothing needs no payment.
    pub(super) fn is_by_card(&self, price_minor: i64) -> bool {
        self.payment_method == PaymentMethod::Stripe && price_minor > 0
    }

    /// Whether a card can pay, if one is to.
    pub(super) fn check_card(&self, price_minor: i64) -> Result<(), PurchaseError> {
        if self.is_by_card(price_minor) {
            check_card(self.are_cards_on, price_minor)?;
        }
        Ok(())
    }

    /// Digest of what an idempotency key stands for.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        let content = serde_json::json!([
            self.package_type,
            self.package,
            self.payment_method,
            self.payment_method_id,
            self.expected_price_minor,
            self.webhook_url,
            self.quote.as_ref().map(|quote| quote.id),
        ]);
        Sha256::digest(content.to_string()).to_vec()
    }
}

/// Whether a card can pay that price.
pub(super) fn check_card(are_cards_on: bool, price_minor: i64) -> Result<(), PurchaseError> {
    if !are_cards_on {
        return Err(PurchaseError::CardsAreOff);
    }
    if !(CARD_AMOUNT_MINOR_MIN..=CARD_AMOUNT_MINOR_MAX).contains(&price_minor) {
        return Err(PurchaseError::NotByCard);
    }
    Ok(())
}

/// A purchase as commands see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Purchase {
    pub id: PurchaseId,
    pub package_id: PackageId,
    pub package_public_id: PackagePublicId,
    pub package_type: String,
    pub buyer_id: UserId,
    pub seller_id: UserId,
    pub api_key_id: ApiKeyId,
    pub license_mode: String,
    pub price_minor: i64,
    pub fee_minor: i64,
    pub net_minor: i64,
    pub currency: String,
    pub payment_method: PaymentMethod,
    pub request_id: String,
    pub webhook_url: Option<String>,
    pub state: PurchaseState,
    /// Whether it counts against the supply of its listing.
    pub takes_supply: bool,
    pub grant_expires_at: Option<DateTime<Utc>>,
    pub settled_at: Option<DateTime<Utc>>,
}

impl Purchase {
    /// The price and its parts.
    pub fn split(&self) -> Split {
        Split {
            price_minor: self.price_minor,
            fee_minor: self.fee_minor,
            net_minor: self.net_minor,
        }
    }
}

/// A purchase as its two sides see it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PurchaseView {
    pub id: PurchaseId,
    pub package_public_id: PackagePublicId,
    pub package_type: String,
    pub package_name: String,
    pub package_sha256: Vec<u8>,
    pub w_matrix_sha256: Vec<u8>,
    pub buyer_id: UserId,
    pub seller_id: UserId,
    pub license_mode: String,
    pub price_minor: i64,
    pub fee_minor: i64,
    pub net_minor: i64,
    pub currency: String,
    pub payment_method: PaymentMethod,
    pub state: PurchaseState,
    pub reason_code: Option<String>,
    pub reason: Option<String>,
    pub version: i64,
    /// Until when supply is kept for it, while it is not paid.
    pub reserved_until: Option<DateTime<Utc>>,
    /// Until when it may be paid or settled.
    pub expires_at: DateTime<Utc>,
    pub grant_expires_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub settled_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}
