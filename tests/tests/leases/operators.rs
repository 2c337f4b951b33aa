//! What operators see of leases, and how they end one.

use serde_json::{Value, json};
use tests::World;

use super::ground::{acquire, ask, extend, fence, granted, in_line, reason, token};

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_the_leases_of_an_account_and_releases_one_with_a_reason() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    acquire(&world.stranger, "import").await;
    let user = world.seller_id().await;
    let path = format!("/admin/users/{user}/leases");
    let page = world.operator.get(&path).await.data();
    assert_eq!(page["leases"].as_array().unwrap().len(), 1);
    assert_eq!(page["leases"][0]["fence"], lease["fence"]);
    assert_eq!(page["leases"][0]["token"], Value::Null);

    let next = tokio::spawn({
        let seller = world.seller.clone();
        async move { ask(&seller, "import", 30_000).await }
    });
    in_line(&world, 1).await;
    let path = format!("{path}/import/release");
    let silent = world.operator.post(&path, &json!({ "reason": " " })).await;
    assert_eq!(silent.status, 400, "{}", silent.text);
    let because = json!({ "reason": "its worker hangs" });
    let released = world.operator.post(&path, &because).await;
    assert_eq!(released.status, 200, "{}", released.text);
    let raised = released.data()["fence"].as_i64().unwrap();
    assert!(
        raised > fence(&lease),
        "what compares fences refuses the last holder at once"
    );
    let late = extend(&world.seller, "import", token(&lease), 300_000).await;
    assert_eq!(reason(&late), (410, "UNKNOWN".to_owned()));
    assert!(fence(&granted(&next.await.unwrap())) > raised);

    let audit = world.operator.get("/admin/audit").await.data();
    let entry = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["target"] == path.as_str() && entry["status"] == 200)
        .unwrap();
    assert_eq!(entry["reason"], "its worker hangs");
    assert_eq!(entry["recipientId"], json!(user));
    let none = format!("/admin/users/{user}/leases/other/release");
    assert_eq!(world.operator.post(&none, &because).await.status, 404);
    for client in [&world.anonymous, &world.seller] {
        assert_eq!(client.post(&path, &because).await.status, 401);
    }
}
