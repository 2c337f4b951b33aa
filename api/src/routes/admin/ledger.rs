//! `/admin/credits` and `/admin/ledger`: give credits, audit the books.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use common::audit::{self as log, ActId, Details};
use common::ids::UserId;
use common::ledger::audit::{self, Audit};
use common::ledger::commands::{Adjustment, adjust};
use common::money::{DEFAULT_CURRENCY, parse_signed_minor};
use common::wire::{Amount, Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::Json;
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Credits to give to a user, or to take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdjustmentRequest {
    /// The user, by id because names look alike.
    user_id: UserId,
    /// The amount as decimal text; less than zero takes credits.
    #[schemars(regex(pattern = r"^-?[0-9]+(\.[0-9]{1,2})?$"), example = &"12.50")]
    amount: String,
    /// Why.
    reason: String,
    #[serde(default = "default_currency")]
    #[schemars(with = "Currency")]
    currency: String,
    /// An id of your choice: a second request with it changes nothing.
    #[serde(default)]
    id: Option<Uuid>,
}

/// Credits that were given to a user, or taken.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdjustedCredits {
    /// The id of the adjustment.
    id: Uuid,
    /// The user's name.
    user: String,
    user_id: UserId,
    currency: Currency,
    /// The amount; less than zero if credits were taken.
    amount: Amount,
    /// The amount in minor units.
    amount_minor: i64,
    /// Whether this request changed the credits, rather than an earlier one with this id.
    is_new: bool,
}

/// The result of an audit of the ledger.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerAudit {
    /// Whether every check found nothing.
    is_sound: bool,
    audit: Audit,
}

fn default_currency() -> String {
    DEFAULT_CURRENCY.to_owned()
}

/// Gives credits: 201 if they moved now, 200 if this id moved them before.
pub async fn adjust_credits(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Json(credits): Json<AdjustmentRequest>,
) -> Result<Answer<AdjustedCredits>, ApiError> {
    let amount_minor = parse_signed_minor(&credits.amount).map_err(|error| {
        ApiError::new(Code::InvalidInput, format!("amount {error}"))
            .field("amount", error.to_string())
    })?;
    let currency = crate::routes::ledger::currency(&credits.currency)?;
    let id = credits.id.unwrap_or_else(Uuid::now_v7);
    let adjustment = Adjustment {
        id,
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
        tracing::warn!(adjustment.id = %id, "An operator adjusted credits");
    }
    let status = if adjusted.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    let adjusted = AdjustedCredits {
        id,
        user: adjusted.user_name,
        user_id: adjustment.user,
        currency: Currency(adjustment.currency),
        amount: Amount(amount_minor),
        amount_minor,
        is_new: adjusted.is_new,
    };
    Ok(Answer::with(status, adjusted))
}

/// Proves the books, now.
pub async fn audit_ledger(State(state): State<ApiState>) -> Result<Answer<LedgerAudit>, ApiError> {
    let audit = audit::audit(state.pool()).await?;
    Ok(Answer::ok(LedgerAudit {
        is_sound: audit.is_sound(),
        audit,
    }))
}
