//! `/admin/chargebacks`: payments that cards ask back, and what operators say to that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::cards::ReversalState;
use common::chargebacks::{self, ChargebackFilter, commands};
use common::ids::ChargebackId;
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

/// Which chargebacks.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChargebackQuery {
    state: Option<ReversalState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// What is said to a dispute.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    evidence: String,
}

/// A page, newest first, with until when each is answered.
pub async fn list_chargebacks(
    State(state): State<ApiState>,
    Query(query): Query<ChargebackQuery>,
) -> Result<Response, ApiError> {
    let filter = ChargebackFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_deref(), ChargebackId::parse)?,
        limit: Pages::LONG.limit(query.limit)?,
    };
    let found = chargebacks::list(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |chargeback| chargeback.id);
    Ok(success(
        StatusCode::OK,
        json!({ "chargebacks": found, "nextCursor": next }),
    ))
}

/// Takes the evidence; a worker hands it to the card provider.
pub async fn answer_chargeback(
    State(state): State<ApiState>,
    Path(id): Path<ChargebackId>,
    Json(body): Json<Evidence>,
) -> Result<Response, ApiError> {
    commands::answer(&state.outbox, id, &body.evidence).await?;
    Ok(success(StatusCode::ACCEPTED, json!({ "chargebackId": id })))
}
