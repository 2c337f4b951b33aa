//! Small real packages: the verifier reads them to the end and accepts or refuses them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use package::Dtype;
use package::write::{TensorData, safetensors};
use serde_json::{Value, json};

/// Length of a state; the smallest that every stage has something to look at.
const DIMENSION: usize = 16;
/// What the refused samples are told.
pub const REFUSAL: &str = "W-Matrix epsilon too high: 0.20 (max: 0.10)";

/// What must come of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Accepted,
    Refused,
}

/// A sample package; another number has other bytes.
#[derive(Debug, Clone)]
pub struct Sample {
    pub number: u64,
    pub expected: Expected,
    pub package: Vec<u8>,
    pub w_matrix: Vec<u8>,
}

impl Sample {
    /// The sample of that number.
    #[must_use]
    pub fn new(number: u64, expected: Expected) -> Self {
        let vector: Vec<f64> = (1..=2 * DIMENSION)
            .map(|place| number as f64 + place as f64 / 64.0)
            .collect();
        let weight: Vec<f64> = (0..DIMENSION * DIMENSION)
            .map(|place| f64::from(u8::from(place % (DIMENSION + 1) == 0)))
            .collect();
        let tensor = |name, rows, values: &[f64]| {
            TensorData::floats(name, Dtype::F64, &[rows, DIMENSION], values)
        };
        Self {
            number,
            expected,
            package: safetensors(&[], &[tensor("vector", 2, &vector)]),
            w_matrix: safetensors(&[], &[tensor("weight", DIMENSION, &weight)]),
        }
    }

    /// The alignment error that its seller declares; it decides the verdict.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        match self.expected {
            Expected::Accepted => 0.04,
            Expected::Refused => 0.2,
        }
    }

    /// The body of `POST /api/ai/upload-package`.
    #[must_use]
    pub fn body(&self, webhook_url: Option<&str>) -> Value {
        let mut body = json!({
            "packageType": "vector",
            "name": format!("Sample {}", self.number),
            "description": "Two vectors and the identity, to be moved nowhere.",
            "sourceModel": "house-model-a",
            "targetModel": "house-model-b",
            "epsilon": self.epsilon(),
            "price": 1.25,
            "vectorData": STANDARD.encode(&self.package),
            "wMatrixData": STANDARD.encode(&self.w_matrix),
        });
        if let Some(url) = webhook_url {
            body["webhookUrl"] = json!(url);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use package::{Declared, Limits, PackageType, Verdict, verify};

    use super::*;

    #[test]
    fn the_verifier_thinks_of_the_samples_what_it_should() {
        for (expected, verdict) in [
            (Expected::Accepted, Verdict::Accepted),
            (Expected::Refused, Verdict::Refused),
        ] {
            let sample = Sample::new(7, expected);
            let declared = Declared {
                package_type: PackageType::Vector,
                source_model: "house-model-a".to_owned(),
                target_model: "house-model-b".to_owned(),
                epsilon: sample.epsilon(),
            };
            let limits = Limits::default();
            let report = verify(
                &sample.package,
                &sample.w_matrix,
                &declared,
                &limits,
                &mut (),
            );
            assert_eq!(report.verdict, verdict, "{report:?}");
            if let Some(refusal) = report.refusal {
                assert_eq!(refusal.message, REFUSAL);
            }
        }
    }
}
