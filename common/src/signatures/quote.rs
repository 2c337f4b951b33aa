//! What a quote says: for this buyer, this package in these bytes costs this much until then.

use package::PackageType;
use serde::{Deserialize, Serialize};

use crate::ids::{PackagePublicId, UserId};

/// The claims of a quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The public address of the marketplace.
    pub iss: String,
    /// The quote again.
    pub sub: String,
    /// When it was made, in epoch seconds.
    pub iat: i64,
    /// The first second in which it does not hold any more, in epoch seconds.
    pub exp: i64,
    pub quote_id: String,
    pub buyer_id: UserId,
    pub package_id: PackagePublicId,
    pub package_type: PackageType,
    /// The version of the listing that the price was read from.
    pub listing_version: i64,
    /// In minor units of the currency.
    pub amount_minor: i64,
    pub currency: String,
    /// The amount as decimal text.
    pub price: String,
    /// Of the package's bytes, lower-case hex.
    pub package_sha256: String,
    /// Of the W-matrix's bytes, lower-case hex.
    pub w_matrix_sha256: String,
}

impl Quote {
    /// The `typ` of a quote.
    pub const TYP: &'static str = "awareness-quote+jwt";

    /// Whether it holds at that time (RFC 7519, section 4.1.4: not on or after `exp`).
    pub fn is_live_at(&self, unix_seconds: i64) -> bool {
        unix_seconds < self.exp
    }
}
