//! The `Lease-Token` header.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use common::leases::LeaseToken;

use crate::contract::{Input, Signature};
use crate::error::{ApiError, Code};

const LEASE_TOKEN: &str = "lease-token";

/// The token of a lease. Where a handler takes it, it is required; other writes may carry it, which the middleware sees.
#[derive(Debug, Clone)]
pub struct LeaseHeader(pub LeaseToken);

impl Input for LeaseHeader {
    fn describe(signature: &mut Signature) {
        signature.headers.push("Held-Lease-Token");
    }
}

impl<S: Sync> FromRequestParts<S> for LeaseHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts)?.ok_or_else(|| fault("is required: send the token of the lease"))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for LeaseHeader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, ApiError> {
        read(parts)
    }
}

fn read(parts: &Parts) -> Result<Option<LeaseHeader>, ApiError> {
    let mut values = parts.headers.get_all(LEASE_TOKEN).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(LeaseToken::parse);
    match (token, values.next()) {
        (Some(token), None) => Ok(Some(LeaseHeader(token))),
        _ => Err(fault(
            "must be one token, which looks like lt_<32 hex digits>",
        )),
    }
}

fn fault(rule: &str) -> ApiError {
    ApiError::new(Code::InvalidInput, format!("Lease-Token {rule}.")).field("Lease-Token", rule)
}
