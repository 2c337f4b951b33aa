//! Figures that others certified or computed: NIST's Longley regression, and a closed-form fixture
//! that was evaluated with NumPy. SciPy's Procrustes examples and the Hilbert condition numbers are
//! beside the functions that they test.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

mod builder;

use builder::Builder;
use package::write::TensorData;
use package::{Dtype, Matrix, Report, measure_epsilon, spectrum};

fn close(value: f64, expected: f64, relative: f64) -> bool {
    ((value - expected) / expected).abs() <= relative
}

fn longley() -> Vec<Vec<f64>> {
    let data = include_str!("fixtures/longley.txt");
    let lines = data.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            line.split(' ')
                .map(|number| number.parse().unwrap())
                .collect()
        })
        .collect()
}

/// NIST's certified coefficients, R² = 0.995479004577296 and residual deviation 304.854073561965 on
/// nine degrees of freedom.
#[test]
fn the_certified_longley_regression_has_its_certified_errors() {
    let rows = longley();
    let source = Matrix::from_fn(16, 6, |row, column| rows[row][column + 1]).unwrap();
    let target = Matrix::from_fn(16, 1, |row, _| rows[row][0]).unwrap();
    let coefficients = [
        15.061_872_271_373_3,
        -0.035_819_179_292_591,
        -2.020_229_803_816_83,
        -1.033_226_867_173_59,
        -0.051_104_105_653_580_7,
        1_829.151_464_613_55,
    ];
    let weight = Matrix::new(1, 6, coefficients.to_vec()).unwrap();
    let found = measure_epsilon(&weight, Some(&[-3_482_258.634_595_82]), &source, &target).unwrap();
    let r_squared: f64 = 0.995_479_004_577_296;
    assert!(
        close(found.centred, (1.0 - r_squared).sqrt(), 1e-9),
        "{}",
        found.centred
    );
    assert!(close(found.centred, 0.067_238_347_9, 1e-8));
    assert!(
        close(found.relative, 0.003_495_741_38, 1e-8),
        "{}",
        found.relative
    );
    let norm = rows.iter().map(|row| row[0] * row[0]).sum::<f64>().sqrt();
    assert!(close(
        found.relative * norm / 3.0,
        304.854_073_561_965,
        1e-9
    ));
    let design = Matrix::from_fn(
        16,
        7,
        |row, column| if column == 0 { 1.0 } else { rows[row][column] },
    );
    let condition = spectrum(&design.unwrap(), 1536)
        .unwrap()
        .condition()
        .unwrap();
    assert!(close(condition, 4.86e9, 2e-3), "{condition}");
}

const ROWS: usize = 60;
const SOURCE: usize = 24;
const TARGET: usize = 16;

fn fixture() -> (Matrix, Matrix, Matrix) {
    let source = Matrix::from_fn(ROWS, SOURCE, |i, j| {
        (0.37 * ((i + 1) * (j + 1)) as f64).sin()
    });
    let weight = Matrix::from_fn(TARGET, SOURCE, |i, j| {
        (0.11 * ((i + 1) * (j + 1)) as f64).cos() / 24f64.sqrt()
    });
    let (source, weight) = (source.unwrap(), weight.unwrap());
    let target = Matrix::from_fn(ROWS, TARGET, |i, j| {
        let row = &source.values()[i * SOURCE..][..SOURCE];
        let weights = &weight.values()[j * SOURCE..][..SOURCE];
        let exact: f64 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
        exact + 0.05 * (1.7 * ((i + 1) * (j + 1)) as f64).sin()
    });
    (source, weight, target.unwrap())
}

#[test]
fn the_fixture_has_its_known_errors_and_spectrum() {
    let (source, weight, target) = fixture();
    let found = measure_epsilon(&weight, None, &source, &target).unwrap();
    assert!(
        close(found.relative, 0.073_216_762_434, 1e-10),
        "{}",
        found.relative
    );
    assert!(
        close(found.centred, 0.073_406_758_160, 1e-10),
        "{}",
        found.centred
    );
    assert_eq!(found.epsilon(), found.centred);
    let found = spectrum(&weight, 1536).unwrap();
    assert!(close(found.condition().unwrap(), 20.668_568_38, 1e-9));
    assert!(close(found.sigma_max, 0.771_361_529_138, 1e-11));
    assert!(close(found.orthogonality * 4.0, 2.222_461_369_426, 1e-11));
}

fn fixture_report(dtype: Dtype) -> Report {
    let (source, weight, target) = fixture();
    let tensors = [
        TensorData::floats("weight", dtype, &[TARGET, SOURCE], weight.values()),
        TensorData::floats("anchors.source", dtype, &[ROWS, SOURCE], source.values()),
        TensorData::floats("anchors.target", dtype, &[ROWS, TARGET], target.values()),
    ];
    let mut builder = Builder::vector(SOURCE, TARGET, 0.0734);
    builder.declared.epsilon = 0.0734;
    builder.report_with(&builder.file(&tensors))
}

#[test]
fn the_fixture_has_its_known_errors_in_every_stored_precision() {
    for (dtype, expected, relative) in [
        (Dtype::F64, 0.073_216_762_434, 1e-10),
        (Dtype::F32, 0.073_216_762_434, 1e-6),
        (Dtype::F16, 0.073_216_481, 1e-6),
        (Dtype::BF16, 0.073_312_196, 1e-6),
    ] {
        let report = fixture_report(dtype);
        assert_eq!(report.failure_message(), None, "{dtype}");
        let found = report.epsilon.relative.unwrap();
        assert!(close(found, expected, relative), "{dtype}: {found}");
    }
}
