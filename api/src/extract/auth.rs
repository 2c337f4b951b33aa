//! Who calls, as `identify` found it before any body was read. What a caller may do has been checked by
//! then: [`crate::access`] is the one place where that is written.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use common::identity::Principal;

use crate::contract::Input;
use crate::error::{ApiError, Code};
use crate::middleware::Identity;

/// A caller with a valid key or session.
#[derive(Debug, Clone)]
pub struct Caller(pub Principal);

/// A caller, if a key was sent; a key that is sent must be good.
#[derive(Debug, Clone)]
pub struct MaybeCaller(pub Option<Principal>);

/// The token of an `Authorization: Bearer` header.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Input for Caller {}
impl Input for MaybeCaller {}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let MaybeCaller(caller) = MaybeCaller::from_request_parts(parts, state).await?;
        caller.map(Self).ok_or_else(|| {
            ApiError::new(
                Code::Unauthorized,
                "Send your API key as Authorization: Bearer ak_ai_….",
            )
        })
    }
}

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Identity>() {
            Some(Identity(identity)) => identity.clone().map(Self),
            None => Ok(Self(None)),
        }
    }
}
