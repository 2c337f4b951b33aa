//! Verdicts on whole packages: what is accepted, what is refused, and what the report says.

mod builder;

use std::cell::Cell;

use builder::{Builder, noise, values};
use package::write::TensorData;
use package::{
    Code, Dtype, EvidenceLevel, Limits, Monitor, Report, SpectralMethod, Stage, StageVerdict, Tier,
    Verdict, verify,
};

fn code(report: &Report) -> Option<Code> {
    report.refusal.as_ref().map(|refusal| refusal.code)
}

fn findings(report: &Report) -> Vec<Code> {
    report
        .stages
        .iter()
        .flat_map(|stage| stage.findings.iter().map(|finding| finding.code))
        .collect()
}

#[test]
fn an_honest_package_is_accepted_with_its_measured_figures() {
    let report = Builder::vector(48, 32, 0.04).report();
    assert_eq!(report.failure_message(), None);
    assert_eq!(report.verdict, Verdict::Accepted);
    assert_eq!(report.evidence_level, EvidenceLevel::SelfAttested);
    assert_eq!(report.tier, Some(Tier::Gold));
    let measured = report.epsilon.measured.unwrap();
    assert!((measured - 0.04).abs() < 0.003, "{measured}");
    let interval = report.epsilon.interval.unwrap();
    assert!(interval.low < measured && measured < interval.high && interval.resamples >= 1000);
    assert!(report.epsilon.cosine_median.unwrap() > 0.99);
    assert!(report.epsilon.null_control.unwrap() > 1.2);
    assert!(report.stages.iter().map(|stage| stage.stage).eq(Stage::ALL));
    assert!(
        report
            .stages
            .iter()
            .all(|stage| stage.verdict == StageVerdict::Passed)
    );
    assert_eq!(report.spectral.unwrap().effective_rank, Some(32));
}

#[test]
fn the_report_reads_back_from_its_json_and_keeps_the_wire_names() {
    let report = Builder::vector(16, 16, 0.02).report();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        serde_json::from_value::<Report>(json.clone()).unwrap(),
        report
    );
    assert_eq!(json["verdict"], "accepted");
    assert_eq!(json["evidenceLevel"], "self-attested");
    assert_eq!(json["stages"][0]["stage"], "container");
    assert_eq!(json["dimensions"]["package"]["type"], "vector");
    assert_eq!(json["inputs"]["packageSha256"].as_str().unwrap().len(), 64);
    let refused = Builder::vector(16, 16, 0.02).report_with(b"PK\x03\x04");
    let json = serde_json::to_value(&refused).unwrap();
    assert_eq!(json["refusal"]["code"], "ZIP");
    assert_eq!(json["refusal"]["blob"], "wMatrix");
    assert_eq!(json["stages"][7]["verdict"], "skipped");
}

#[test]
fn the_same_bytes_give_the_same_report_but_for_the_durations() {
    let builder = Builder::vector(24, 24, 0.03);
    let timeless = |mut report: Report| {
        report
            .stages
            .iter_mut()
            .for_each(|stage| stage.duration_ms = 0.0);
        report
    };
    assert_eq!(timeless(builder.report()), timeless(builder.report()));
}

#[test]
fn a_measured_epsilon_above_the_limit_is_refused_in_the_published_words() {
    let mut builder = Builder::vector(32, 32, 0.15);
    builder.declared.epsilon = 0.05;
    let report = builder.report();
    assert_eq!(code(&report), Some(Code::EpsilonTooHigh));
    let message = report.failure_message().unwrap();
    assert!(
        message.starts_with("W-Matrix epsilon too high: 0.1"),
        "{message}"
    );
    assert!(message.ends_with(" (max: 0.10)"), "{message}");
    assert_eq!(
        (report.tier, report.evidence_level),
        (None, EvidenceLevel::Declared)
    );
}

#[test]
fn a_declared_epsilon_that_is_not_the_measured_one_is_refused() {
    let mut builder = Builder::vector(32, 32, 0.04);
    for (declared, expected) in [
        (0.02, Some(Code::EpsilonMisdeclared)),
        (0.06, Some(Code::EpsilonMisdeclared)),
        (0.042, None),
    ] {
        builder.declared.epsilon = declared;
        assert_eq!(code(&builder.report()), expected, "{declared}");
    }
    builder.declared.epsilon = f64::NAN;
    assert_eq!(code(&builder.report()), Some(Code::EpsilonInvalid));
}

#[test]
fn without_anchors_the_declared_figure_rules_and_is_labelled() {
    let mut builder = Builder::vector(32, 32, 0.04).without_anchors();
    let report = builder.report();
    assert_eq!(report.verdict, Verdict::Accepted);
    assert_eq!(
        (report.evidence_level, report.tier),
        (EvidenceLevel::Declared, None)
    );
    assert_eq!(report.epsilon.measured, None);
    assert!(findings(&report).contains(&Code::AnchorsMissing));
    builder.declared.epsilon = 0.15;
    let report = builder.report();
    assert_eq!(
        report.failure_message().unwrap(),
        "W-Matrix epsilon too high: 0.15 (max: 0.10)"
    );
    builder.declared.epsilon = 0.10;
    assert_eq!(builder.report().verdict, Verdict::Accepted);
}

#[test]
fn too_few_anchors_leave_the_package_declared() {
    let mut builder = Builder::vector(8, 8, 0.04);
    builder.anchors = 15;
    builder.source_rows.truncate(15 * 8);
    let report = builder.report();
    assert_eq!(report.verdict, Verdict::Accepted);
    assert_eq!(
        (report.evidence_level, report.tier),
        (EvidenceLevel::Declared, None)
    );
    assert!(report.epsilon.measured.is_some() && report.epsilon.interval.is_none());
    assert!(findings(&report).contains(&Code::AnchorsFew));
}

#[test]
fn anchors_that_repeat_or_hang_on_one_row_are_degenerate() {
    let mut copies = Builder::vector(16, 16, 0.0);
    for row in 90..200 {
        copies.source_rows.copy_within(0..16, row * 16);
    }
    copies.declared.epsilon = 0.0;
    let report = copies.report();
    assert_eq!(code(&report), Some(Code::AnchorsDegenerate));
    assert!(report.failure_message().unwrap().contains("90 of 200"));

    let mut dominated = Builder::vector(16, 16, 0.02);
    dominated.source_rows[..16]
        .iter_mut()
        .for_each(|value| *value *= 1e4);
    let report = dominated.report();
    assert_eq!(code(&report), Some(Code::AnchorsDegenerate));
    assert!(report.epsilon.null_control.unwrap() < 0.1);

    let builder = Builder::vector(16, 16, 0.02);
    let source = TensorData::floats(
        "anchors.source",
        Dtype::F32,
        &[200, 16],
        &builder.source_rows,
    );
    let constant = TensorData::floats("anchors.target", Dtype::F32, &[200, 16], &[0.5; 3200]);
    let report = builder.report_with(&builder.file(&[builder.weight_tensor(), source, constant]));
    assert_eq!(code(&report), Some(Code::AnchorsDegenerate));
}

#[test]
fn a_map_that_only_hits_the_common_mean_does_not_pass() {
    let builder = Builder::vector(16, 16, 0.0);
    let near_mean: Vec<f64> = (0..3200).map(|i| 20.0 + noise(5, i / 16, i % 16)).collect();
    let tiny = TensorData::floats(
        "weight",
        Dtype::F32,
        &[16, 16],
        &builder.weight.iter().map(|w| w * 1e-3).collect::<Vec<_>>(),
    );
    let source = TensorData::floats(
        "anchors.source",
        Dtype::F32,
        &[200, 16],
        &builder.source_rows,
    );
    let target = TensorData::floats("anchors.target", Dtype::F32, &[200, 16], &near_mean);
    let bias = TensorData::floats("bias", Dtype::F32, &[16], &[20.0; 16]);
    let report = builder.report_with(&builder.file(&[tiny, source, target, bias]));
    assert_eq!(code(&report), Some(Code::EpsilonTooHigh));
    assert!(report.epsilon.relative.unwrap() < 0.05);
    assert!(report.epsilon.centred.unwrap() > 0.9);
}

#[test]
fn values_that_are_not_finite_and_empty_lines_are_refused_by_place() {
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.weight[21] = f64::NAN;
    let refusal = builder.report().refusal.unwrap();
    assert_eq!(
        (refusal.code, refusal.tensor.as_deref()),
        (Code::NotFinite, Some("weight"))
    );
    assert!(refusal.message.contains("element 21"));
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.weight[32..48].fill(0.0);
    let refusal = builder.report().refusal.unwrap();
    assert_eq!(refusal.code, Code::ZeroRow);
    assert!(refusal.message.contains("row 2 "));
    let mut builder = Builder::vector(16, 16, 0.04);
    builder
        .weight
        .iter_mut()
        .skip(5)
        .step_by(16)
        .for_each(|value| *value = 0.0);
    let refusal = builder.report().refusal.unwrap();
    assert_eq!(refusal.code, Code::ZeroColumn);
    assert!(refusal.message.contains("column 5 "));
}

#[test]
fn unusable_maps_are_refused_by_their_singular_values() {
    let with = |weight: Vec<f64>, dtype| {
        let mut builder = Builder::vector(16, 16, 0.04).without_anchors();
        builder.weight = weight;
        builder.dtype = dtype;
        builder.report()
    };
    let scaled = |scale: f64| {
        Builder::vector(16, 16, 0.0)
            .weight
            .iter()
            .map(|w| w * scale)
            .collect()
    };
    assert_eq!(
        code(&with(scaled(1e-8), Dtype::F32)),
        Some(Code::MatrixVanishes)
    );
    let rank_two = (0..256).map(|i| {
        noise(7, i / 16, 0) * noise(8, i % 16, 0) + noise(7, i / 16, 1) * noise(8, i % 16, 1)
    });
    assert_eq!(
        code(&with(rank_two.collect(), Dtype::F32)),
        Some(Code::RankDeficient)
    );
    let diagonal = |last: f64| {
        (0..256)
            .map(move |i| {
                if i / 16 != i % 16 {
                    0.0
                } else if i == 255 {
                    last
                } else {
                    1.0
                }
            })
            .collect()
    };
    assert_eq!(
        code(&with(diagonal(1e-9), Dtype::F64)),
        Some(Code::IllConditioned)
    );
    let warned = with(diagonal(1e-7), Dtype::F32);
    assert_eq!(warned.verdict, Verdict::Accepted);
    assert!(findings(&warned).contains(&Code::IllConditioned));
    assert_eq!(
        code(&with(scaled(1e200), Dtype::F64)),
        Some(Code::SpectrumNotFinite)
    );
}

#[test]
fn a_factored_map_is_measured_as_its_product() {
    let dense = Builder::vector(24, 20, 0.05);
    let (b, a) = (values(11, 20, 6), values(12, 6, 24));
    let mut product = dense.clone();
    for (index, weight) in product.weight.iter_mut().enumerate() {
        *weight = (0..6)
            .map(|k| b[index / 24 * 6 + k] * a[k * 24 + index % 24])
            .sum();
    }
    product.dtype = Dtype::F64;
    let mut tensors = product.anchor_tensors().to_vec();
    tensors.push(TensorData::floats("lora_b", Dtype::F64, &[20, 6], &b));
    tensors.push(TensorData::floats("lora_a", Dtype::F64, &[6, 24], &a));
    let factored = product.report_with(&product.file(&tensors));
    assert_eq!(factored.failure_message(), None);
    let spectral = factored.spectral.unwrap();
    assert!(spectral.low_rank && spectral.effective_rank == Some(6));
    assert_eq!(factored.dimensions.w_matrix.unwrap().lora_rank, Some(6));
    let whole = product.report();
    assert_eq!(code(&whole), Some(Code::RankDeficient));
    let spread = factored.epsilon.measured.unwrap() - 0.05;
    assert!(spread.abs() < 0.004);
}

/// Stops when `stop_at` begins.
struct StopAt {
    stop_at: Stage,
    reached: Option<Stage>,
    asked: Cell<usize>,
}

impl Monitor for StopAt {
    fn stage(&mut self, stage: Stage) {
        self.reached = Some(stage);
    }

    fn cancelled(&self) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.reached == Some(self.stop_at)
    }
}

#[test]
fn a_cancelled_verdict_ends_in_the_stage_that_was_running() {
    let builder = Builder::vector(16, 16, 0.04);
    for stop_at in Stage::ALL {
        let mut monitor = StopAt {
            stop_at,
            reached: None,
            asked: Cell::new(0),
        };
        let report = verify(
            &builder.package,
            &builder.w_matrix(),
            &builder.declared,
            &Limits::default(),
            &mut monitor,
        );
        let refusal = report.refusal.unwrap();
        assert_eq!((refusal.code, refusal.stage), (Code::Cancelled, stop_at));
        assert_eq!(
            report
                .stages
                .iter()
                .filter(|stage| stage.verdict == StageVerdict::Skipped)
                .count(),
            7 - stop_at as usize
        );
    }
}

#[test]
fn a_large_matrix_is_judged_by_the_ends_of_its_spectrum() {
    let builder = Builder::vector(96, 96, 0.04);
    let limits = Limits {
        full_spectrum_dimension_max: 64,
        ..Limits::default()
    };
    let report = verify(
        &builder.package,
        &builder.w_matrix(),
        &builder.declared,
        &limits,
        &mut (),
    );
    assert_eq!(report.failure_message(), None);
    assert!(findings(&report).contains(&Code::SpectrumPartial));
    let (ends, all) = (report.spectral.unwrap(), builder.report().spectral.unwrap());
    assert_eq!(ends.method, SpectralMethod::Lanczos);
    assert!((ends.condition.unwrap() / all.condition.unwrap() - 1.0).abs() < 0.01);
}
