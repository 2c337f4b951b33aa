//! `/admin/chargebacks`: payments that cards ask back, and what operators say to that.

use axum::extract::State;
use axum::http::StatusCode;
use common::cards::ReversalState;
use common::chargebacks::{self, Chargeback, ChargebackFilter, commands};
use common::ids::ChargebackId;
use common::limits::EVIDENCE_CHARS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which chargebacks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChargebackQuery {
    /// Only chargebacks in this state.
    state: Option<ReversalState>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// The answer to a cardholder's dispute.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRequest {
    /// What supports the payment, in words.
    #[schemars(length(min = 1, max = EVIDENCE_CHARS_MAX))]
    evidence: String,
}

/// A page of chargebacks, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargebackPage {
    chargebacks: Vec<Chargeback>,
    next_cursor: NextCursor,
}

/// A chargeback that was answered.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnsweredChargeback {
    chargeback_id: ChargebackId,
}

/// A page, newest first, with until when each is answered.
pub async fn list_chargebacks(
    State(state): State<ApiState>,
    Query(query): Query<ChargebackQuery>,
) -> Result<Answer<ChargebackPage>, ApiError> {
    let filter = ChargebackFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_ref(), ChargebackId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = chargebacks::list(state.pool(), &filter).await?;
    Ok(Answer::ok(ChargebackPage {
        next_cursor: page::next(&found, filter.limit, |chargeback| chargeback.id),
        chargebacks: found,
    }))
}

/// Takes the evidence; a worker hands it to the card provider.
pub async fn answer_chargeback(
    State(state): State<ApiState>,
    Path(id): Path<ChargebackId>,
    Json(body): Json<EvidenceRequest>,
) -> Result<Answer<AnsweredChargeback>, ApiError> {
    commands::answer(&state.outbox, id, &body.evidence).await?;
    let answered = AnsweredChargeback { chargeback_id: id };
    Ok(Answer::with(StatusCode::ACCEPTED, answered))
}
