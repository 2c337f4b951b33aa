//! Guards the operators' routes with their token.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

use crate::error::{ApiError, Code};
use crate::extract::bearer;
use crate::state::ApiState;

/// Lets a request through that carries AWARENESS_ADMIN_TOKEN.
pub async fn require_admin(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let is_admin = bearer(request.headers()).is_some_and(|token| {
        token
            .as_bytes()
            .ct_eq(state.admin_token.expose_secret().as_bytes())
            .into()
    });
    if is_admin {
        next.run(request).await
    } else {
        ApiError::new(Code::Unauthorized, "This needs the operators' token.").into_response()
    }
}
