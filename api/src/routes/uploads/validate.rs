//! `POST /api/ai/validate-package`: the verdict on a package that is not uploaded. The bytes wait in files
//! without a name, and nothing of them is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Extension;
use axum::extract::{Request, State};
use common::identity::Principal;
use common::ids::UploadId;
use common::limits::VALIDATION_WAIT_SECONDS_MAX;
use common::telemetry::metrics;
use package::{
    Declared, Dimensions, Limits, Monitor, PackageType, Report, Stage, StageReport, Verdict,
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::OwnedSemaphorePermit;

use super::create::{receive, refuse_head};
use super::package::new_upload;
use super::view::VerdictView;
use crate::contract::Answer;
use crate::error::{ApiError, Code};
use crate::extract::Caller;
use crate::middleware::RequestId;
use crate::places::Holders;
use crate::receive::{Slot, Spool, Staging, Target};
use crate::state::ApiState;

/// Judges fields and bytes as an upload's would be: fields that do not fit are refused all at once, then
/// the bytes get their verdict.
pub async fn validate_package(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Answer<Validated>, ApiError> {
    let validated = validated(&state, &principal, request_id, request).await?;
    Ok(Answer::ok(validated))
}

/// The same, also for an upload that is tried out.
pub async fn validated(
    state: &ApiState,
    principal: &Principal,
    request_id: String,
    request: Request,
) -> Result<Validated, ApiError> {
    let form = refuse_head(request.headers())?;
    let holders = Holders::of(state, request.extensions());
    let slot = Slot::take(state, &holders)?;
    let place = holders.take(&state.places.validations, "validations")?;
    let spool = Spool::new(place).map_err(|error| {
        tracing::error!(%error, "There is no file for a package");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    })?;
    let id = UploadId::new();
    let mut staging = Staging::new(id, Target::Spool(spool.clone()), slot);
    let received = receive(form, request, &mut staging).await?;
    drop(staging);
    let new = new_upload(state, principal, id, request_id, received)?;
    let declared = Declared {
        package_type: new.fields.package_type,
        source_model: new.fields.source_model,
        target_model: new.fields.target_model,
        epsilon: new.fields.epsilon,
    };
    let report = judge(state, spool, declared).await?;
    Ok(Validated {
        valid: report.verdict == Verdict::Accepted,
        message: report.failure_message(),
        stages: report.stages.clone(),
        dimensions: report.dimensions.clone(),
        verdict: VerdictView::from(report),
    })
}

/// The verdict on a package that is not uploaded.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PackageValidation")]
pub struct Validated {
    /// Whether it would be published.
    valid: bool,
    /// Why it would be refused, as an upload would say it.
    message: Option<String>,
    verdict: VerdictView,
    /// Each stage of the validation.
    stages: Vec<StageReport>,
    dimensions: Dimensions,
}

/// The verdict, worked out beside the requests when its turn has come; it stops when nobody waits for it
/// any more. The turn and the files belong to the work, not to the request.
async fn judge(state: &ApiState, spool: Spool, declared: Declared) -> Result<Report, ApiError> {
    let patience = Duration::from_secs(VALIDATION_WAIT_SECONDS_MAX);
    let turn = Arc::clone(&state.validations).acquire_owned();
    let turn = tokio::time::timeout(patience, turn).await.map_err(|_| {
        ApiError::new(
            Code::ServiceUnavailable,
            "Other packages are being validated. Please try again, or upload it.",
        )
    })?;
    let turn = Turn::begin(turn.expect("the semaphore is never closed"));
    let stop = StopWhenDropped(Arc::new(AtomicBool::new(false)));
    let mut watched = Watched(Arc::clone(&stop.0));
    let judged = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let (package, w_matrix) = spool.read()?;
        let limits = Limits::default();
        let report = package::verify(&package, &w_matrix, &declared, &limits, &mut watched);
        count(declared.package_type, &report);
        Ok::<Report, std::io::Error>(report)
    });
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "A validation broke off");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    };
    judged
        .await
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))
}

fn count(package_type: PackageType, report: &Report) {
    let verdict = match &report.refusal {
        None => "accepted",
        Some(refusal) if refusal.code == package::Code::Cancelled => "cancelled",
        Some(_) => "refused",
    };
    metrics()
        .packages_verified
        .with_label_values(&[package_type.as_str(), verdict])
        .inc();
}

/// The turn of a validation, from its beginning to its end.
struct Turn(#[expect(dead_code, reason = "held until it is dropped")] OwnedSemaphorePermit);

impl Turn {
    fn begin(permit: OwnedSemaphorePermit) -> Self {
        metrics().http_validations_running.inc();
        Self(permit)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        metrics().http_validations_running.dec();
    }
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
