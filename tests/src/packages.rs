//! Small packages with real figures: W is a known map, the anchors are what it maps plus noise of a
//! known size, and the declared epsilon is what `package` itself measures.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use common::reqwest::multipart::{Form, Part};
use package::write::{TensorData, safetensors};
use package::{Declared, Dtype, Limits, Monitor, PackageType, Stage, verify};
use serde_json::{Value, json};

/// Length of the source model's states.
const SOURCE: usize = 16;
/// Length of the target model's states.
const TARGET: usize = 12;
/// Rows to measure on.
const ANCHORS: usize = 96;

/// Both blobs of a package, and what its seller says of it.
#[derive(Debug, Clone)]
pub struct Sample {
    pub package_type: PackageType,
    pub package: Vec<u8>,
    pub w_matrix: Vec<u8>,
    pub epsilon: f64,
}

impl Sample {
    /// A sound vector package, another one for each seed. Its epsilon is 0.05 within a per cent.
    pub fn vector(seed: u64) -> Self {
        Self::with_noise(seed, 0.05)
    }

    /// A vector package whose anchors are off by that fraction; the declared epsilon is the measured.
    pub fn with_noise(seed: u64, noise: f64) -> Self {
        let mut random = Gaussian(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let weight = random.values(TARGET * SOURCE);
        let source = random.values(ANCHORS * SOURCE);
        let exact = apply(&weight, &source);
        let errors = random.values(ANCHORS * TARGET);
        let scale = noise * norm(&exact) / norm(&errors);
        let target: Vec<f64> = exact
            .iter()
            .zip(&errors)
            .map(|(value, error)| value + scale * error)
            .collect();
        let w_matrix = safetensors(
            &[("lpkg.version", "1"), ("space", "hidden")],
            &[
                TensorData::floats("weight", Dtype::F32, &[TARGET, SOURCE], &weight),
                TensorData::floats("anchors.source", Dtype::F32, &[ANCHORS, SOURCE], &source),
                TensorData::floats("anchors.target", Dtype::F32, &[ANCHORS, TARGET], &target),
            ],
        );
        let vector = random.values(2 * SOURCE);
        let package = safetensors(
            &[("lpkg.version", "1")],
            &[TensorData::floats(
                "vector",
                Dtype::F32,
                &[2, SOURCE],
                &vector,
            )],
        );
        let mut sample = Self {
            package_type: PackageType::Vector,
            package,
            w_matrix,
            epsilon: noise,
        };
        sample.epsilon = sample.measured();
        sample
    }

    /// A package without anchors: its declared epsilon is all there is.
    pub fn declared_only(seed: u64, epsilon: f64) -> Self {
        let mut random = Gaussian(seed | 1);
        let weight = random.values(TARGET * SOURCE);
        let weight = TensorData::floats("weight", Dtype::F32, &[TARGET, SOURCE], &weight);
        Self {
            w_matrix: safetensors(&[("lpkg.version", "1")], &[weight]),
            epsilon,
            ..Self::vector(seed)
        }
    }

    /// A sound vector package of at least that many bytes, most of them states.
    pub fn large(seed: u64, bytes: usize) -> Self {
        let rows = bytes / (SOURCE * 4) + 1;
        let values = Gaussian(seed | 1).values(SOURCE * 64);
        let vector: Vec<f64> = values.into_iter().cycle().take(rows * SOURCE).collect();
        let vector = TensorData::floats("vector", Dtype::F32, &[rows, SOURCE], &vector);
        Self {
            package: safetensors(&[("lpkg.version", "1")], &[vector]),
            ..Self::vector(seed)
        }
    }

    /// The same claims over other bytes of the package.
    #[must_use]
    pub fn with_package(self, package: Vec<u8>) -> Self {
        Self { package, ..self }
    }

    /// The same claims over another W.
    #[must_use]
    pub fn with_w_matrix(self, w_matrix: Vec<u8>) -> Self {
        Self { w_matrix, ..self }
    }

    /// The body of the seed's upload.
    pub fn request(&self) -> Value {
        json!({
            "packageType": self.package_type.as_str(),
            "name": "GPT-4 Vision Capabilities",
            "description": "Pre-trained vision capabilities for GPT-4",
            "sourceModel": "gpt-3.5-turbo",
            "targetModel": "gpt-4",
            "epsilon": self.epsilon,
            "price": 9.99,
            "vectorData": BASE64_STANDARD.encode(&self.package),
            "wMatrixData": BASE64_STANDARD.encode(&self.w_matrix),
        })
    }

    /// The same upload as a form, without its price.
    pub fn form(&self) -> Form {
        Form::new()
            .text("packageType", self.package_type.as_str())
            .text("name", "A form")
            .text("description", "Sent as multipart/form-data")
            .text("sourceModel", "gpt-3.5-turbo")
            .text("targetModel", "gpt-4")
            .text("epsilon", "0.05")
            .part("vectorData", Part::bytes(self.package.clone()))
            .part("wMatrixData", Part::bytes(self.w_matrix.clone()))
    }

    /// The same with a webhook.
    pub fn request_with_webhook(&self, url: &str) -> Value {
        let mut request = self.request();
        request["webhookUrl"] = url.into();
        request
    }

    fn measured(&self) -> f64 {
        let declared = Declared {
            package_type: self.package_type,
            source_model: "gpt-3.5-turbo".to_owned(),
            target_model: "gpt-4".to_owned(),
            epsilon: self.epsilon,
        };
        let limits = Limits::default();
        let report = verify(
            &self.package,
            &self.w_matrix,
            &declared,
            &limits,
            &mut Unwatched,
        );
        report
            .epsilon
            .measured
            .unwrap_or_else(|| panic!("a sample that cannot be measured: {:?}", report.refusal))
    }
}

struct Unwatched;

impl Monitor for Unwatched {
    fn stage(&mut self, _stage: Stage) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Every row of `source` through W.
fn apply(weight: &[f64], source: &[f64]) -> Vec<f64> {
    let dot = |row: &[f64], state: &[f64]| row.iter().zip(state).map(|(w, x)| w * x).sum();
    source
        .chunks_exact(SOURCE)
        .flat_map(|state| weight.chunks_exact(SOURCE).map(move |row| dot(row, state)))
        .collect()
}

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// Normal deviates: xorshift64* summed twelve at a time (Irwin and Hall).
struct Gaussian(u64);

impl Gaussian {
    fn values(&mut self, count: usize) -> Vec<f64> {
        (0..count)
            .map(|_| (0..12).map(|_| self.unit()).sum::<f64>() - 6.0)
            .collect()
    }

    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}
