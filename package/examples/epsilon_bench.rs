//! Times the alignment error of a 4096 x 4096 W on 1000 anchors (33.6 GFLOP): `epsilon_bench [rounds]`.
//!
//! Prints one line per stored precision, the median of the rounds. The NumPy figures to hold it
//! against come from `epsilon_bench.py` beside it; run both on one core, in turns:
//! `taskset -c 0 ./epsilon_bench` and `OPENBLAS_NUM_THREADS=1 taskset -c 0 python3 epsilon_bench.py`.

use package::write::{TensorData, safetensors};
use package::{Declared, Dtype, Limits, PackageType, Report, Stage, verify};

const DIMENSION: usize = 4096;
const ANCHORS: usize = 1000;

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
        let reports: Vec<Report> = (0..rounds)
            .map(|_| verify(&package, &w_matrix, &declared, &limits, &mut ()))
            .collect();
        let median = |stage: Stage| {
            let mut times: Vec<f64> = reports
                .iter()
                .flat_map(|report| &report.stages)
                .filter(|report| report.stage == stage)
                .map(|report| report.duration_ms)
                .collect();
            times.sort_unstable_by(f64::total_cmp);
            times[times.len() / 2]
        };
        println!(
            "{dtype}: epsilon {:.0} ms, finite {:.0} ms, spectral {:.0} ms",
            median(Stage::Epsilon),
            median(Stage::Finite),
            median(Stage::Spectral)
        );
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
