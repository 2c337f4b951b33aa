//! Times the alignment error of a 4096 x 4096 W on 1000 anchors (33.6 GFLOP): `epsilon_bench [rounds]`.
//!
//! Prints processor time, the best of the rounds, which a busy machine disturbs least. The NumPy
//! figures to hold it against come from `epsilon_bench.py` beside it; run both on one core, in turns:
//! `taskset -c 0 ./epsilon_bench` and `OPENBLAS_NUM_THREADS=1 taskset -c 0 python3 epsilon_bench.py`.
//! Linux only, for the processor time.

use std::collections::BTreeMap;

use package::write::{TensorData, safetensors};
use package::{Declared, Dtype, Limits, Monitor, PackageType, Stage, verify};

const DIMENSION: usize = 4096;
const ANCHORS: usize = 1000;

/// Notes the processor time at which each stage begins.
#[derive(Default)]
struct Clock(BTreeMap<Stage, f64>);

impl Monitor for Clock {
    fn stage(&mut self, stage: Stage) {
        self.0.insert(stage, processor_ms());
    }

    fn cancelled(&self) -> bool {
        false
    }
}

/// Time that this thread has had a processor, in milliseconds.
fn processor_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: f64 = text
        .split(' ')
        .next()
        .and_then(|field| field.parse().ok())
        .unwrap_or(f64::NAN);
    nanoseconds / 1e6
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5);
    let declared = Declared {
        package_type: PackageType::Vector,
        source_model: "a".to_owned(),
        target_model: "b".to_owned(),
        epsilon: 0.05,
    };
    // An F32 W of this size is above the published limit; the product is what is timed.
    let limits = Limits {
        total_bytes_max: 1 << 30,
        epsilon_max: f64::INFINITY,
        ..Limits::default()
    };
    let package = safetensors(&[], &[random("vector", Dtype::F32, 1)]);
    for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
        let tensors = [
            random("weight", dtype, DIMENSION),
            random("anchors.source", dtype, ANCHORS),
            random("anchors.target", dtype, ANCHORS),
        ];
        let w_matrix = safetensors(&[], &tensors);
        let (mut epsilon, mut spectral) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..rounds {
            let mut clock = Clock::default();
            let report = verify(&package, &w_matrix, &declared, &limits, &mut clock);
            assert!(report.epsilon.measured.is_some());
            epsilon = epsilon.min(clock.0[&Stage::Policy] - clock.0[&Stage::Epsilon]);
            spectral = spectral.min(clock.0[&Stage::Epsilon] - clock.0[&Stage::Spectral]);
        }
        println!("{dtype}: epsilon {epsilon:.0} ms, spectral {spectral:.0} ms");
    }
}

fn random(name: &str, dtype: Dtype, rows: usize) -> TensorData {
    let mut state = 88_172_645_463_325_252u64 ^ rows as u64;
    let values: Vec<f64> = (0..rows * DIMENSION)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        })
        .collect();
    TensorData::floats(name, dtype, &[rows, DIMENSION], &values)
}
