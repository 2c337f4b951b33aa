//! A verdict that nobody waits for ends soon, also within the stage that takes longest.

use std::cell::Cell;

use package::write::{TensorData, safetensors};
use package::{
    Code, Declared, Dtype, Limits, Matrix, Monitor, PackageType, Stage, spectrum, verify,
};

/// Side of a W that is factorised in several panels.
const SIDE: usize = 600;

fn value(row: usize, column: usize) -> f64 {
    let mixed = (row * 7919 + column * 104_729 + 13) % 1_009;
    mixed as f64 / 1_009.0 - 0.5 + f64::from(u8::from(row == column))
}

/// Stops a stage once it has asked so many times.
struct StopWithin {
    within: Stage,
    current: Option<Stage>,
    questions_left: Cell<usize>,
}

impl Monitor for StopWithin {
    fn stage(&mut self, stage: Stage) {
        self.current = Some(stage);
    }

    fn cancelled(&self) -> bool {
        if self.current != Some(self.within) {
            return false;
        }
        let left = self.questions_left.get();
        self.questions_left.set(left.saturating_sub(1));
        left == 0
    }
}

fn verdict(full_spectrum_dimension_max: usize, questions: usize) -> package::Report {
    let weight: Vec<f64> = (0..SIDE * SIDE)
        .map(|i| value(i / SIDE, i % SIDE))
        .collect();
    let weight = TensorData::floats("weight", Dtype::F32, &[SIDE, SIDE], &weight);
    let vector: Vec<f64> = (0..2 * SIDE).map(|i| value(i, 1)).collect();
    let vector = TensorData::floats("vector", Dtype::F32, &[2, SIDE], &vector);
    let declared = Declared {
        package_type: PackageType::Vector,
        source_model: "a".to_owned(),
        target_model: "b".to_owned(),
        epsilon: 0.05,
    };
    let limits = Limits {
        full_spectrum_dimension_max,
        ..Limits::default()
    };
    let mut monitor = StopWithin {
        within: Stage::Spectral,
        current: None,
        questions_left: Cell::new(questions),
    };
    let (package, w_matrix) = (
        safetensors(&[("lpkg.version", "1")], &[vector]),
        safetensors(&[("lpkg.version", "1"), ("space", "hidden")], &[weight]),
    );
    verify(&package, &w_matrix, &declared, &limits, &mut monitor)
}

#[test]
fn a_spectrum_is_stopped_between_its_panels_and_between_the_steps_of_its_iteration() {
    for (full_spectrum_dimension_max, questions) in [(1536, 3), (1536, 4), (0, 3), (0, 10), (0, 60)]
    {
        let report = verdict(full_spectrum_dimension_max, questions);
        let refusal = report.refusal.expect("it is stopped");
        let found = (refusal.code, refusal.stage);
        assert_eq!(found, (Code::Cancelled, Stage::Spectral), "{questions}");
    }
}

#[test]
fn a_factorisation_in_panels_keeps_the_norm_and_both_methods_agree() {
    for (rows, columns) in [(600, 600), (700, 530), (530, 700)] {
        let matrix = Matrix::from_fn(rows, columns, value).expect("elements");
        let all = spectrum(&matrix, 1536).expect("finite");
        let squares: f64 = matrix.values().iter().map(|value| value * value).sum();
        let found: f64 = all.singular_values.iter().flatten().map(|it| it * it).sum();
        assert!((found / squares - 1.0).abs() < 1e-11, "{found} {squares}");
        let ends = spectrum(&matrix, 0).expect("finite");
        assert!((ends.sigma_max / all.sigma_max - 1.0).abs() < 1e-3);
    }
}
