//! Guards the operators' routes, and writes down what operators do.

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::audit::{self, Act, ActorRole};
use common::ids::UserId;
use common::secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use super::{ClientAddress, Identity, RequestId};
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
    let operator = match operator(&state, &request) {
        Ok(operator) => operator,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(operator.clone());
    if let Some(refusal) = access::refused(&request) {
        return refusal;
    }
    if *request.method() == Method::GET {
        return next.run(request).await;
    }
    let (action, target) = named(&request);
    let (address, request_id) = traced(&request);
    let act = Act {
        actor: match operator.user {
            Some(_) => "user",
            None => "operator token",
        },
        actor_role: match operator.user {
            Some(_) => ActorRole::Admin,
            None => ActorRole::Operator,
        },
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
    let response = next.run(request).await;
    if let Err(error) = audit::finish(state.pool(), entry, response.status().as_u16()).await {
        tracing::warn!(%error, "An entry of the audit log stays without its answer");
    }
    response
}

fn operator(state: &ApiState, request: &Request) -> Result<Operator, ApiError> {
    let holds_token = bearer(request.headers()).is_some_and(|token| {
        token
            .as_bytes()
            .ct_eq(state.admin_token.expose_secret().as_bytes())
            .into()
    });
    if holds_token {
        return Ok(Operator { user: None });
    }
    let refused = || ApiError::new(Code::Unauthorized, "This needs the operators' token.");
    let identity = request.extensions().get::<Identity>();
    match identity.map(|Identity(identity)| identity) {
        Some(Ok(Some(caller))) if caller.is_admin => Ok(Operator {
            user: Some(caller.user),
        }),
        Some(Ok(Some(caller))) if caller.session.is_some() => Err(ApiError::new(
            Code::Forbidden,
            "This is for operators alone.",
        )),
        _ => Err(refused()),
    }
}

/// What is done to what.
fn named(request: &Request) -> (String, String) {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    (
        format!("{} {route}", request.method()),
        request.uri().path().to_owned(),
    )
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
