//! Who calls: an API key in `Authorization: Bearer ak_ai_…`, looked up before any body is read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use common::identity::{self, ApiKey, Permission, Principal};

use crate::error::{ApiError, Code};
use crate::state::ApiState;

/// A caller with a valid key, whatever it allows.
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

impl FromRequestParts<ApiState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(|| {
            ApiError::new(
                Code::Unauthorized,
                "Send your API key as Authorization: Bearer ak_ai_….",
            )
        })?;
        Ok(Self(authenticate(state, token).await?))
    }
}

macro_rules! caller_who_may {
    ($(#[$doc:meta])* $name:ident, $permission:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Principal);

        impl FromRequestParts<ApiState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &ApiState,
            ) -> Result<Self, ApiError> {
                let Caller(principal) = Caller::from_request_parts(parts, state).await?;
                if principal.may(Permission::$permission) {
                    return Ok(Self(principal));
                }
                let permission = Permission::$permission;
                let message = format!("This API key lacks the permission {permission}.");
                Err(ApiError::new(Code::Forbidden, message))
            }
        }
    };
}

caller_who_may!(/// A caller whose key may upload and sell.
    Uploader, Upload);
caller_who_may!(/// A caller whose key may buy.
    Purchaser, Purchase);
caller_who_may!(/// A caller whose key may download.
    Downloader, Download);

impl FromRequestParts<ApiState> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        match parts.headers.get(header::AUTHORIZATION) {
            None => Ok(Self(None)),
            Some(_) => Ok(Self(Some(
                authenticate(state, bearer(&parts.headers).unwrap_or_default()).await?,
            ))),
        }
    }
}

async fn authenticate(state: &ApiState, token: &str) -> Result<Principal, ApiError> {
    let refused = || ApiError::new(Code::Unauthorized, "The API key is not valid.");
    let key = ApiKey::parse(token).ok_or_else(refused)?;
    identity::authenticate(state.pool(), &key)
        .await?
        .ok_or_else(refused)
}
