//! `POST /api/ai/quotes`: a price that holds for ten minutes.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::SecondsFormat;
use common::ids::PackagePublicId;
use common::money::decimal_number;
use common::quotes::QuoteError;
use common::quotes::commands::{self, Issued, QuoteRequest};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::extract::{Caller, Json, NumberText};
use crate::routes::purchases::expected_minor;
use crate::routes::success;
use crate::state::ApiState;

/// What is to be quoted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewQuote {
    package_type: String,
    package_id: String,
    #[serde(default)]
    expected_price: Option<NumberText>,
}

/// Answers the price with a signed promise of it. `quoteId` or `quote` goes into the purchase.
pub async fn create_quote(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Json(new): Json<NewQuote>,
) -> Result<Response, ApiError> {
    let (Ok(package_type), Some(package)) = (
        new.package_type.parse(),
        PackagePublicId::parse(&new.package_id),
    ) else {
        return Err(QuoteError::PackageNotFound.into());
    };
    let request = QuoteRequest {
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
    Ok(success(StatusCode::CREATED, body(&issued)))
}

fn body(issued: &Issued) -> Value {
    let claims = &issued.claims;
    json!({
        "quoteId": claims.quote_id,
        "quote": issued.token,
        "packageId": claims.package_id,
        "packageType": claims.package_type,
        "price": decimal_number(claims.amount_minor),
        "priceMinor": claims.amount_minor,
        "currency": claims.currency,
        "listingVersion": claims.listing_version,
        "packageSha256": claims.package_sha256,
        "wMatrixSha256": claims.w_matrix_sha256,
        "expiresAt": issued.expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}
