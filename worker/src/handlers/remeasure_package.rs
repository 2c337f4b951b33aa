//! Measures a disputed package again: downloads what was sold, judges it as its validation did, and
//! records what that says about the claim.
//!
//! Bytes that are gone are no finding but a fault of ours: after a few attempts the job is quarantined,
//! and the dispute waits for an operator.

use common::disputes::commands::{Measurement, record_measurement};
use common::disputes::{self, Case, DisputeState, Finding};
use common::ids::DisputeId;
use common::jobs::Lease;
use common::storage::Blob;
use package::{Declared, Limits};
use serde_json::json;

use super::finish_alone;
use crate::verification::{self, Fetched, Halves, Source, Verification};
use crate::{Context, JobError};

/// Runs the job.
pub async fn run(context: &Context, lease: &Lease) -> Result<(), JobError> {
    let case = disputes::find_case(context.pool(), DisputeId(lease.subject)).await?;
    let Some(case) = case.filter(|case| case.state == DisputeState::Open) else {
        return finish_alone(&context.outbox, lease).await;
    };
    let measurement = measure(context, &case).await?;
    tracing::info!(dispute.id = %case.id, dispute.finding = ?measurement.finding, "Measured a disputed package");
    record_measurement(&context.outbox, lease, &measurement).await??;
    Ok(())
}

async fn measure(context: &Context, case: &Case) -> Result<Measurement, JobError> {
    let package_type = case
        .package_type
        .parse()
        .map_err(|_| JobError::retry("unknown package type"))?;
    let declared = Declared {
        package_type,
        source_model: case.source_model.clone(),
        target_model: case.target_model.clone(),
        epsilon: case.epsilon_declared,
    };
    let bytes = Blob::ALL
        .iter()
        .map(|blob| case.blobs.blob(*blob).size_bytes)
        .sum();
    let _memory = context.reserve_memory(bytes).await;
    let w_matrix = match fetch(context, case, Blob::WMatrix).await? {
        Ok(bytes) => bytes,
        Err(measurement) => return Ok(measurement),
    };
    let package = match fetch(context, case, Blob::Package).await? {
        Ok(bytes) => bytes,
        Err(measurement) => return Ok(measurement),
    };
    let report = Verification::start(Halves { package, w_matrix }, declared)
        .report()
        .await?;
    Ok(Measurement {
        finding: Finding::of(&report, case.epsilon_listed(), &Limits::default()),
        report: serde_json::to_value(&report).expect("a report serialises"),
    })
}

/// The bytes of one half, or what is wrong with them.
async fn fetch(
    context: &Context,
    case: &Case,
    blob: Blob,
) -> Result<Result<Vec<u8>, Measurement>, JobError> {
    let stored = case.blobs.blob(blob);
    let source = Source {
        keys: vec![stored.key],
        size_bytes: stored.size_bytes,
        sha256: stored.sha256,
    };
    let (finding, report) = match verification::fetch(&context.storage, &source).await? {
        Fetched::Bytes(bytes) => return Ok(Ok(bytes)),
        Fetched::Refused(refusal) => (
            Finding::ValidationFails,
            json!({ "verdict": "refused", "refusal": refusal }),
        ),
        Fetched::Differs => (
            Finding::BytesDiffer,
            json!({ "verdict": "refused", "bytesDiffer": blob.as_str() }),
        ),
    };
    Ok(Err(Measurement { finding, report }))
}
