//! Why a package is refused: one [`Code`] per decision, with a sentence for the seller. Codes are
//! part of the wire contract: they are added to, never renamed.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::monitor::Stage;

/// One of the two blobs of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PackagePart")]
#[serde(rename_all = "camelCase")]
pub enum Blob {
    /// The payload.
    Package,
    /// The W-matrix with its anchors.
    WMatrix,
}

impl fmt::Display for Blob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Package => "package",
            Self::WMatrix => "W-matrix",
        })
    }
}

/// A package was refused, and why. `Display` is the sentence that the seller sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[schemars(rename = "PackageRefusal")]
#[serde(rename_all = "camelCase")]
#[error("{message}")]
pub struct Refusal {
    /// The stage that refused.
    pub stage: Stage,
    /// The decision, for machines.
    pub code: Code,
    /// The decision, for people.
    pub message: String,
    /// The blob at fault, when it is one of the two.
    pub blob: Option<Blob>,
    /// The tensor at fault, when it is one.
    pub tensor: Option<String>,
}

impl Refusal {
    pub(crate) fn new(stage: Stage, code: Code, message: impl Into<String>) -> Self {
        Self {
            stage,
            code,
            message: message.into(),
            blob: None,
            tensor: None,
        }
    }

    pub(crate) fn blob(mut self, blob: Blob) -> Self {
        self.blob = Some(blob);
        self
    }

    pub(crate) fn tensor(mut self, name: &str) -> Self {
        self.tensor = Some(name.to_owned());
        self
    }

    pub(crate) fn cancelled(stage: Stage) -> Self {
        Self::new(stage, Code::Cancelled, "the validation was stopped")
    }
}

/// Every decision that a refusal or a finding can report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ValidationCode")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(
    missing_docs,
    reason = "the variants are named after what they report, stage by stage"
)]
pub enum Code {
    Cancelled,
    // container
    Empty,
    TooShort,
    TooLarge,
    Pickle,
    Zip,
    Npy,
    Gguf,
    Hdf5,
    Gzip,
    JsonText,
    // header
    HeaderOverLimit,
    HeaderOverFile,
    HeaderPrefixShort,
    HeaderStart,
    HeaderUtf8,
    HeaderJson,
    HeaderTrailing,
    MetadataNotText,
    DuplicateKey,
    UnknownField,
    MissingField,
    TensorName,
    TensorCount,
    UnknownDtype,
    RankOverLimit,
    ZeroDimension,
    DimensionOverLimit,
    SizeOverflow,
    OffsetsReversed,
    OffsetsOutsideFile,
    SizeMismatch,
    LayoutOverlap,
    LayoutHole,
    TrailingBytes,
    // schema
    UnsupportedVersion,
    MetadataValue,
    MissingTensor,
    UnexpectedTensor,
    WrongDtype,
    WrongRank,
    InconsistentShape,
    NumberingGap,
    AnchorsIncomplete,
    LoraRank,
    StepsInvalid,
    // finite
    NotFinite,
    ZeroRow,
    ZeroColumn,
    // shape
    SpaceDimension,
    ModelDimension,
    ModelUndisclosed,
    ModelDiffers,
    SpaceUndeclared,
    SpaceUnchecked,
    // spectral
    SpectrumNotFinite,
    MatrixVanishes,
    RankDeficient,
    IllConditioned,
    SpectrumPartial,
    NotOrthogonal,
    // epsilon
    AnchorsMissing,
    AnchorsFew,
    AnchorsDegenerate,
    AnchorsRepeated,
    AnchorsMaybeInSample,
    CommonMean,
    EpsilonNotFinite,
    EpsilonTooHigh,
    // policy
    EpsilonInvalid,
    EpsilonMisdeclared,
}
