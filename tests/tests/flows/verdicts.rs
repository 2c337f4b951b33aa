//! Refused packages: the seed's sentence for epsilon, a precise code for hostile files, and a worker
//! that lives on.

use package::Dtype;
use package::write::{TensorData, frame, safetensors};
use serde_json::json;
use tests::{Sample, World};

/// Ends failed, with the same words in the status and in the webhook.
async fn assert_refused(world: &World, sample: &Sample, code: &str, message: Option<&str>) {
    let request = sample.request_with_webhook(&world.webhook_url());
    let answer = world.seller.upload(&request).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let id = answer.upload_id();
    let ended = world.seller.ended(&id).await;
    assert_eq!(ended["status"], "failed", "{code}: {ended}");
    assert_eq!(ended["errorCode"], code, "{ended}");
    assert_eq!(ended["packageId"], json!(null));
    let said = ended["error"].as_str().unwrap();
    if let Some(message) = message {
        assert_eq!(said, message);
    }
    let webhook = world.webhook(&id).await;
    let expected = json!({ "event": "upload.failed", "uploadId": id, "error": said });
    assert_eq!(webhook.body, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_epsilon_above_the_limit_fails_with_the_seeds_sentence() {
    let world = World::start().await;
    let sample = Sample::declared_only(41, 0.15);
    let sentence = "W-Matrix epsilon too high: 0.15 (max: 0.10)";
    assert_refused(&world, &sample, "EPSILON_TOO_HIGH", Some(sentence)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_measured_epsilon_rules_over_a_declared_one() {
    let world = World::start().await;
    let off = Sample::with_noise(42, 0.15);
    let shown = format!("W-Matrix epsilon too high: {:.2} (max: 0.10)", off.epsilon);
    let flattered = Sample {
        epsilon: 0.05,
        ..off
    };
    assert_refused(&world, &flattered, "EPSILON_TOO_HIGH", Some(&shown)).await;

    let modest = Sample::vector(43);
    let lying = Sample {
        epsilon: 0.01,
        ..modest
    };
    assert_refused(&world, &lying, "EPSILON_MISDECLARED", None).await;
    assert_eq!(world.count("select count(*) from packages").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_package_shows_its_figures_and_its_evidence() {
    let world = World::start().await;
    let measured = world.publish(&Sample::vector(44).request()).await;
    let verdict = &measured["verdict"];
    assert_eq!(verdict["evidenceLevel"], "self-attested", "{verdict}");
    assert_eq!(verdict["tier"], "silver", "{verdict}");
    let epsilon = verdict["epsilon"]["measured"].as_f64().unwrap();
    assert!((0.045..0.055).contains(&epsilon), "{epsilon}");

    let declared = world
        .publish(&Sample::declared_only(45, 0.10).request())
        .await;
    assert_eq!(declared["status"], "completed", "{declared}");
    assert_eq!(declared["verdict"]["evidenceLevel"], "declared");
    assert_eq!(declared["verdict"]["tier"], json!(null));
}

/// A W whose header declares the same tensor twice.
fn doubled_names() -> Vec<u8> {
    let entry = r#""weight":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}"#;
    frame(&format!("{{{entry},{entry}}}"), [[0_u8; 4].as_slice()])
}

fn with_a_hole_in_the_numbers() -> Vec<u8> {
    let mut values = vec![1.0; 2 * 16];
    values[7] = f64::NAN;
    safetensors(
        &[],
        &[TensorData::floats("vector", Dtype::F32, &[2, 16], &values)],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_fail_with_their_code_and_the_worker_lives_on() {
    let world = World::start().await;
    let good = Sample::vector(46);
    let with_package = |bytes: &[u8]| good.clone().with_package(bytes.to_vec());
    let huge_header = [
        &49_000_000_u64.to_le_bytes()[..],
        b"{\"a\":1}",
        &[b' '; 4096],
    ]
    .concat();
    let zip = [b"PK\x03\x04".as_slice(), &[0; 64]].concat();
    let pickle = [b"\x80\x04\x95".as_slice(), &[0; 64]].concat();
    let cases = [
        (with_package(&zip), "ZIP"),
        (with_package(&pickle), "PICKLE"),
        (with_package(b"abc"), "TOO_SHORT"),
        (with_package(&huge_header), "HEADER_OVER_LIMIT"),
        (with_package(&with_a_hole_in_the_numbers()), "NOT_FINITE"),
        (good.clone().with_w_matrix(doubled_names()), "DUPLICATE_KEY"),
        (
            good.clone().with_w_matrix(good.package.clone()),
            "MISSING_TENSOR",
        ),
    ];
    for (sample, code) in &cases {
        assert_refused(&world, sample, code, None).await;
    }
    let ended = world.publish(&good.request()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let crashed = "select coalesce(sum(crashes + attempts), 0)::bigint from jobs
                   where name = 'validate_upload'";
    assert_eq!(world.count(crashed).await, 0);
}
