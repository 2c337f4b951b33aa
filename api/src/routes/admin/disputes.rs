//! `/admin/disputes`: list, inspect, decide.

use axum::Extension;
use axum::extract::State;
use common::audit::{self, ActId, Details};
use common::disputes::{
    self, Decision, DisputeError, DisputeFilter, DisputeState, DisputeSummary, commands,
};
use common::ids::DisputeId;
use common::limits::REASON_CHARS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Answer;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::disputes::{Dispute, Followable};
use crate::routes::free_text;
use crate::routes::page::{self, LongLimit, NextCursor, PageCursor};
use crate::state::ApiState;

/// Which disputes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DisputeQuery {
    /// Only disputes in this state.
    state: Option<DisputeState>,
    cursor: Option<PageCursor>,
    limit: Option<LongLimit>,
}

/// How a dispute ends, and why.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    decision: Decision,
    /// The reason, which buyer and seller read.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX))]
    note: String,
}

/// A page of disputes, newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisputePage {
    disputes: Vec<DisputeSummary>,
    next_cursor: NextCursor,
}

/// A page, newest first.
pub async fn list_disputes(
    State(state): State<ApiState>,
    Query(query): Query<DisputeQuery>,
) -> Result<Answer<DisputePage>, ApiError> {
    let filter = DisputeFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_ref(), DisputeId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = disputes::list(state.pool(), &filter).await?;
    Ok(Answer::ok(DisputePage {
        next_cursor: page::next(&found, filter.limit, |dispute| dispute.id),
        disputes: found,
    }))
}

/// One dispute, with its measurement.
pub async fn get_any_dispute(
    State(state): State<ApiState>,
    Path(id): Path<DisputeId>,
) -> Result<Answer<Dispute>, ApiError> {
    show(&state, id).await
}

/// Decides a dispute; the first decision stands.
pub async fn decide_dispute(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<DisputeId>,
    Json(new): Json<DecisionRequest>,
) -> Result<Answer<Dispute>, ApiError> {
    let note = free_text::required("note", &new.note, REASON_CHARS_MAX)?;
    let said = Details {
        reason: Some(&note),
        ..Details::default()
    };
    audit::describe(state.pool(), act, &said).await?;
    commands::decide(&state.outbox, id, new.decision, &note, &request_id.0).await?;
    tracing::warn!(dispute.id = %id, dispute.decision = new.decision.as_str(), "An operator decided a dispute");
    if let Some(dispute) = disputes::find_view(state.pool(), id, None).await? {
        let (amount_minor, recipient) = match new.decision {
            Decision::Refund => (dispute.price_minor, dispute.buyer_id),
            Decision::Release => (dispute.net_minor, dispute.seller_id),
        };
        let moved = Details {
            amount: Some((amount_minor, &dispute.currency)),
            recipient: Some(recipient),
            ..Details::default()
        };
        audit::describe(state.pool(), act, &moved).await?;
    }
    show(&state, id).await
}

async fn show(state: &ApiState, id: DisputeId) -> Result<Answer<Dispute>, ApiError> {
    let dispute = disputes::find_view(state.pool(), id, None).await?;
    let dispute = dispute.ok_or(DisputeError::NotFound)?;
    Ok(Answer::ok(Followable(dispute).body()))
}
