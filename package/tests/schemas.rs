//! What each blob may hold, and how payload, W and models must fit each other.

mod builder;

use builder::{Builder, values};
use package::write::{TensorData, safetensors};
use package::{Code, Dtype, PackageDimensions, PackageType, Report, Verdict};

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
