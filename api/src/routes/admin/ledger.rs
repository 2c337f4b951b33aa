//! `/admin/credits` and `/admin/ledger`: give credits, audit the books.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::audit::{self as log, ActId, Details};
use common::ids::UserId;
use common::ledger::audit;
use common::ledger::commands::{Adjustment, adjust};
use common::money::{DEFAULT_CURRENCY, decimal_number, parse_signed_minor};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::error::{ApiError, Code};
use crate::extract::Json;
use crate::middleware::RequestId;
use crate::routes::success;
use crate::state::ApiState;

/// Credits to be given, or taken with a minus.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Credits {
    /// Whose. Names look alike, ids do not.
    user_id: UserId,
    /// Decimal text such as `12.50`.
    amount: String,
    reason: String,
    #[serde(default = "default_currency")]
    currency: String,
    /// The same id has its effect once.
    #[serde(default = "Uuid::now_v7")]
    id: Uuid,
}

fn default_currency() -> String {
    DEFAULT_CURRENCY.to_owned()
}

/// Gives credits: 201 if they moved now, 200 if this id moved them before.
pub async fn adjust_credits(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Json(credits): Json<Credits>,
) -> Result<Response, ApiError> {
    let amount_minor = parse_signed_minor(&credits.amount).map_err(|error| {
        ApiError::new(Code::InvalidInput, format!("amount {error}"))
            .field("amount", error.to_string())
    })?;
    let currency = crate::routes::ledger::currency(&credits.currency)?;
    let adjustment = Adjustment {
        id: credits.id,
        amount_minor,
        currency: currency.to_owned(),
        user: credits.user_id,
        reason: credits.reason,
        request_id,
    };
    let said = Details {
        reason: Some(&adjustment.reason),
        amount: Some((amount_minor, &adjustment.currency)),
        recipient: None,
    };
    log::describe(state.pool(), act, &said).await?;
    let adjusted = adjust(&state.outbox, &adjustment).await?;
    let given = Details {
        recipient: Some(adjustment.user),
        ..Details::default()
    };
    log::describe(state.pool(), act, &given).await?;
    if adjusted.is_new {
        tracing::warn!(adjustment.id = %credits.id, "An operator adjusted credits");
    }
    let data = json!({
        "id": credits.id,
        "user": adjusted.user_name,
        "userId": adjustment.user,
        "currency": adjustment.currency,
        "amount": decimal_number(amount_minor),
        "amountMinor": amount_minor,
        "isNew": adjusted.is_new,
    });
    let status = if adjusted.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(success(status, data))
}

/// Proves the books, now: `isSound`, and for each check its violations with an example.
pub async fn audit_ledger(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let audit = audit::audit(state.pool()).await?;
    let is_sound = audit.is_sound();
    Ok(success(
        StatusCode::OK,
        json!({ "isSound": is_sound, "audit": audit }),
    ))
}
