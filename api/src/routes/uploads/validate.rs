//! `POST /api/ai/validate-package`: the verdict on a package that is not uploaded. The bytes stay in
//! memory, and nothing of them is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use common::ids::UploadId;
use package::{Declared, Limits, Monitor, Report, Stage, Verdict};
use serde_json::json;

use super::create::{receive, refuse_head};
use super::package::new_upload;
use super::view::verdict;
use crate::error::{ApiError, Code};
use crate::extract::Uploader;
use crate::middleware::RequestId;
use crate::receive::{Collected, Staging, Target};
use crate::routes::success;
use crate::state::ApiState;

/// Judges fields and bytes as an upload's would be: fields that do not fit are refused all at once, then
/// the bytes get their verdict.
pub async fn validate_package(
    State(state): State<ApiState>,
    Uploader(principal): Uploader,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, ApiError> {
    let form = refuse_head(request.headers())?;
    let _slot = state.validations.try_acquire().map_err(|_| {
        ApiError::new(
            Code::ServiceUnavailable,
            "Other packages are being validated. Please try again, or upload it.",
        )
    })?;
    let collected = Collected::default();
    let mut staging = Staging::new(UploadId::new(), Target::Memory(collected.clone()));
    let received = receive(&state, form, request, &mut staging).await?;
    let id = UploadId::new();
    let new = new_upload(&state, &principal, id, request_id, received)?;
    let declared = Declared {
        package_type: new.fields.package_type,
        source_model: new.fields.source_model,
        target_model: new.fields.target_model,
        epsilon: new.fields.epsilon,
    };
    let report = judge(collected, declared).await?;
    let full = json!(report);
    let body = json!({
        "valid": report.verdict == Verdict::Accepted,
        "message": report.failure_message(),
        "verdict": verdict(&full),
        "stages": full["stages"],
        "dimensions": full["dimensions"],
    });
    Ok(success(StatusCode::OK, body))
}

/// The verdict, worked out beside the requests; it stops when nobody waits for it any more.
async fn judge(collected: Collected, declared: Declared) -> Result<Report, ApiError> {
    let stop = StopWhenDropped(Arc::new(AtomicBool::new(false)));
    let mut watched = Watched(Arc::clone(&stop.0));
    let judged = tokio::task::spawn_blocking(move || {
        let (package, w_matrix) = collected.take();
        package::verify(
            &package,
            &w_matrix,
            &declared,
            &Limits::default(),
            &mut watched,
        )
    });
    judged.await.map_err(|error| {
        tracing::error!(%error, "A validation broke off");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    })
}

struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Watched(Arc<AtomicBool>);

impl Monitor for Watched {
    fn stage(&mut self, _: Stage) {}

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
