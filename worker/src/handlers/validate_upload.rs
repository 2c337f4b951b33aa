//! Judges an upload: reads its bytes from staging, asks `package` for the verdict, records it.
//!
//! A hostile file costs its first part: the header is judged before the rest is fetched. Memory is
//! reserved before bytes are read, and the verdict runs on a thread of its own that stops when this
//! run ends, for whatever reason.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use common::ids::UploadId;
use common::jobs::Lease;
use common::storage::{Blob, staging_key};
use common::telemetry::metrics;
use common::uploads::{self, Refusal, Stage, Upload, UploadStatus, commands};
use futures::TryStreamExt as _;
use package::{Declared, HEADER_PREFIX_BYTES_MAX, Limits, Monitor, Report, Verdict};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use super::finish_alone;
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
        Ok((package, w_matrix)) => {
            let report = judge(context, &upload, package, w_matrix, declared).await?;
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

type Fetched = (Vec<u8>, Vec<u8>);

/// Both blobs, or why one of them can be refused without reading on.
async fn fetch(
    context: &Context,
    upload: &Upload,
) -> Result<Result<Fetched, package::Refusal>, JobError> {
    let mut blobs = Vec::with_capacity(2);
    for blob in Blob::ALL {
        match fetch_blob(context, upload, blob).await? {
            Ok(bytes) => blobs.push(bytes),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    let package = blobs.pop().unwrap_or_default();
    let w_matrix = blobs.pop().unwrap_or_default();
    Ok(Ok((package, w_matrix)))
}

async fn fetch_blob(
    context: &Context,
    upload: &Upload,
    blob: Blob,
) -> Result<Result<Vec<u8>, package::Refusal>, JobError> {
    let info = upload.blob(blob);
    let limits = Limits::default();
    let mut bytes = Vec::new();
    let mut is_header_checked = false;
    let mut digest = Sha256::new();
    for part in 0..info.parts {
        let mut chunks = std::pin::pin!(
            context
                .storage
                .get(&staging_key(upload.id, blob, part))
                .await?
        );
        while let Some(chunk) = chunks.try_next().await? {
            digest.update(&chunk);
            bytes.extend_from_slice(&chunk);
            if !is_header_checked && bytes.len() >= HEADER_PREFIX_BYTES_MAX {
                if let Err(refusal) = package::check_header(&bytes, info.size_bytes, &limits) {
                    return Ok(Err(refusal));
                }
                is_header_checked = true;
                bytes.reserve_exact(
                    usize::try_from(info.size_bytes)
                        .unwrap_or(0)
                        .saturating_sub(bytes.len()),
                );
            }
        }
    }
    if digest.finalize()[..] != info.sha256[..] {
        return Err(JobError::retry(format!(
            "the staged bytes of {} changed in the store",
            blob.as_str()
        )));
    }
    Ok(Ok(bytes))
}

/// Runs the verdict on a blocking thread and shows its stages.
async fn judge(
    context: &Context,
    upload: &Upload,
    package: Vec<u8>,
    w_matrix: Vec<u8>,
    declared: Declared,
) -> Result<Report, JobError> {
    let (stage, mut stages) = watch::channel(package::Stage::Container);
    let stop = StopOnDrop(Arc::new(AtomicBool::new(false)));
    let mut watcher = Watcher {
        stage,
        stop: Arc::clone(&stop.0),
    };
    let mut judging = tokio::task::spawn_blocking(move || {
        package::verify(
            &package,
            &w_matrix,
            &declared,
            &Limits::default(),
            &mut watcher,
        )
    });
    let mut ticks =
        tokio::time::interval_at(tokio::time::Instant::now() + PROGRESS_EVERY, PROGRESS_EVERY);
    loop {
        tokio::select! {
            report = &mut judging => {
                return report.map_err(|error| JobError::Retry {
                    outcome: "panic",
                    reason: format!("the verdict broke off: {error}"),
                    delay: None,
                });
            }
            _ = ticks.tick() => {
                if stages.has_changed().unwrap_or(false) {
                    let reached = *stages.borrow_and_update();
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

/// Stops the blocking thread when the run ends early: by timeout, cancellation or shutdown.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Watcher {
    stage: watch::Sender<package::Stage>,
    stop: Arc<AtomicBool>,
}

impl Monitor for Watcher {
    fn stage(&mut self, stage: package::Stage) {
        self.stage.send_replace(stage);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
