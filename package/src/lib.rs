//! Latent packages: bytes in, verdict out.
//!
//! A package is two safetensors blobs, the payload (`vector`, `memory` or `chain`) and the W-matrix
//! that carries it from the source model's space to the target's, by the convention `y = W x + b`.
//! This crate reads both as hostile input and says whether the marketplace may list them.
//!
//! It guarantees that no input makes it panic, that its peak memory is a documented multiple of the
//! input (see [`verify`]), and that the same bytes and limits give the same figures on every run
//! apart from the durations. It does no I/O, spawns no thread and knows nothing of the marketplace.

mod anchors;
mod container;
mod declared;
mod epsilon;
mod evidence;
mod findings;
mod finite;
mod header;
mod limits;
mod map_quality;
mod matrix;
mod models;
mod monitor;
mod policy;
mod procrustes;
mod random;
mod refusal;
mod report;
mod schema;
mod shape;
mod spectral;
mod tensor;
mod triangle;
mod verify;
pub mod write;

pub use declared::{Declared, PackageType, UnknownPackageType};
pub use epsilon::{Measurement, measure_epsilon};
pub use evidence::{EvidenceLevel, Tier};
pub use findings::{Finding, Severity};
pub use header::{HEADER_PREFIX_BYTES_MAX, Header, TensorInfo, check_header};
pub use limits::Limits;
pub use matrix::Matrix;
pub use models::{Model, ModelDimensions, find_model};
pub use monitor::{Monitor, Stage};
pub use procrustes::{Procrustes, orthogonal_procrustes};
pub use refusal::{Blob, Code, Refusal};
pub use report::{
    Dimensions, EpsilonReport, Inputs, Interval, PackageDimensions, Report, SpectralMethod,
    SpectralReport, StageReport, StageVerdict, Verdict, WMatrixDimensions,
};
pub use schema::Space;
pub use spectral::{Spectrum, spectrum};
pub use tensor::Dtype;
pub use verify::verify;
