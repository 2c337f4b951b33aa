//! `awareness leases`.

use serde_json::json;
use tests::Client;

use super::ground::World;

#[tokio::test(flavor = "multi_thread")]
async fn the_leases_of_an_account_are_listed_and_released_with_a_reason() {
    common::tls::install_provider();
    let world = World::start().await;
    let key = [
        "keys",
        "create",
        "--user",
        "acme",
        "--name",
        "ci",
        "--permissions",
        "leases",
        "--json",
    ];
    let key = world.call(&key).await.json();
    let user = key["userId"].as_str().unwrap();
    let list = ["leases", "list", user];
    assert_eq!(
        world.call(&list).await.done(),
        "The account holds no lease.\n"
    );
    let acme = key["apiKey"].as_str().unwrap().to_owned();
    let acme = Client::new(world.base_url.clone(), Some(acme));
    let body = json!({ "resource": "nightly-import", "owner": "worker-7", "ttlMs": 300_000 });
    let lease = acme.post("/api/ai/leases", &body).await.data();

    let table = world.call(&list).await.done();
    for text in ["RESOURCE", "nightly-import", "worker-7"] {
        assert!(table.contains(text), "{table}");
    }
    let release = [
        "leases",
        "release",
        user,
        "nightly-import",
        "--reason",
        "its worker hangs",
    ];
    let released = world
        .call(&[&release[..], &["--json"]].concat())
        .await
        .json();
    assert!(
        released["fence"].as_i64() > lease["fence"].as_i64(),
        "{released}"
    );
    let again = world.call(&release).await.failed(1);
    assert!(again.contains("NOT_FOUND"), "{again}");
    world.stop().await;
}
