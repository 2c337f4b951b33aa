//! Validation without an upload is work for whoever waits for it, and ends with them.

use common::limits::VALIDATIONS_WAITING_SHARE_MAX;
use common::telemetry::metrics;
use package::Dtype;
use package::write::{TensorData, safetensors};
use serde_json::Value;
use tests::{Sample, World, eventually};
use tokio::task::JoinHandle;

/// Side of a W whose verdict takes far longer than a client needs to hang up.
const SIDE: usize = 2_048;

async fn assert_valid(world: &World) {
    let small = Sample::vector(1).request();
    let path = "/api/ai/validate-package";
    eventually("a place to validate", || async {
        let answer = world.seller.post(path, &small).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.text);
        (answer.status == 200).then_some(())
    })
    .await;
}

fn costly() -> Value {
    let value = |place: usize| ((place * 7919 + 13) % 1_009) as f64 / 1_009.0 - 0.5;
    let weight: Vec<f64> = (0..SIDE * SIDE).map(value).collect();
    let vector: Vec<f64> = (0..2 * SIDE).map(value).collect();
    let weight = TensorData::floats("weight", Dtype::F32, &[SIDE, SIDE], &weight);
    let vector = TensorData::floats("vector", Dtype::F32, &[2, SIDE], &vector);
    Sample::vector(1)
        .with_package(safetensors(&[("lpkg.version", "1")], &[vector]))
        .with_w_matrix(safetensors(&[("lpkg.version", "1")], &[weight]))
        .request()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_validation_that_nobody_waits_for_any_more_stops_and_frees_its_place() {
    let world = World::only_api().await;
    let running = || metrics().http_validations_running.get() as usize;
    let cancelled = || {
        let verdicts = &metrics().packages_verified;
        verdicts.with_label_values(&["vector", "cancelled"]).get() as usize
    };
    let costly = costly();
    let waiting: [JoinHandle<()>; VALIDATIONS_WAITING_SHARE_MAX] = std::array::from_fn(|_| {
        let (seller, costly) = (world.seller.clone(), costly.clone());
        tokio::spawn(async move {
            let answer = seller.post("/api/ai/validate-package", &costly).await;
            panic!("It was to be cancelled: {}", answer.text);
        })
    });
    eventually("both validations", || async {
        (running() == waiting.len()).then_some(())
    })
    .await;
    let before = cancelled();
    for each in &waiting {
        each.abort();
    }
    eventually("both to be cancelled", || async {
        (cancelled() == before + waiting.len()).then_some(())
    })
    .await;
    assert_valid(&world).await;
    assert_eq!(running(), 0);
}
