//! The one table of operations: what a caller needs for each of them.
//!
//! [`OPERATIONS`] has a line for each. [`refused`] holds every request against it before a handler runs;
//! the document takes `security` and `x-permission` from it, and the tests take both from the document.
//! An operation that is not in the table is not served. A further column is a field of [`Operation`].

mod table;

use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use common::identity::{Permission, Principal};
use common::uploads::FieldFault;

use self::Access::{Anyone, May, Operator, Optional, Provider, Session, SignedIn};
pub use self::table::Operation;
use crate::contract;
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

/// All operations.
pub static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let converted = contract::OPERATIONS.iter().map(|operation| Operation {
        method: operation.method.as_str(),
        route: operation.route,
        access: operation.access,
    });
    table::OPERATIONS.iter().copied().chain(converted).collect()
});

static BY_ROUTE: LazyLock<HashMap<&str, Vec<&Operation>>> = LazyLock::new(|| {
    let mut routes: HashMap<&str, Vec<&Operation>> = HashMap::new();
    for operation in OPERATIONS.iter() {
        routes.entry(operation.route).or_default().push(operation);
    }
    routes
});

/// The entry of a method of a route. `HEAD` is `GET`.
pub fn find(method: &str, route: &str) -> Option<&'static Operation> {
    let method = if method == "HEAD" { "GET" } else { method };
    let operations = BY_ROUTE.get(route)?;
    operations
        .iter()
        .copied()
        .find(|operation| operation.method == method)
}

/// Why a request goes no further, if it does not. What has no route is left to the router.
pub fn refused(request: &Request) -> Option<Response> {
    let extensions = request.extensions();
    let route = extensions.get::<MatchedPath>()?.as_str();
    let Some(operation) = find(request.method().as_str(), route) else {
        return Some(not_served(request.method(), route));
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
    let known = openapi::query_names(operation.method, operation.route);
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

/// A route without that method, and one that somebody forgot to enter here.
fn not_served(method: &Method, route: &str) -> Response {
    let Some(operations) = BY_ROUTE.get(route) else {
        tracing::error!(http.method = %method, http.route = route, "A route is not in the table of operations");
        return ApiError::new(Code::InternalError, "An internal error occurred.").into_response();
    };
    let mut allowed: Vec<&str> = operations
        .iter()
        .map(|operation| operation.method)
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
    fn an_operation_is_entered_once() {
        for (at, one) in OPERATIONS.iter().enumerate() {
            let again = |other: &&Operation| (other.method, other.route) == (one.method, one.route);
            assert_eq!(OPERATIONS[..at].iter().find(again), None);
        }
    }

    #[test]
    fn a_key_opens_what_its_permissions_name_and_a_session_everything_but_what_operators_do() {
        let session = caller(&Permission::ALL, Some(SessionId::new()));
        for operation in OPERATIONS.iter() {
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
        for operation in OPERATIONS.iter() {
            let is_ignored = matches!(operation.access, Anyone | Provider | Operator);
            let checked = check(operation.access, Err(&bad), true);
            assert_eq!(checked.is_ok(), is_ignored, "{operation:?}");
        }
    }

    #[test]
    fn head_is_get_and_nothing_else_is_another() {
        assert_eq!(find("HEAD", "/api/ai/me"), find("GET", "/api/ai/me"));
        assert_eq!(find("HEAD", "/api/ai/quotes"), None);
        assert_eq!(find("PUT", "/api/ai/me"), None);
    }
}
