//! Who calls, as `identify` found it before any body was read.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use common::identity::{Permission, Principal};

use crate::error::{ApiError, Code};
use crate::middleware::Identity;

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

macro_rules! caller_who_may {
    ($(#[$doc:meta])* $name:ident, $permission:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Principal);

        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
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
caller_who_may!(/// A caller whose key may manage the account.
    Manager, Account);

impl<S: Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.extensions.get::<Identity>() {
            Some(Identity(identity)) => identity.clone().map(Self),
            None => Ok(Self(None)),
        }
    }
}
