//! The status of an upload on the wire: the seed's four fields first, then ours.

use common::identity::Principal;
use common::ids::UploadPublicId;
use common::uploads::{self, UploadError, UploadStatus, UploadView};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::follow::Status;
use crate::state::ApiState;

/// How soon a client that polls should look again, in milliseconds.
const NEXT_POLL_MS: u64 = 1000;
const NEXT_POLL_AWAITING_MS: u64 = 5000;

/// Finds the upload again and again, for whoever holds its id. A key that was sent must be the
/// owner's.
pub fn finder(
    state: &ApiState,
    id: &str,
    caller: Option<Principal>,
) -> impl Fn() -> BoxFuture<'static, Result<UploadView, ApiError>> + Send + 'static {
    let pool = state.pool().clone();
    let id = UploadPublicId::parse(id);
    move || {
        let (pool, id, caller) = (pool.clone(), id.clone(), caller.clone());
        Box::pin(async move {
            let id = id.ok_or(UploadError::NotFound)?;
            let view = uploads::find_view(&pool, &id).await?;
            let visible =
                view.filter(|view| caller.is_none_or(|caller| caller.user == view.owner_id));
            Ok(visible.ok_or(UploadError::NotFound)?)
        })
    }
}

impl Status for UploadView {
    fn version(&self) -> i64 {
        self.version
    }

    fn is_final(&self) -> bool {
        self.status.is_final()
    }

    fn body(&self) -> Value {
        body(self)
    }
}

fn body(view: &UploadView) -> Value {
    let next_poll_ms = match view.status {
        UploadStatus::Awaiting => Some(NEXT_POLL_AWAITING_MS),
        status if status.is_final() => None,
        _ => Some(NEXT_POLL_MS),
    };
    json!({
        "status": view.status.as_seed_word(),
        "progress": view.progress,
        "packageId": view.package_public_id,
        "error": view.error_message,
        "errorCode": view.error_code,
        "uploadId": view.public_id,
        "stage": view.stage,
        "attempts": view.attempts,
        "nextPollMs": next_poll_ms,
        "verdict": view.report.as_ref().map(verdict),
        "timestamps": {
            "created": view.created_at,
            "committed": view.committed_at,
            "validating": view.validating_at,
            "publishing": view.publishing_at,
            "finished": view.finished_at,
        },
    })
}

/// What the verdict says, without its inner workings.
pub fn verdict(report: &Value) -> Value {
    json!({
        "verdict": report["verdict"],
        "refusal": report["refusal"],
        "epsilon": report["epsilon"],
        "evidenceLevel": report["evidenceLevel"],
        "tier": report["tier"],
    })
}
