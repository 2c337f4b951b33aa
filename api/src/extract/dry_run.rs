//! `?dryRun=true`: the command runs as it would, and is rolled back instead of committed. So it is
//! refused for whatever the real one would be refused for, and changes nothing.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use common::outbox::Outbox;

use super::{QueryPairs, flag};
use crate::contract::Input;
use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// Whether the request only asks what would happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DryRun(pub bool);

impl DryRun {
    /// Where the command writes to.
    pub fn outbox(self, state: &ApiState) -> Outbox {
        if self.0 {
            state.outbox.dry_run()
        } else {
            state.outbox.clone()
        }
    }
}

impl TryFrom<&QueryPairs> for DryRun {
    type Error = ApiError;

    fn try_from(query: &QueryPairs) -> Result<Self, ApiError> {
        let text = query.get("dryRun").unwrap_or_default();
        if text.is_empty() {
            return Ok(Self(false));
        }
        flag(text).map(Self).ok_or_else(|| {
            let fault = "must be true or false";
            ApiError::new(Code::InvalidInput, format!("dryRun {fault}.")).field("dryRun", fault)
        })
    }
}

/// The answer says what it is for: [`Tried`](crate::contract::Tried).
impl Input for DryRun {}

impl<S: Sync> FromRequestParts<S> for DryRun {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        // What the limits were judged by, not a second reading.
        let noted = parts.extensions.get::<Self>();
        Ok(noted.copied().unwrap_or(Self(false)))
    }
}
