//! The whole verdict: runs the stages in order, times them, stops at the first refusal and reports
//! everything that was learnt until then.

use std::fmt::Write as _;
use std::time::Instant;

use sha2::{Digest, Sha256};

use crate::declared::Declared;
use crate::evidence::EvidenceLevel;
use crate::findings::{Findings, Severity};
use crate::header::Header;
use crate::limits::Limits;
use crate::monitor::{Monitor, Stage};
use crate::refusal::{Blob, Code, Refusal};
use crate::report::{
    Dimensions, EpsilonReport, Inputs, Report, SpectralReport, StageReport, StageVerdict, Verdict,
    WMatrixDimensions,
};
use crate::schema::{Payload, WMatrix};
use crate::{anchors, container, finite, header, map_quality, policy, schema, shape};

/// Judges a package: both blobs, whole, against what the seller declared.
///
/// Never panics. Peak memory beyond the two slices is at most four times their length (a 16 bit W in
/// double precision) plus 64 MiB of blocks and triangles, proven by the test
/// `the_largest_packages_stay_within_the_documented_memory`. A W of 4096 x 4096 with a thousand
/// anchors takes a few seconds on one core; time grows at most with the 1.5th power of the length.
#[must_use]
pub fn verify(
    package: &[u8],
    w_matrix: &[u8],
    declared: &Declared,
    limits: &Limits,
    monitor: &mut dyn Monitor,
) -> Report {
    let input = Input {
        package,
        w_matrix,
        declared,
        limits,
    };
    let mut run = Run {
        monitor,
        stages: Vec::new(),
    };
    let mut learnt = Learnt {
        epsilon: EpsilonReport {
            declared: declared.epsilon,
            limit: limits.epsilon_max,
            ..EpsilonReport::default()
        },
        spectral: None,
        dimensions: Dimensions::default(),
    };
    let refusal = judge(&input, &mut run, &mut learnt).err();
    let accepted = refusal.is_none();
    Report {
        verdict: if accepted {
            Verdict::Accepted
        } else {
            Verdict::Refused
        },
        refusal,
        stages: run.finish(),
        evidence_level: if accepted {
            policy::evidence_level(&learnt.epsilon, limits)
        } else {
            EvidenceLevel::Declared
        },
        tier: if accepted {
            policy::tier(&learnt.epsilon, limits)
        } else {
            None
        },
        epsilon: learnt.epsilon,
        spectral: learnt.spectral,
        inputs: input.identify(),
        dimensions: learnt.dimensions,
        verifier_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

struct Input<'a> {
    package: &'a [u8],
    w_matrix: &'a [u8],
    declared: &'a Declared,
    limits: &'a Limits,
}

impl Input<'_> {
    fn blobs(&self) -> [(Blob, &[u8]); 2] {
        [
            (Blob::WMatrix, self.w_matrix),
            (Blob::Package, self.package),
        ]
    }

    fn identify(&self) -> Inputs {
        Inputs {
            package_sha256: sha256_hex(self.package),
            w_matrix_sha256: sha256_hex(self.w_matrix),
            package_size_bytes: self.package.len() as u64,
            w_matrix_size_bytes: self.w_matrix.len() as u64,
        }
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Figures that are reported even if a later stage refuses.
struct Learnt {
    epsilon: EpsilonReport,
    spectral: Option<SpectralReport>,
    dimensions: Dimensions,
}

struct Run<'m> {
    monitor: &'m mut dyn Monitor,
    stages: Vec<StageReport>,
}

impl Run<'_> {
    fn stage<T>(
        &mut self,
        stage: Stage,
        work: impl FnOnce(&mut Findings, &dyn Monitor) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.monitor.stage(stage);
        let started = Instant::now();
        let mut findings = Findings::default();
        let result = if self.monitor.cancelled() {
            Err(Refusal::cancelled(stage))
        } else {
            work(&mut findings, &*self.monitor)
        };
        if let Err(refusal) = &result {
            findings.refuse(refusal);
        }
        let verdict = match findings.worst() {
            Some(Severity::Error) => StageVerdict::Refused,
            Some(Severity::Warning) => StageVerdict::Warned,
            Some(Severity::Info) | None => StageVerdict::Passed,
        };
        let duration_ms = (started.elapsed().as_micros() as f64) / 1000.0;
        self.stages.push(StageReport {
            stage,
            verdict,
            duration_ms,
            findings: findings.into_vec(),
        });
        result
    }

    fn finish(mut self) -> Vec<StageReport> {
        self.stages
            .extend(
                Stage::ALL
                    .into_iter()
                    .skip(self.stages.len())
                    .map(|stage| StageReport {
                        stage,
                        verdict: StageVerdict::Skipped,
                        duration_ms: 0.0,
                        findings: Vec::new(),
                    }),
            );
        self.stages
    }
}

fn judge(input: &Input<'_>, run: &mut Run<'_>, learnt: &mut Learnt) -> Result<(), Refusal> {
    let Input {
        declared, limits, ..
    } = *input;
    run.stage(Stage::Container, |_, _| check_containers(input))?;
    let headers = run.stage(Stage::Header, |_, _| read_headers(input))?;
    let (w_matrix, payload) = run.stage(Stage::Schema, |_, _| {
        read_schemas(input, &headers, &mut learnt.dimensions)
    })?;
    run.stage(Stage::Finite, |_, monitor| {
        finite::check(&w_matrix, &payload, monitor)
    })?;
    run.stage(Stage::Shape, |findings, _| {
        shape::check(declared, &w_matrix, payload.dimensions, findings)
    })?;
    run.stage(Stage::Spectral, |findings, monitor| {
        let report = learnt
            .spectral
            .insert(map_quality::measure(&w_matrix, limits, monitor)?);
        map_quality::check(report, &w_matrix, limits, findings)
    })?;
    run.stage(Stage::Epsilon, |findings, monitor| {
        anchors::measure_into(&mut learnt.epsilon, &w_matrix, limits, findings, monitor)
    })?;
    run.stage(Stage::Policy, |_, _| {
        policy::check(declared, &learnt.epsilon, limits)
    })
}

fn check_containers(input: &Input<'_>) -> Result<(), Refusal> {
    for (blob, bytes) in input.blobs() {
        container::check(bytes, bytes.len() as u64, input.limits)
            .map_err(|refusal| refusal.blob(blob))?;
    }
    let total = input.package.len() as u64 + input.w_matrix.len() as u64;
    if total > input.limits.total_bytes_max {
        let message = format!(
            "package and W-matrix have {total} bytes together; at most {}",
            input.limits.total_bytes_max
        );
        return Err(Refusal::new(Stage::Container, Code::TooLarge, message));
    }
    Ok(())
}

struct Headers {
    w_matrix: Header,
    package: Header,
}

fn read_headers(input: &Input<'_>) -> Result<Headers, Refusal> {
    let read = |blob, bytes: &[u8]| {
        header::read(bytes, bytes.len() as u64, input.limits).map_err(|refusal| refusal.blob(blob))
    };
    Ok(Headers {
        w_matrix: read(Blob::WMatrix, input.w_matrix)?,
        package: read(Blob::Package, input.package)?,
    })
}

fn read_schemas<'a>(
    input: &Input<'a>,
    headers: &'a Headers,
    dimensions: &mut Dimensions,
) -> Result<(WMatrix<'a>, Payload<'a>), Refusal> {
    let w_matrix = schema::read_w_matrix(&headers.w_matrix, input.w_matrix, input.limits)?;
    dimensions.w_matrix = Some(WMatrixDimensions {
        source: w_matrix.source_dimension,
        target: w_matrix.target_dimension,
        lora_rank: w_matrix.lora_rank(),
        space: w_matrix.space,
    });
    let package_type = input.declared.package_type;
    let payload =
        schema::read_payload(package_type, &headers.package, input.package, input.limits)?;
    dimensions.package = Some(payload.dimensions);
    Ok((w_matrix, payload))
}
