//! What operators do to the ledger: give and take credits, once per id, and audit.

use serde_json::{Value, json};
use tests::World;
use uuid::Uuid;

async fn balance(world: &World) -> i64 {
    let data = world.seller.get("/api/ai/credits").await.data();
    data["balanceMinor"].as_i64().unwrap()
}

async fn gift(world: &World, id: Uuid, amount: &str) -> Value {
    let user = world.seller_id().await;
    json!({ "id": id, "userId": user, "amount": amount, "reason": "goodwill" })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_has_its_effect_once_and_its_reason_is_kept() {
    let world = World::only_api().await;
    let id = Uuid::now_v7();
    for (status, is_new) in [(201, true), (200, false), (200, false)] {
        let answer = world
            .operator
            .post("/admin/credits", &gift(&world, id, "25.00").await)
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
        let data = answer.data();
        assert_eq!(
            (&data["isNew"], &data["amountMinor"], &data["id"]),
            (&json!(is_new), &json!(2500), &json!(id))
        );
    }
    assert_eq!(balance(&world).await, 2500);
    let kept: Value = sqlx::query_scalar("select data from events where stream = $1")
        .bind(id)
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(
        (&kept["reason"], &kept["amountMinor"]),
        (&json!("goodwill"), &json!(2500))
    );
    let other = world
        .operator
        .post("/admin/credits", &gift(&world, id, "26.00").await)
        .await;
    assert_eq!(other.fault(), (422, "IDEMPOTENCY_CONFLICT".to_owned()));
    assert_eq!(balance(&world).await, 2500);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_adjustment_sent_many_times_at_once_is_made_once() {
    let world = World::only_api().await;
    let gift = gift(&world, Uuid::now_v7(), "3.00").await;
    let calls = (0..16).map(|_| world.operator.post("/admin/credits", &gift));
    let mut statuses: Vec<u16> = futures::future::join_all(calls)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [[200; 15].as_slice(), &[201]].concat());
    assert_eq!(balance(&world).await, 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn credits_are_taken_with_a_minus_but_never_more_than_there_are() {
    let world = World::only_api().await;
    for (amount, status, after) in [("5.00", 201, 500), ("-1.25", 201, 375), ("-3.76", 409, 375)] {
        let answer = world
            .operator
            .post(
                "/admin/credits",
                &gift(&world, Uuid::now_v7(), amount).await,
            )
            .await;
        assert_eq!(answer.status, status, "{amount}: {}", answer.text);
        assert_eq!(balance(&world).await, after, "{amount}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_that_makes_no_sense_is_refused_with_the_field() {
    let world = World::only_api().await;
    let long = "x".repeat(501);
    for (field, value, status) in [
        ("userId", "0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01", 404),
        ("userId", "seller", 400),
        ("amount", "0.00", 400),
        ("amount", "1.001", 400),
        ("amount", "a lot", 400),
        ("amount", "1000000.01", 400),
        ("reason", "  ", 400),
        ("reason", long.as_str(), 400),
        ("currency", "usd", 400),
    ] {
        let mut wrong = gift(&world, Uuid::now_v7(), "1.00").await;
        wrong[field] = json!(value);
        let answer = world.operator.post("/admin/credits", &wrong).await;
        assert_eq!(answer.status, status, "{field} {value}: {}", answer.text);
        assert!(answer.details()[field].is_string(), "{}", answer.text);
    }
    assert_eq!(world.count("select count(*) from transfers").await, 0);
    assert_eq!(world.count("select count(*) from events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_audit_shows_every_check_with_its_figure() {
    let world = World::only_api().await;
    let given = world
        .operator
        .post(
            "/admin/credits",
            &gift(&world, Uuid::now_v7(), "1.00").await,
        )
        .await;
    assert_eq!(given.status, 201, "{}", given.text);
    let data = world
        .operator
        .post("/admin/ledger/audit", &json!({}))
        .await
        .data();
    assert_eq!(data["isSound"], true, "{data}");
    let audit = &data["audit"];
    assert_eq!(
        (&audit["figures"]["transfers"], &audit["figures"]["entries"]),
        (&json!(1), &json!(2))
    );
    let findings = audit["findings"].as_array().unwrap();
    assert!(findings.len() >= 14, "{findings:?}");
    assert!(findings.iter().all(|finding| finding["violations"] == 0));
}
