//! The figures against NumPy and SciPy on random cases. The interpreter is named by the environment
//! variable `AWARENESS_PYTHON`, which `./test` points at a virtual environment that has both.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

mod builder;

use std::io::Write as _;
use std::process::{Command, Stdio};

use builder::{noise, values};
use package::{Matrix, measure_epsilon, orthogonal_procrustes, spectrum};
use serde_json::{Value, json};

struct Case {
    weight: Matrix,
    bias: Option<Vec<f64>>,
    source: Matrix,
    target: Matrix,
}

fn matrix(seed: usize, rows: usize, columns: usize) -> Matrix {
    Matrix::new(rows, columns, values(seed, rows, columns)).unwrap()
}

fn cases() -> Vec<Case> {
    let shapes = [
        (1, 1, 2),
        (3, 5, 7),
        (16, 16, 40),
        (33, 17, 1500),
        (17, 65, 64),
        (100, 100, 250),
        (9, 200, 31),
        (250, 120, 90),
    ];
    let cases = shapes
        .into_iter()
        .enumerate()
        .map(|(index, (target, source, rows))| {
            let seed = 10 * index + 1;
            let (weight, source_rows) =
                (matrix(seed, target, source), matrix(seed + 1, rows, source));
            let bias = (index % 2 == 0).then(|| values(seed + 2, 1, target));
            let target_rows = Matrix::from_fn(rows, target, |row, column| {
                let x = &source_rows.values()[row * source..][..source];
                let w = &weight.values()[column * source..][..source];
                let exact: f64 = x.iter().zip(w).map(|(x, w)| x * w).sum();
                exact + 3.0 + 0.1 * noise(seed + 3, row, column)
            });
            Case {
                weight,
                bias,
                source: source_rows,
                target: target_rows.unwrap(),
            }
        });
    cases.collect()
}

fn nested(matrix: &Matrix) -> Value {
    matrix
        .values()
        .chunks_exact(matrix.columns())
        .map(Value::from)
        .collect()
}

fn ask_numpy(cases: &[Case]) -> Vec<Value> {
    let python = std::env::var_os("AWARENESS_PYTHON")
        .expect("AWARENESS_PYTHON must name a python3 with numpy and scipy; ./test sets it");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/numpy_reference.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: Vec<String> = cases
        .iter()
        .map(|case| {
            let Case { weight, bias, source, target } = case;
            json!({"weight": nested(weight), "bias": bias, "source": nested(source), "target": nested(target)}).to_string()
        })
        .collect();
    let writer = std::thread::spawn(move || {
        for line in lines {
            writeln!(input, "{line}").unwrap();
        }
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the reference script failed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn the_figures_agree_with_numpy_and_scipy() {
    let cases = cases();
    let answers = ask_numpy(&cases);
    assert_eq!(answers.len(), cases.len());
    for (index, (case, answer)) in cases.iter().zip(&answers).enumerate() {
        let found = measure_epsilon(
            &case.weight,
            case.bias.as_deref(),
            &case.source,
            &case.target,
        )
        .unwrap();
        let map = spectrum(&case.weight, 1536).unwrap();
        let mut figures = vec![
            ("relative", found.relative, 1e-12),
            ("centred", found.centred, 1e-12),
            ("cosine", found.cosine_median, 1e-12),
            ("sigma_max", map.sigma_max, 1e-12),
            ("sigma_min", map.sigma_min, 1e-10),
            ("condition", map.condition().unwrap(), 1e-10),
            ("orthogonality", map.orthogonality, 1e-11),
        ];
        if let Some(best) = orthogonal_procrustes(&case.source, &case.target) {
            figures.push(("procrustes", best.scale, 1e-12));
        }
        for (name, ours, relative) in figures {
            let theirs = answer[name].as_f64().unwrap();
            assert!(
                (ours - theirs).abs() <= relative * theirs.abs(),
                "case {index}, {name}: {ours} is not {theirs}"
            );
        }
    }
}
