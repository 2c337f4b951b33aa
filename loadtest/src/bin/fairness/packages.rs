//! Packages that a verifier reads to the end: a small one, and one that costs as much as its size allows.

use common::reqwest::multipart::{Form, Part};
use package::Dtype;
use package::write::{TensorData, safetensors};

/// Sides of a W and anchors for it, in 32 bits nearly the largest package.
const LARGE: (usize, usize) = (2600, 1000);
const SMALL: (usize, usize) = (16, 32);

/// Both blobs of a package.
pub struct Package {
    vector: Vec<u8>,
    w_matrix: Vec<u8>,
}

impl Package {
    /// A few KiB; it is accepted.
    pub fn small(seed: u64) -> Self {
        Self::identity(SMALL, seed)
    }

    /// About 50 MB; it is accepted, after seconds.
    pub fn large(seed: u64) -> Self {
        Self::identity(LARGE, seed)
    }

    pub fn size_bytes(&self) -> usize {
        self.vector.len() + self.w_matrix.len()
    }

    /// The identity, and anchors that it maps to themselves but for a little noise.
    fn identity((side, anchors): (usize, usize), seed: u64) -> Self {
        let weight: Vec<f64> = (0..side * side)
            .map(|place| f64::from(u8::from(place % (side + 1) == 0)))
            .collect();
        let source = noise(seed | 1, anchors * side);
        let target: Vec<f64> = source
            .iter()
            .zip(noise(seed.wrapping_add(2) | 1, anchors * side))
            .map(|(value, error)| value + 0.04 * error)
            .collect();
        let floats = |name, rows, values: &[f64]| {
            TensorData::floats(name, Dtype::F32, &[rows, side], values)
        };
        Self {
            vector: safetensors(&[], &[floats("vector", 1, &source[..side])]),
            w_matrix: safetensors(
                &[],
                &[
                    floats("weight", side, &weight),
                    floats("anchors.source", anchors, &source),
                    floats("anchors.target", anchors, &target),
                ],
            ),
        }
    }

    /// The body of an upload.
    pub fn form(self) -> Form {
        Form::new()
            .text("packageType", "vector")
            .text("name", "A measured upload")
            .text("description", "Bytes that are sent to be measured.")
            .text("sourceModel", "house-model-a")
            .text("targetModel", "house-model-b")
            .text("epsilon", "0.04")
            .text("price", "1.25")
            .part("vectorData", Part::bytes(self.vector))
            .part("wMatrixData", Part::bytes(self.w_matrix))
    }
}

/// Values between -1 and 1 (xorshift).
fn noise(seed: u64, count: usize) -> Vec<f64> {
    let mut state = 88_172_645_463_325_252_u64 ^ (seed << 20);
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state as f64 / u64::MAX as f64) * 2.0 - 1.0
        })
        .collect()
}
