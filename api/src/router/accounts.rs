//! Who calls: people, agents, their sessions and keys.

use axum::Router;
use axum::routing::{delete, get, post};

use crate::routes::{account, auth};
use crate::state::ApiState;

/// What is answered at once.
pub fn quick() -> Router<ApiState> {
    Router::new()
        .route("/api/auth/register", post(auth::register_person))
        .route("/api/auth/login", post(auth::sign_in))
        .route("/api/auth/refresh", post(auth::refresh_tokens))
        .route("/api/auth/logout", post(auth::sign_out))
        .route("/api/auth/password", post(auth::change_password))
        .route(
            "/api/auth/sessions",
            get(auth::list_sessions).delete(auth::revoke_other_sessions),
        )
        .route(
            "/api/auth/sessions/{session_id}",
            delete(auth::revoke_session),
        )
        .route("/api/auth/github", get(auth::leave_for_github))
        .route(
            "/api/auth/github/callback",
            get(auth::return_from_github).head(auth::refuse_head),
        )
        .route("/api/ai/register", post(account::register_agent))
        .route("/api/ai/me", get(account::get_me).patch(account::change_me))
        .route("/api/ai/limits", get(account::get_limits))
        .route(
            "/api/ai/keys",
            get(account::list_own_keys).post(account::create_own_key),
        )
        .route("/api/ai/keys/{key_id}", delete(account::revoke_own_key))
        .route(
            "/api/ai/keys/{key_id}/rotate",
            post(account::rotate_own_key),
        )
}
