//! `Lease-Token`: a write that is to happen only while its caller holds a lease.
//!
//! The lease is looked at once before the handler, so that a late writer is refused before anything is done; and each
//! transaction of the handler begins by holding it ([`common::db::under_lease`]), so that a writer who is late only then
//! is refused as well.

use axum::extract::{FromRequestParts as _, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::db::{self, HeldLease};
use common::leases::{self, LeaseError, Loss};

use super::Identity;
use crate::error::ApiError;
use crate::extract::LeaseHeader;
use crate::state::ApiState;

/// Runs a request, under the lease that it names.
pub async fn under_lease(state: &ApiState, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    let lease = match is_read {
        true => Ok(None),
        false => match Option::<LeaseHeader>::from_request_parts(&mut head, state).await {
            Ok(None) => Ok(None),
            Ok(Some(header)) => held(state, head.extensions.get(), &header).await.map(Some),
            Err(error) => Err(error),
        },
    };
    match lease {
        Ok(lease) => db::under_lease(lease, next.run(Request::from_parts(head, body))).await,
        Err(error) => error.into_response(),
    }
}

/// The lease, if it is the caller's account's and held. Whoever has no account holds none.
async fn held(
    state: &ApiState,
    identity: Option<&Identity>,
    LeaseHeader(token): &LeaseHeader,
) -> Result<HeldLease, ApiError> {
    let caller = identity.and_then(|Identity(identity)| identity.as_ref().ok()?.as_ref());
    let Some(caller) = caller else {
        return Err(LeaseError::Lost(Loss::Unknown).into());
    };
    Ok(leases::find_held(state.pool(), caller.user, token).await?)
}
