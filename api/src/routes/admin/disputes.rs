//! `/admin/disputes`: list, inspect, decide.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use common::audit::{self, ActId, Details};
use common::disputes::{self, Decision, DisputeError, DisputeFilter, DisputeState, commands};
use common::ids::DisputeId;
use common::limits::REASON_CHARS_MAX;
use serde::Deserialize;
use serde_json::json;

use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::follow::Status as _;
use crate::middleware::RequestId;
use crate::routes::disputes::Shown;
use crate::routes::page::{self, Pages};
use crate::routes::{free_text, success};
use crate::state::ApiState;

/// Which disputes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DisputeQuery {
    state: Option<DisputeState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// How a dispute ends, and why; its parties read the note.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    decision: Decision,
    note: String,
}

/// A page, newest first.
pub async fn list_disputes(
    State(state): State<ApiState>,
    Query(query): Query<DisputeQuery>,
) -> Result<Response, ApiError> {
    let filter = DisputeFilter {
        state: query.state,
        before: page::cursor(query.cursor.as_deref(), DisputeId::parse)?,
        limit: Pages::LONG.limit(query.limit)?,
    };
    let found = disputes::list(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |dispute| dispute.id);
    Ok(success(
        StatusCode::OK,
        json!({ "disputes": found, "nextCursor": next }),
    ))
}

/// One dispute, with its measurement.
pub async fn get_dispute(
    State(state): State<ApiState>,
    Path(id): Path<DisputeId>,
) -> Result<Response, ApiError> {
    show(&state, id).await
}

/// Decides a dispute; the first decision stands.
pub async fn decide_dispute(
    State(state): State<ApiState>,
    Extension(act): Extension<ActId>,
    Extension(request_id): Extension<RequestId>,
    Path(id): Path<DisputeId>,
    Json(new): Json<NewDecision>,
) -> Result<Response, ApiError> {
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

async fn show(state: &ApiState, id: DisputeId) -> Result<Response, ApiError> {
    let dispute = disputes::find_view(state.pool(), id, None).await?;
    let shown = Shown(dispute.ok_or(DisputeError::NotFound)?);
    Ok(success(StatusCode::OK, shown.body()))
}
