//! The card of an agent, where clients of A2A look for it.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse as _, Response};
use common::agents::{AgentError, card};

use super::registry::agent_id;
use crate::error::ApiError;
use crate::extract::Path;
use crate::state::ApiState;

/// An agent that goes is shown no longer than this.
const CACHING: &str = "public, max-age=300";

/// The card as it came, without our envelope.
pub async fn get_agent_card(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let document = card::find_document(state.pool(), &agent_id(&id)?).await?;
    let document = document.ok_or(AgentError::NoCard)?;
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHING)];
    Ok((headers, document).into_response())
}
