//! Guards the operators' routes, and writes down what operators do.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::audit::{self, Act, ActorRole};
use common::ids::UserId;
use common::limits::AUDIT_TARGET_CHARS_MAX;
use common::secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::refused_operator::{self, Refused};
use super::{ClientAddress, Identity, RequestId, under_lease};
use crate::access;
use crate::error::{ApiError, Code};
use crate::extract::bearer;
use crate::state::ApiState;

/// Who operates: the holder of the operators' token, or a user of role admin in a session.
#[derive(Debug, Clone)]
pub struct Operator {
    user: Option<UserId>,
}

/// Lets a request of an operator through; what changes something is in the audit log before it happens, and
/// carries its [`audit::ActId`].
pub async fn require_admin(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Response {
    let (action, target) = named(&request);
    let (address, request_id) = traced(&request);
    let operator = match operator(&state, &request) {
        Ok(operator) => operator,
        Err(refused) => {
            let act = Act {
                actor: refused.actor(),
                actor_role: None,
                actor_id: refused.user,
                action: &action,
                target: &target,
                address: &address,
                request_id: &request_id,
            };
            return refused_operator::count(&state, &refused, &act)
                .await
                .into_response();
        }
    };
    let client = request.extensions().get::<ClientAddress>();
    let client = client.map(|address| address.0);
    if operator.user.is_none()
        && let Err(error) = refused_operator::check(&state, client).await
    {
        return error.into_response();
    }
    request.extensions_mut().insert(operator.clone());
    if let Some(refusal) = access::refused(&request) {
        return refusal;
    }
    if is_read(request.method()) {
        return next.run(request).await;
    }
    let act = Act {
        actor: match operator.user {
            Some(_) => "user",
            None => "operator token",
        },
        actor_role: Some(match operator.user {
            Some(_) => ActorRole::Admin,
            None => ActorRole::Operator,
        }),
        actor_id: operator.user,
        action: &action,
        target: &target,
        address: &address,
        request_id: &request_id,
    };
    let entry = match audit::begin(state.pool(), &act).await {
        Ok(entry) => entry,
        Err(error) => return ApiError::from(error).into_response(),
    };
    request.extensions_mut().insert(entry);
    let response = under_lease(&state, request, next).await;
    if let Err(error) = audit::finish(state.pool(), entry, response.status().as_u16()).await {
        tracing::warn!(%error, "An entry of the audit log stays without its answer");
    }
    response
}

/// Whether a request only looks. A HEAD is a GET whose answer nobody reads.
fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn operator(state: &ApiState, request: &Request) -> Result<Operator, Box<Refused>> {
    let holds_token = bearer(request.headers()).is_some_and(|token| {
        token
            .as_bytes()
            .ct_eq(state.admin_token.expose_secret().as_bytes())
            .into()
    });
    if holds_token {
        return Ok(Operator { user: None });
    }
    let address = request.extensions().get::<ClientAddress>();
    let refused = |code, message, user| {
        Box::new(Refused {
            error: ApiError::new(code, message),
            user,
            address: address.map(|address| address.0),
        })
    };
    let identity = request.extensions().get::<Identity>();
    match identity.map(|Identity(identity)| identity) {
        Some(Ok(Some(caller))) if caller.is_admin => Ok(Operator {
            user: Some(caller.user),
        }),
        Some(Ok(Some(caller))) if caller.session.is_some() => Err(refused(
            Code::Forbidden,
            "This is for operators alone.",
            Some(caller.user),
        )),
        Some(Ok(Some(caller))) => Err(refused(
            Code::Unauthorized,
            "This needs the operators' token.",
            Some(caller.user),
        )),
        _ => Err(refused(
            Code::Unauthorized,
            "This needs the operators' token.",
            None,
        )),
    }
}

/// What is done to what.
fn named(request: &Request) -> (String, String) {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let target = request.uri().path().chars().take(AUDIT_TARGET_CHARS_MAX);
    (
        format!("{} {route}", shown(request.method())),
        target.collect(),
    )
}

/// The method, of those that there are: others are the client's text.
fn shown(method: &Method) -> &str {
    let is_known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ]
    .contains(method);
    if is_known { method.as_str() } else { "other" }
}

/// From where, and under which id.
fn traced(request: &Request) -> (String, String) {
    let extensions = request.extensions();
    let address = extensions.get::<ClientAddress>();
    let request_id = extensions.get::<RequestId>();
    (
        address.map_or_else(String::new, |address| address.0.to_string()),
        request_id.map_or_else(String::new, |id| id.0.clone()),
    )
}
