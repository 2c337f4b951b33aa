//! Judges an upload: reads its bytes from staging, asks `package` for the verdict, records it.
//!
//! Memory is reserved before bytes are read; see [`crate::verification`] for what a hostile file costs.

use std::time::{Duration, Instant};

use common::ids::UploadId;
use common::jobs::Lease;
use common::storage::{Blob, staging_key};
use common::telemetry::metrics;
use common::uploads::{self, Refusal, Stage, Upload, UploadStatus, commands};
use package::{Declared, Report, Verdict};

use super::finish_alone;
use crate::verification::{self, Fetched, Halves, Source, Verification};
use crate::{Context, JobError};

/// A verdict's progress is written at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let upload = uploads::find(context.pool(), UploadId(lease.subject)).await?;
    let under_way = [UploadStatus::Pending, UploadStatus::Processing];
    let Some(upload) = upload.filter(|upload| under_way.contains(&upload.status)) else {
        return finish_alone(&context.outbox, lease).await;
    };
    commands::begin(&context.outbox, &upload, Stage::Fetching).await?;
    let declared = Declared {
        package_type: upload
            .package_type
            .parse()
            .map_err(|_| JobError::retry("unknown package type"))?,
        source_model: upload.source_model.clone(),
        target_model: upload.target_model.clone(),
        epsilon: upload.epsilon,
    };
    let bytes = Blob::ALL
        .iter()
        .map(|blob| upload.blob(*blob).size_bytes)
        .sum();
    let _memory = context.reserve_memory(bytes).await;
    let start = Instant::now();
    let (report, refusal) = match fetch(context, &upload).await? {
        Ok(halves) => {
            let report = judge(context, &upload, halves, declared).await?;
            let refusal = refusal_of(&report);
            (
                serde_json::to_value(&report).expect("a report serialises"),
                refusal,
            )
        }
        Err(refusal) => (
            serde_json::json!({ "verdict": "refused", "refusal": refusal }),
            Some(plain(&refusal)),
        ),
    };
    let verdict = if refusal.is_some() {
        "refused"
    } else {
        "accepted"
    };
    metrics()
        .packages_verified
        .with_label_values(&[upload.package_type.as_str(), verdict])
        .inc();
    metrics()
        .package_verify_seconds
        .observe(start.elapsed().as_secs_f64());
    match refusal {
        Some(refusal) => {
            commands::refuse(&context.outbox, lease, &upload, &report, &refusal).await??
        }
        None => commands::accept(&context.outbox, lease, &upload, &report).await??,
    }
    Ok(())
}

/// Both halves, or why one of them can be refused without reading on. The smaller one is read first.
async fn fetch(
    context: &Context,
    upload: &Upload,
) -> Result<Result<Halves, package::Refusal>, JobError> {
    let w_matrix = match fetch_blob(context, upload, Blob::WMatrix).await? {
        Ok(bytes) => bytes,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let package = fetch_blob(context, upload, Blob::Package).await?;
    Ok(package.map(|package| Halves { package, w_matrix }))
}

async fn fetch_blob(
    context: &Context,
    upload: &Upload,
    blob: Blob,
) -> Result<Result<Vec<u8>, package::Refusal>, JobError> {
    let info = upload.blob(blob);
    let source = Source {
        keys: (0..info.parts)
            .map(|part| staging_key(upload.id, blob, part))
            .collect(),
        size_bytes: info.size_bytes,
        sha256: info.sha256,
    };
    match verification::fetch(&context.storage, &source).await? {
        Fetched::Bytes(bytes) => Ok(Ok(bytes)),
        Fetched::Refused(refusal) => Ok(Err(refusal)),
        Fetched::Differs => Err(JobError::retry(format!(
            "the staged bytes of {} changed in the store",
            blob.as_str()
        ))),
    }
}

/// Waits for the verdict and shows its stages.
async fn judge(
    context: &Context,
    upload: &Upload,
    halves: Halves,
    declared: Declared,
) -> Result<Report, JobError> {
    let mut verification = Verification::start(halves, declared);
    let mut ticks =
        tokio::time::interval_at(tokio::time::Instant::now() + PROGRESS_EVERY, PROGRESS_EVERY);
    loop {
        tokio::select! {
            report = verification.report() => return report,
            _ = ticks.tick() => {
                if let Some(reached) = verification.next_stage() {
                    commands::report_progress(&context.outbox, upload, Stage::Verifying(reached)).await?;
                }
            }
        }
    }
}

fn refusal_of(report: &Report) -> Option<Refusal> {
    (report.verdict == Verdict::Refused).then(|| match &report.refusal {
        Some(refusal) => plain(refusal),
        None => Refusal {
            code: "REFUSED".to_owned(),
            message: "The package was refused.".to_owned(),
        },
    })
}

fn plain(refusal: &package::Refusal) -> Refusal {
    let code = serde_json::to_value(refusal.code)
        .ok()
        .and_then(|code| code.as_str().map(ToOwned::to_owned));
    Refusal {
        code: code.unwrap_or_else(|| "REFUSED".to_owned()),
        message: refusal.message.clone(),
    }
}
