//! What a caller needs for each operation.
//!
//! [`refused`] holds every request against the table of operations before a handler runs; the document takes
//! `security` and `x-permission` from it, and the tests take both from the document.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use common::identity::{Permission, Principal};
use common::uploads::FieldFault;

use self::Access::{Anyone, May, Operator, Optional, Provider, Session, SignedIn};
use crate::contract::{self, Operation};
use crate::error::{ApiError, Code};
use crate::extract::{QueryPairs, rule};
use crate::middleware::{self, Identity};
use crate::openapi;

/// What a caller needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing; a key that is sent is not looked at.
    Anyone,
    /// Nothing, but a key that is sent must be good.
    Optional,
    /// The card provider's signature, which the handler checks over the body.
    Provider,
    /// Any key or session.
    SignedIn,
    /// A session.
    Session,
    /// A key with this permission, or a session.
    May(Permission),
    /// The operators' token or a session of an operator, which `require_admin` finds.
    Operator,
}

/// Why a request goes no further, if it does not. What has no route is left to the router.
pub fn refused(request: &Request) -> Option<Response> {
    let extensions = request.extensions();
    let route = extensions.get::<MatchedPath>()?.as_str();
    let Some(operation) = contract::find(request.method(), route) else {
        return Some(not_served(route));
    };
    let nobody = Identity(Ok(None));
    let Identity(identity) = extensions.get().unwrap_or(&nobody);
    let is_operator = extensions.get::<middleware::Operator>().is_some();
    check(operation.access, identity.as_ref(), is_operator)
        .and_then(|()| check_query(operation, extensions.get()))
        .err()
        .map(|error| error.into_response())
}

/// A parameter that an operation does not have is refused, so that none is misspelt in silence.
fn check_query(operation: &Operation, query: Option<&QueryPairs>) -> Result<(), ApiError> {
    let pairs: Vec<(&str, &str)> = query.map_or_else(Vec::new, |query| query.iter().collect());
    if pairs.is_empty() {
        return Ok(());
    }
    let known = openapi::query_names(operation);
    let is_unknown = |name: &str| known.iter().all(|known| known != name);
    let unknown = pairs.iter().filter(|(name, _)| is_unknown(name));
    let faults: Vec<FieldFault> = unknown
        .map(|(name, _)| match *name {
            "dryRun" => FieldFault::new("dryRun", "is unknown: this cannot be tried out"),
            name => FieldFault::new(name, rule::unknown(name, known.iter().map(String::as_str))),
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ApiError::fields(&faults))
    }
}

fn check(
    access: Access,
    identity: Result<&Option<Principal>, &ApiError>,
    is_operator: bool,
) -> Result<(), ApiError> {
    let caller = || match identity {
        Ok(Some(caller)) => Ok(caller),
        Ok(None) => Err(ApiError::new(
            Code::Unauthorized,
            "Send your API key as Authorization: Bearer ak_ai_….",
        )),
        Err(error) => Err(error.clone()),
    };
    match access {
        Anyone | Provider => Ok(()),
        Optional => identity.map(drop).map_err(ApiError::clone),
        SignedIn => caller().map(drop),
        Session if caller()?.session.is_some() => Ok(()),
        Session => Err(ApiError::new(
            Code::Forbidden,
            "This needs an access token; an API key has no session.",
        )),
        May(permission) if caller()?.may(permission) => Ok(()),
        May(permission) => {
            let message = format!("This API key lacks the permission {permission}.");
            Err(ApiError::new(Code::Forbidden, message))
        }
        Operator if is_operator => Ok(()),
        Operator => Err(ApiError::new(
            Code::Unauthorized,
            "This needs the operators' token.",
        )),
    }
}

/// A route without that method.
fn not_served(route: &str) -> Response {
    let operations = contract::of_route(route).iter();
    let mut allowed: Vec<&str> = operations
        .map(|operation| operation.method.as_str())
        .collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    let error = ApiError::new(
        Code::MethodNotAllowed,
        "This path does not take this method.",
    );
    let mut response = error.into_response();
    if let Ok(allowed) = HeaderValue::from_str(&allowed.join(", ")) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

#[cfg(test)]
mod tests {
    use common::ids::{ApiKeyId, SessionId, UserId};

    use super::*;

    fn caller(permissions: &[Permission], session: Option<SessionId>) -> Option<Principal> {
        Some(Principal {
            user: UserId::new(),
            key: ApiKeyId::new(),
            permissions: permissions.to_vec(),
            session,
            is_admin: false,
        })
    }

    fn status(access: Access, caller: &Option<Principal>, is_operator: bool) -> u16 {
        let checked = check(access, Ok(caller), is_operator);
        checked.map_or_else(|error| error.code.status().as_u16(), |()| 200)
    }

    #[test]
    fn a_key_opens_what_its_permissions_name_and_a_session_everything_but_what_operators_do() {
        let session = caller(&Permission::ALL, Some(SessionId::new()));
        for operation in contract::OPERATIONS.iter() {
            let access = operation.access;
            let (nobody, narrow, owner) = match access {
                Anyone | Provider | Optional => (200, 200, 200),
                SignedIn => (401, 200, 200),
                Session | May(_) => (401, 403, 200),
                Operator => (401, 401, 401),
            };
            let others = Permission::ALL
                .into_iter()
                .filter(|permission| access != May(*permission));
            let lacking = caller(&others.collect::<Vec<_>>(), None);
            assert_eq!(status(access, &None, false), nobody, "{operation:?}");
            assert_eq!(status(access, &lacking, false), narrow, "{operation:?}");
            assert_eq!(status(access, &session, false), owner, "{operation:?}");
            assert_eq!(status(access, &session, true), 200, "{operation:?}");
        }
    }

    #[test]
    fn a_bad_key_is_refused_wherever_a_key_is_looked_at() {
        let bad = ApiError::new(Code::Unauthorized, "no");
        for operation in contract::OPERATIONS.iter() {
            let is_ignored = matches!(operation.access, Anyone | Provider | Operator);
            let checked = check(operation.access, Err(&bad), true);
            assert_eq!(checked.is_ok(), is_ignored, "{operation:?}");
        }
    }
}
