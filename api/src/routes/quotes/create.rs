//! `POST /api/ai/quotes`: a price that holds for ten minutes.

use axum::extract::State;
use axum::http::StatusCode;
use common::ids::PackagePublicId;
use common::quotes::QuoteError;
use common::quotes::commands::{self, Issued};
use common::wire::{Currency, Timestamp};
use package::PackageType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{Answer, Price};
use crate::error::ApiError;
use crate::extract::{Caller, Json, NumberText};
use crate::routes::purchases::expected_minor;
use crate::state::ApiState;

/// What is to be quoted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuoteRequest {
    #[schemars(with = "PackageType")]
    package_type: String,
    #[schemars(with = "PackagePublicId")]
    package_id: String,
    /// Refuses another price than this one.
    #[serde(default)]
    expected_price: Option<NumberText>,
}

/// A price that holds for ten minutes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quote {
    /// The quote, which goes into a purchase as `quoteId`.
    quote_id: String,
    /// The quote as a signed statement (JWS); it goes into a purchase as well.
    quote: String,
    package_id: PackagePublicId,
    package_type: PackageType,
    #[serde(flatten)]
    price: Price,
    currency: Currency,
    /// The version of the listing that the price was read from.
    listing_version: i64,
    /// The SHA-256 of the package, in hexadecimal digits.
    package_sha256: String,
    /// The SHA-256 of its alignment matrix.
    w_matrix_sha256: String,
    /// Until when the price holds.
    expires_at: Timestamp,
}

/// Answers the price with a signed promise of it. `quoteId` or `quote` goes into the purchase.
pub async fn create_quote(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Json(new): Json<QuoteRequest>,
) -> Result<Answer<Quote>, ApiError> {
    let (Ok(package_type), Some(package)) = (
        new.package_type.parse(),
        PackagePublicId::parse(&new.package_id),
    ) else {
        return Err(QuoteError::PackageNotFound.into());
    };
    let request = commands::QuoteRequest {
        buyer: principal.user,
        package_type,
        package,
        expected_price_minor: expected_minor(new.expected_price)?,
    };
    let issued = commands::create(
        state.pool(),
        &state.signer,
        &state.public_base_url,
        &request,
    )
    .await?;
    Ok(Answer::with(StatusCode::CREATED, issued.into()))
}

impl From<Issued> for Quote {
    fn from(issued: Issued) -> Self {
        let claims = issued.claims;
        Self {
            quote_id: claims.quote_id,
            quote: issued.token,
            package_id: claims.package_id,
            package_type: claims.package_type,
            price: Price::new(claims.amount_minor),
            currency: Currency(claims.currency),
            listing_version: claims.listing_version,
            package_sha256: claims.package_sha256,
            w_matrix_sha256: claims.w_matrix_sha256,
            expires_at: issued.expires_at.into(),
        }
    }
}
