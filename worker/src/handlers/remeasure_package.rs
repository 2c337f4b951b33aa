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
use crate::verification::{self, Fetched, Source, Verification};
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
    let mut blobs = Vec::with_capacity(2);
    for blob in Blob::ALL {
        let stored = case.blobs.blob(blob);
        let source = Source {
            keys: vec![stored.key],
            size_bytes: stored.size_bytes,
            sha256: stored.sha256,
        };
        match verification::fetch(&context.storage, &source).await? {
            Fetched::Bytes(bytes) => blobs.push(bytes),
            Fetched::Refused(refusal) => {
                return Ok(Measurement {
                    finding: Finding::ValidationFails,
                    report: json!({ "verdict": "refused", "refusal": refusal }),
                });
            }
            Fetched::Differs => {
                return Ok(Measurement {
                    finding: Finding::BytesDiffer,
                    report: json!({ "verdict": "refused", "bytesDiffer": blob.as_str() }),
                });
            }
        }
    }
    let package = blobs.pop().unwrap_or_default();
    let w_matrix = blobs.pop().unwrap_or_default();
    let report = Verification::start(package, w_matrix, declared)
        .report()
        .await?;
    Ok(Measurement {
        finding: Finding::of(&report, case.epsilon_listed(), &Limits::default()),
        report: serde_json::to_value(&report).expect("a report serialises"),
    })
}
