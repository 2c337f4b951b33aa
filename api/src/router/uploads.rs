//! What sellers send in.

use axum::Router;
use axum::routing::{get, post};

use crate::routes::uploads;
use crate::state::ApiState;

/// What carries package data.
pub fn receiving() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/upload-package", post(uploads::upload_package))
        .route("/api/ai/batch-upload", post(uploads::batch_upload))
        .route("/api/ai/validate-package", post(uploads::validate_package))
}

/// What may wait for an end.
pub fn waiting() -> Router<ApiState> {
    Router::new()
        .route(
            "/api/ai/package-status/{upload_id}",
            get(uploads::get_package_status),
        )
        .route("/api/ai/batches/{batch_id}", get(uploads::get_batch))
}

/// What goes on for as long as something changes.
pub fn streaming() -> Router<ApiState> {
    Router::new().route(
        "/api/ai/package-status/{upload_id}/events",
        get(uploads::stream_package_status),
    )
}

/// What is answered at once.
pub fn quick() -> Router<ApiState> {
    Router::new()
        .route("/api/ai/uploads", post(uploads::open_upload))
        .route(
            "/api/ai/uploads/{upload_id}/commit",
            post(uploads::commit_upload),
        )
}
