//! What a receipt says: who bought what from whom, for how much, and when it was settled.

use chrono::{DateTime, Utc};
use package::PackageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{PackagePublicId, UserId};

/// The claims of a receipt. It is signed from what is stored, so the same purchase gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The public address of the marketplace.
    pub iss: String,
    /// The purchase again, `pur_…`.
    pub sub: String,
    /// The settlement again, in epoch seconds.
    pub iat: i64,
    /// `pur_…`.
    pub purchase_id: String,
    pub buyer_id: UserId,
    pub seller_id: UserId,
    pub package_id: PackagePublicId,
    pub package_type: PackageType,
    /// `unlimited`, `limited` or `exclusive`.
    pub license_mode: String,
    /// What was paid, in minor units of the currency.
    pub amount_minor: i64,
    /// A currency by its ISO 4217 code.
    pub currency: String,
    /// What was paid, as decimal text.
    pub price: String,
    /// Of the package's bytes, lower-case hex.
    pub package_sha256: String,
    /// Of the W-matrix's bytes, lower-case hex.
    pub w_matrix_sha256: String,
    /// When it was settled.
    pub settled_at: DateTime<Utc>,
    /// When it was reversed, absent if it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refunded_at: Option<DateTime<Utc>>,
}

impl Receipt {
    /// The `typ` of a receipt.
    pub const TYP: &'static str = "awareness-receipt+jwt";
}
