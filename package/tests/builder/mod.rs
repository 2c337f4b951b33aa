//! Builds whole packages for the tests: an honest one by default, with every part open to change.

#![allow(
    dead_code,
    reason = "each test binary uses its own part of the builder"
)]

use package::write::{TensorData, safetensors};
use package::{Declared, Dtype, Limits, PackageType, Report, verify};

/// A repeatable number in -1..1 for a pair of indices; smooth enough to need no generator.
pub fn noise(seed: usize, row: usize, column: usize) -> f64 {
    let mut bits = (seed as u64) << 48 ^ (row as u64) << 24 ^ column as u64;
    for _ in 0..3 {
        bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits ^= bits >> 32;
    }
    (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
}

pub fn values(seed: usize, rows: usize, columns: usize) -> Vec<f64> {
    (0..rows * columns)
        .map(|index| noise(seed, index / columns, index % columns))
        .collect()
}

/// The pieces of a package; `build` makes the blobs.
#[derive(Debug, Clone)]
pub struct Builder {
    pub source: usize,
    pub target: usize,
    pub dtype: Dtype,
    pub weight: Vec<f64>,
    pub anchors: usize,
    /// Anchor rows of the source, before rounding.
    pub source_rows: Vec<f64>,
    /// Size of the error that is added to the exact targets.
    pub error: f64,
    pub w_metadata: Vec<(&'static str, String)>,
    pub extra: Vec<TensorData>,
    pub package: Vec<u8>,
    pub declared: Declared,
}

impl Builder {
    /// A vector package with a dense W whose measured epsilon is near `error`.
    pub fn vector(source: usize, target: usize, error: f64) -> Self {
        let vector = TensorData::floats("vector", Dtype::F32, &[2, source], &values(9, 2, source));
        let diagonal = |index: usize| {
            if index / source == index % source {
                2.0
            } else {
                0.0
            }
        };
        let weight = values(1, target, source);
        let weight = weight
            .iter()
            .enumerate()
            .map(|(index, value)| diagonal(index) + value / 4.0);
        Self {
            source,
            target,
            dtype: Dtype::F32,
            weight: weight.collect(),
            anchors: 200,
            source_rows: values(2, 200, source),
            error,
            w_metadata: Vec::new(),
            extra: Vec::new(),
            package: safetensors(&[], &[vector]),
            declared: Declared {
                package_type: PackageType::Vector,
                source_model: "atlas-1".to_owned(),
                target_model: "atlas-2".to_owned(),
                epsilon: error,
            },
        }
    }

    /// Exact targets of the anchors plus the error, scaled to the targets' own size.
    pub fn target_rows(&self) -> Vec<f64> {
        let mut rows = Vec::with_capacity(self.anchors * self.target);
        for row in self.source_rows.chunks_exact(self.source) {
            for weights in self.weight.chunks_exact(self.source) {
                rows.push(row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>());
            }
        }
        let size = (rows.iter().map(|y| y * y).sum::<f64>() / rows.len() as f64).sqrt();
        let scale = self.error * size * 3f64.sqrt();
        for (index, value) in rows.iter_mut().enumerate() {
            *value += scale * noise(3, index / self.target, index % self.target);
        }
        rows
    }

    pub fn weight_tensor(&self) -> TensorData {
        TensorData::floats(
            "weight",
            self.dtype,
            &[self.target, self.source],
            &self.weight,
        )
    }

    pub fn anchor_tensors(&self) -> [TensorData; 2] {
        let (n, targets) = (self.anchors, self.target_rows());
        [
            TensorData::floats(
                "anchors.source",
                self.dtype,
                &[n, self.source],
                &self.source_rows,
            ),
            TensorData::floats("anchors.target", self.dtype, &[n, self.target], &targets),
        ]
    }

    pub fn w_matrix(&self) -> Vec<u8> {
        let mut tensors = vec![self.weight_tensor()];
        if self.anchors > 0 {
            tensors.extend(self.anchor_tensors());
        }
        tensors.extend(self.extra.clone());
        self.file(&tensors)
    }

    pub fn file(&self, tensors: &[TensorData]) -> Vec<u8> {
        let metadata: Vec<_> = self
            .w_metadata
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        safetensors(&metadata, tensors)
    }

    pub fn without_anchors(mut self) -> Self {
        self.anchors = 0;
        self.source_rows.clear();
        self
    }

    pub fn report(&self) -> Report {
        self.report_with(&self.w_matrix())
    }

    pub fn report_with(&self, w_matrix: &[u8]) -> Report {
        verify(
            &self.package,
            w_matrix,
            &self.declared,
            &Limits::default(),
            &mut (),
        )
    }
}
