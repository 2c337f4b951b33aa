//! The verdict as it is stored, served and printed: camelCase JSON, the same from the server and from
//! `awareness verify`. Only the durations differ between two runs on the same bytes.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::declared::PackageType;
use crate::evidence::{EvidenceLevel, Tier};
use crate::findings::Finding;
use crate::monitor::Stage;
use crate::refusal::Refusal;
use crate::schema::Space;

/// Whether a package may be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PackageVerdict")]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It may.
    Accepted,
    /// It may not.
    Refused,
}

/// How one stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StageVerdict {
    /// Nothing to object to.
    Passed,
    /// Something that a buyer should look at.
    Warned,
    /// The reason of the refusal.
    Refused,
    /// Not reached.
    Skipped,
}

/// One stage's part of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageReport {
    /// The stage.
    pub stage: Stage,
    /// How it ended.
    pub verdict: StageVerdict,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// What it noticed.
    pub findings: Vec<Finding>,
}

/// A 95% bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EpsilonInterval")]
#[serde(rename_all = "camelCase")]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
    /// Resamples that were drawn.
    pub resamples: usize,
    /// Seed of the generator that drew them.
    pub seed: u64,
}

/// The alignment error: claimed, and recomputed on the package's own anchors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EpsilonReport {
    /// The seller's claim.
    pub declared: f64,
    /// The larger of `relative` and `centred`; the figure that rules. Absent without anchors.
    pub measured: Option<f64>,
    /// ‖R‖ / ‖Y‖ over all anchors.
    pub relative: Option<f64>,
    /// ‖R‖ / ‖Y − ȳ‖, which is sqrt(1 − R²).
    pub centred: Option<f64>,
    /// Median over the anchors of the cosine between prediction and target.
    pub cosine_median: Option<f64>,
    /// Spread of `measured` under resampling of the anchors.
    pub interval: Option<Interval>,
    /// Error of the median anchor against another anchor's target, in units of the spread of the
    /// targets; about 1.4 for healthy anchors.
    pub null_control: Option<f64>,
    /// Number of anchors.
    pub anchors: usize,
    /// Number of different source rows among them.
    pub anchors_distinct: usize,
    /// The limit that ruled.
    pub limit: f64,
}

/// How the singular values were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SpectralMethod {
    /// All of them, by a singular value decomposition.
    SingularValues,
    /// The two ends by Lanczos iteration, the orthogonality by 64 random probes.
    Lanczos,
}

/// Properties of W as a map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpectralReport {
    /// How the figures were found.
    pub method: SpectralMethod,
    /// The largest singular value.
    pub sigma_max: f64,
    /// The smallest singular value; of a factored W, the smallest within its inner rank.
    pub sigma_min: f64,
    /// Their ratio; absent for a singular W.
    pub condition: Option<f64>,
    /// Singular values above the largest divided by the condition number that is warned about.
    /// Absent when not all singular values are known.
    pub effective_rank: Option<usize>,
    /// min(‖WᵀW − I‖, ‖WWᵀ − I‖) / sqrt(min(dt, ds)); zero for an orthogonal W.
    pub orthogonality: f64,
    /// W is given as two factors.
    pub low_rank: bool,
}

/// Sizes of the W-matrix blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WMatrixDimensions {
    /// Length of a source state (columns of W).
    pub source: usize,
    /// Length of a target state (rows of W).
    pub target: usize,
    /// Inner rank of a factored W.
    pub lora_rank: Option<usize>,
    /// The declared space.
    pub space: Option<Space>,
}

/// Sizes of the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "lowercase",
    rename_all_fields = "camelCase"
)]
pub enum PackageDimensions {
    /// Vectors of one length.
    Vector {
        /// How many.
        vectors: usize,
        /// Their length.
        dimension: usize,
    },
    /// A key/value cache.
    Memory {
        /// Layers.
        layers: usize,
        /// Heads of each layer.
        key_value_heads: usize,
        /// Tokens.
        tokens: usize,
        /// Length of one head's key.
        head_dimension: usize,
    },
    /// A chain of states.
    Chain {
        /// Steps.
        steps: usize,
        /// States of all steps together.
        states: usize,
        /// Their length.
        dimension: usize,
    },
}

/// The sizes as clients read them: those of one type are there.
#[derive(JsonSchema)]
#[schemars(rename = "PackageDimensions", rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is used")]
struct DimensionsOfOneType {
    r#type: PackageType,
    /// Vectors of a `vector` package.
    #[schemars(default)]
    vectors: Option<usize>,
    /// The length of a vector, or of a state of a chain.
    #[schemars(default)]
    dimension: Option<usize>,
    /// Layers of a `memory` package.
    #[schemars(default)]
    layers: Option<usize>,
    /// Heads of each of its layers.
    #[schemars(default)]
    key_value_heads: Option<usize>,
    /// Tokens of it.
    #[schemars(default)]
    tokens: Option<usize>,
    /// The length of a key of one of its heads.
    #[schemars(default)]
    head_dimension: Option<usize>,
    /// Steps of a `chain` package.
    #[schemars(default)]
    steps: Option<usize>,
    /// States of all its steps.
    #[schemars(default)]
    states: Option<usize>,
}

impl JsonSchema for PackageDimensions {
    fn schema_name() -> Cow<'static, str> {
        DimensionsOfOneType::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        DimensionsOfOneType::json_schema(generator)
    }
}

/// Sizes of both blobs, as far as they were understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PackageSizes")]
#[serde(rename_all = "camelCase")]
pub struct Dimensions {
    /// Of the W-matrix.
    pub w_matrix: Option<WMatrixDimensions>,
    /// Of the payload.
    pub package: Option<PackageDimensions>,
}

/// What the verdict was given on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// SHA-256 of the payload, in hexadecimal.
    pub package_sha256: String,
    /// SHA-256 of the W-matrix blob, in hexadecimal.
    pub w_matrix_sha256: String,
    /// Length of the payload.
    pub package_size_bytes: u64,
    /// Length of the W-matrix blob.
    pub w_matrix_size_bytes: u64,
}

/// The whole verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// May it be listed?
    pub verdict: Verdict,
    /// Why not.
    pub refusal: Option<Refusal>,
    /// Every stage, in order.
    pub stages: Vec<StageReport>,
    /// The alignment error.
    pub epsilon: EpsilonReport,
    /// The map, if the verdict came that far.
    pub spectral: Option<SpectralReport>,
    /// How well the epsilon is known.
    pub evidence_level: EvidenceLevel,
    /// The band of the measured epsilon; absent unless it was measured on enough anchors.
    pub tier: Option<Tier>,
    /// What was judged.
    pub inputs: Inputs,
    /// Sizes of what was judged.
    pub dimensions: Dimensions,
    /// Version of this crate.
    pub verifier_version: String,
}

impl Report {
    /// The exact text that clients see when the package is refused.
    #[must_use]
    pub fn failure_message(&self) -> Option<String> {
        self.refusal.as_ref().map(|refusal| refusal.message.clone())
    }
}
