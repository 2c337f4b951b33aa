//! `POST /api/ai/leases`.

use std::time::Duration;

use axum::extract::State;
use common::ids::UserId;
use common::leases::Resource;
use common::leases::commands::{self, NewLease};
use common::limits::{
    LEASE_OWNER_CHARS_MAX, LEASE_TTL_MS_MAX, LEASE_TTL_MS_MIN, LEASE_WAIT_MS_MAX,
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::view::GrantedLease;
use super::{milliseconds, ttl_ms};
use crate::contract::Answer;
use crate::credential_watch::CredentialWatch;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, Json};
use crate::routes::free_text;
use crate::state::ApiState;

/// A lease to be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseRequest {
    resource: Resource,
    /// Who of yours is to hold it: a name of your choice, which others of your account are shown.
    #[serde(default)]
    #[schemars(length(min = 1, max = LEASE_OWNER_CHARS_MAX))]
    owner: Option<String>,
    /// How long it lasts if it is not extended, in milliseconds; 30,000 if nothing is said.
    #[serde(default)]
    #[schemars(range(min = LEASE_TTL_MS_MIN, max = LEASE_TTL_MS_MAX))]
    ttl_ms: Option<i64>,
    /// How long to wait for it, in milliseconds; not at all if nothing is said.
    #[serde(default)]
    #[schemars(range(min = 0, max = LEASE_WAIT_MS_MAX))]
    wait_ms: Option<i64>,
}

/// Grants a lease, at once or when those who came first are done.
pub async fn acquire_lease(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Json(body): Json<LeaseRequest>,
) -> Result<Answer<GrantedLease>, ApiError> {
    let new = body.checked(principal.user)?;
    let location = format!("/api/ai/leases/{}", new.resource);
    let mut credential = CredentialWatch::new(&state, Some(&principal));
    let granted = tokio::select! {
        // What was revoked is granted nothing.
        biased;
        error = credential.ended() => return Err(error),
        granted = commands::acquire(&state.outbox, new) => granted?,
        () = state.stopping.cancelled() => return Err(stopping()),
    };
    Ok(Answer::created(granted.into(), &location).uncached())
}

fn stopping() -> ApiError {
    let message = "This process stops, and has given up your place in line. Ask again.";
    let mut error = ApiError::new(Code::ServiceUnavailable, message);
    error.retry_after_seconds = Some(1);
    error
}

impl LeaseRequest {
    fn checked(self, owner: UserId) -> Result<NewLease, ApiError> {
        let wait = milliseconds("waitMs", self.wait_ms.unwrap_or(0), 0, LEASE_WAIT_MS_MAX)?;
        Ok(NewLease {
            owner,
            resource: self.resource,
            holder: free_text::optional("owner", self.owner.as_deref(), LEASE_OWNER_CHARS_MAX)?,
            ttl: Duration::from_millis(ttl_ms(self.ttl_ms)?),
            wait: Duration::from_millis(wait),
        })
    }
}
