//! `POST /api/ai/webhooks/endpoints/{endpointId}/test`.

use axum::Extension;
use axum::extract::State;
use common::webhooks::EventType;
use common::webhooks::endpoints::commands;
use schemars::JsonSchema;
use serde::Deserialize;

use super::deliveries::answer_of_send;
use super::delivery_view::DeliveryTimeline;
use super::endpoint_id;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json, Path, PreferWait};
use crate::middleware::RequestId;
use crate::state::ApiState;

/// Which event to send.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointTrial")]
pub struct Trial {
    /// The default is `endpoint.test`. The example of another type is sent with `"test": true`.
    #[schemars(extend("examples" = ["upload.completed"]))]
    event_type: Option<String>,
}

/// Sends `endpoint.test`, or the example of another event type marked as a test, to the endpoint, once and over the
/// same way as real events, and answers what the receiver said.
pub async fn test_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    PreferWait(wait): PreferWait,
    Extension(RequestId(request_id)): Extension<RequestId>,
    Path(id): Path<String>,
    body: Option<Json<Trial>>,
) -> Result<Answer<DeliveryTimeline>, ApiError> {
    let wanted = body.and_then(|Json(body)| body.event_type);
    let event_type = match wanted.as_deref() {
        None => EventType::EndpointTest,
        Some(text) => text.parse().map_err(|fault: String| {
            let message = format!("eventType: {fault}.");
            ApiError::new(Code::InvalidInput, message).field("eventType", fault)
        })?,
    };
    let id = endpoint_id(&id)?;
    let owner = principal.user;
    let delivery = commands::test(&state.outbox, id, owner, event_type, &request_id).await?;
    answer_of_send(&state, delivery, &principal, wait, 0).await
}
