//! Verdicts on whole packages: what is accepted, what is refused, and what the report says.

mod builder;

use std::cell::Cell;

use builder::{Builder, noise, values};
use package::write::{TensorData, safetensors};
use package::{
    Code, Dtype, EvidenceLevel, Limits, Monitor, PackageDimensions, PackageType, Report,
    SpectralMethod, Stage, StageVerdict, Tier, Verdict, verify,
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

fn memory_package(heads: usize, head_dimension: usize, dtype: Dtype) -> Vec<u8> {
    let shape = [heads, 5, head_dimension];
    let cache = |name: &str, seed| {
        TensorData::floats(
            name,
            dtype,
            &shape,
            &values(seed, 5 * heads, head_dimension),
        )
    };
    let positions = (0..5i64).flat_map(i64::to_le_bytes).collect();
    let positions = TensorData {
        name: "positions".to_owned(),
        dtype: Dtype::I64,
        shape: vec![5],
        bytes: positions,
    };
    safetensors(
        &[("lpkg.version", "1"), ("rope", "pre")],
        &[
            cache("layers.0.key", 1),
            cache("layers.0.value", 2),
            cache("layers.1.key", 3),
            cache("layers.1.value", 4),
            positions,
        ],
    )
}

#[test]
fn a_memory_package_must_fit_the_space_of_w() {
    let mut builder = Builder::vector(8, 8, 0.04);
    builder.declared.package_type = PackageType::Memory;
    builder.package = memory_package(3, 8, Dtype::F16);
    builder.w_metadata = vec![("space", "kv_head".to_owned())];
    let report = builder.report();
    assert_eq!(report.failure_message(), None);
    let expected = PackageDimensions::Memory {
        layers: 2,
        key_value_heads: 3,
        tokens: 5,
        head_dimension: 8,
    };
    assert_eq!(report.dimensions.package, Some(expected));
    builder.w_metadata = vec![("space", "kv_concat".to_owned())];
    assert_eq!(code(&builder.report()), Some(Code::SpaceDimension));
    builder.w_metadata.clear();
    let report = builder.report();
    assert_eq!(report.verdict, Verdict::Accepted);
    assert!(findings(&report).contains(&Code::SpaceUndeclared));
}

#[test]
fn an_eight_bit_cache_needs_its_scales() {
    let cache = |name: &str| TensorData {
        name: name.to_owned(),
        dtype: Dtype::I8,
        shape: vec![2, 3, 8],
        bytes: vec![1; 48],
    };
    let scale = |name: &str, shape: &[usize]| {
        TensorData::floats(name, Dtype::F16, shape, &vec![0.1; shape.iter().product()])
    };
    let mut builder = Builder::vector(8, 8, 0.04);
    builder.declared.package_type = PackageType::Memory;
    builder.w_metadata = vec![("space", "kv_head".to_owned())];
    let mut tensors = vec![
        cache("layers.0.key"),
        cache("layers.0.value"),
        scale("layers.0.key_scale", &[2, 1, 8]),
    ];
    builder.package = safetensors(&[], &tensors);
    let refusal = builder.report().refusal.unwrap();
    assert_eq!(
        (refusal.code, refusal.tensor.as_deref()),
        (Code::MissingTensor, Some("layers.0.value_scale"))
    );
    tensors.push(scale("layers.0.value_scale", &[2, 3, 1]));
    builder.package = safetensors(&[], &tensors);
    assert_eq!(builder.report().failure_message(), None);
    tensors[3] = scale("layers.0.value_scale", &[2, 2, 1]);
    builder.package = safetensors(&[], &tensors);
    assert_eq!(code(&builder.report()), Some(Code::InconsistentShape));
}

fn chain_report(steps: &[usize], text: Option<&str>) -> Report {
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.declared.package_type = PackageType::Chain;
    let states: Vec<_> = steps
        .iter()
        .map(|step| {
            TensorData::floats(
                &format!("steps.{step}.state"),
                Dtype::F32,
                &[2, 16],
                &values(20 + step, 2, 16),
            )
        })
        .collect();
    let metadata: Vec<_> = text.map(|text| ("steps", text)).into_iter().collect();
    builder.package = safetensors(&metadata, &states);
    builder.report()
}

#[test]
fn a_chain_lists_the_steps_that_it_has() {
    let step = |index: usize, parents: &str| {
        format!(r#"{{"index":{index},"description":"s","confidence":0.5,"parents":{parents}}}"#)
    };
    let list = |steps: &[String]| format!("[{}]", steps.join(","));
    let good = list(&[step(0, "[]"), step(1, "[0]")]);
    assert_eq!(chain_report(&[0, 1], None).failure_message(), None);
    assert_eq!(chain_report(&[0, 1], Some(&good)).failure_message(), None);
    for wrong in [
        list(&[step(0, "[]")]),
        list(&[step(0, "[]"), step(1, "[1]")]),
        list(&[step(1, "[]"), step(0, "[]")]),
        good.replace("0.5", "1.5"),
        good.replace("\"s\"", "7"),
        good.replace("{\"index\"", "{\"x\":1,\"index\""),
        good.replacen("\"index\":0", "\"index\":0,\"index\":0", 1),
        "[".repeat(100_000),
        format!("{good}{}", " ".repeat(128 * 1024)),
    ] {
        assert_eq!(
            code(&chain_report(&[0, 1], Some(&wrong))),
            Some(Code::StepsInvalid)
        );
    }
    assert_eq!(code(&chain_report(&[0, 2], None)), Some(Code::NumberingGap));
    assert_eq!(code(&chain_report(&[1], None)), Some(Code::NumberingGap));
}

#[test]
fn the_schema_admits_nothing_else() {
    let base = Builder::vector(16, 16, 0.04);
    let weight = base.weight_tensor();
    let float = |name: &str, shape: &[usize]| {
        TensorData::floats(name, Dtype::F32, shape, &vec![1.0; shape.iter().product()])
    };
    let integer = TensorData {
        name: "weight".to_owned(),
        dtype: Dtype::I32,
        shape: vec![1, 1],
        bytes: vec![1, 0, 0, 0],
    };
    let [source, target] = base.anchor_tensors();
    let cases: Vec<(Vec<TensorData>, Code)> = vec![
        (vec![], Code::MissingTensor),
        (vec![float("lora_b", &[4, 2])], Code::MissingTensor),
        (
            vec![
                weight.clone(),
                float("lora_b", &[16, 2]),
                float("lora_a", &[2, 16]),
            ],
            Code::UnexpectedTensor,
        ),
        (
            vec![weight.clone(), float("extra", &[1])],
            Code::UnexpectedTensor,
        ),
        (vec![integer], Code::WrongDtype),
        (vec![float("weight", &[16])], Code::WrongRank),
        (
            vec![weight.clone(), float("bias", &[15])],
            Code::InconsistentShape,
        ),
        (
            vec![weight.clone(), source.clone()],
            Code::AnchorsIncomplete,
        ),
        (
            vec![weight, source, float("anchors.target", &[199, 16])],
            Code::InconsistentShape,
        ),
        (
            vec![float("lora_b", &[4, 5]), float("lora_a", &[5, 4])],
            Code::LoraRank,
        ),
        (
            vec![float("lora_b", &[4, 2]), float("lora_a", &[3, 4]), target],
            Code::InconsistentShape,
        ),
    ];
    for (index, (tensors, expected)) in cases.into_iter().enumerate() {
        let report = base.report_with(&safetensors(&[], &tensors));
        assert_eq!(code(&report), Some(expected), "case {index}");
    }
    for (key, value, expected) in [
        ("lpkg.version", "2", Code::UnsupportedVersion),
        ("space", "everywhere", Code::MetadataValue),
        ("epsilon.declared", "NaN", Code::MetadataValue),
        ("rope", "during", Code::MetadataValue),
    ] {
        let mut builder = base.clone();
        builder.w_metadata = vec![(key, value.to_owned())];
        assert_eq!(code(&builder.report()), Some(expected), "{key}");
    }
}

#[test]
fn known_models_must_have_their_dimensions_and_unknown_ones_are_labelled() {
    let with = |source_model: &str, space: &str| {
        let mut builder = Builder::vector(64, 64, 0.04);
        builder.declared.source_model = source_model.to_owned();
        builder.w_metadata = vec![("space", space.to_owned())];
        builder.report()
    };
    assert_eq!(
        code(&with("openai-community/gpt2", "hidden")),
        Some(Code::ModelDimension)
    );
    assert_eq!(code(&with("gpt2", "kv_head")), None);
    assert_eq!(code(&with("gpt2", "kv_concat")), Some(Code::ModelDimension));
    assert!(findings(&with("gpt-4", "hidden")).contains(&Code::ModelUndisclosed));
    assert_eq!(code(&with("text-embedding-3-large", "embedding")), None);
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.w_metadata = vec![("source.model", "someone/else".to_owned())];
    assert!(findings(&builder.report()).contains(&Code::ModelDiffers));
    let mut builder = Builder::vector(16, 12, 0.04);
    builder.w_metadata = vec![("space", "wa".to_owned())];
    assert_eq!(code(&builder.report()), Some(Code::SpaceDimension));
}

#[test]
fn a_false_claim_of_orthogonality_is_a_warning() {
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.w_metadata = vec![("fit.method", "Orthogonal Procrustes".to_owned())];
    let report = builder.report();
    assert_eq!(report.verdict, Verdict::Accepted);
    assert!(findings(&report).contains(&Code::NotOrthogonal));
}

#[test]
fn a_payload_of_another_type_or_length_is_refused() {
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.declared.package_type = PackageType::Memory;
    assert_eq!(code(&builder.report()), Some(Code::MissingTensor));
    let mut builder = Builder::vector(16, 16, 0.04);
    builder.package = Builder::vector(17, 16, 0.04).package;
    assert_eq!(code(&builder.report()), Some(Code::SpaceDimension));
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
