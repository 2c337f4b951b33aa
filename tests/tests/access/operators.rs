//! Operators: the token or a role, and a log of what they did.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Client, World};

use super::accounts::{caller, register};

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_operates_in_a_session_until_the_role_is_gone() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let here = caller(&world, &tokens);
    let refused = here.get("/admin/users").await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    let path = format!("/admin/users/{}/role", tokens["userId"].as_str().unwrap());
    let made = world
        .operator
        .post(&path, &json!({ "role": "admin" }))
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    let users = here.get("/admin/users?name=GRA").await.data();
    assert_eq!(users["users"][0]["name"], "grace");
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    let oneself = here.post(&path, &json!({ "role": "member" })).await;
    assert_eq!(oneself.fault(), (409, "CONFLICT".to_owned()));
    world
        .operator
        .post(&path, &json!({ "role": "member" }))
        .await;
    assert_eq!(here.get("/admin/users").await.status, 403);
    assert_eq!(
        world.seller.get("/admin/users").await.status,
        401,
        "a key is no session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_user_is_refused_by_the_next_request_until_let_in_again() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let me = world.seller.get("/api/ai/me").await.data();
    for user in [&me["userId"], &tokens["userId"]] {
        let path = format!("/admin/users/{}/block", user.as_str().unwrap());
        let reason = json!({ "reason": "fraud" });
        assert_eq!(world.operator.post(&path, &reason).await.status, 200);
    }
    assert_eq!(world.seller.get("/api/ai/me").await.status, 401);
    assert_eq!(caller(&world, &tokens).get("/api/ai/me").await.status, 401);
    let path = format!("/admin/users/{}/unblock", me["userId"].as_str().unwrap());
    let reason = json!({ "reason": "cleared" });
    assert_eq!(world.operator.post(&path, &reason).await.status, 200);
    assert_eq!(world.seller.get("/api/ai/me").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_operators_do_is_written_down_and_stays() {
    let world = World::only_api().await;
    world.operator.get("/admin/keys").await;
    let new =
        json!({ "userId": world.seller_id().await, "name": "new", "permissions": ["upload"] });
    let made = world.operator.post("/admin/keys", &new).await;
    world.operator.post("/admin/keys", &json!({})).await;
    world
        .operator
        .post("/admin/tasks/sweep_words/run", &json!({}))
        .await;
    let log = world.operator.get("/admin/audit").await.data();
    let entries = log["entries"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["status"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [
            ("POST /admin/tasks/{task}/run", Some(404)),
            ("POST /admin/keys", Some(400)),
            ("POST /admin/keys", Some(201))
        ]
    );
    assert_eq!(entries[2]["actor"], "operator token");
    assert_eq!(entries[2]["requestId"], made.header("x-request-id"));
    for change in [
        "update audit_log set status = 200",
        "update audit_log set action = 'nothing'",
        "delete from audit_log",
    ] {
        assert!(
            sqlx::query(change).execute(&world.pool).await.is_err(),
            "{change}"
        );
    }
}

async fn log(world: &World) -> Vec<Value> {
    let log = world.operator.get("/admin/audit").await.data();
    log["entries"].as_array().unwrap().clone()
}

fn wrong(world: &World, last: u8) -> Client {
    world
        .anonymous
        .at(last)
        .with_token("not the operators' token")
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_operator_tokens_are_few_and_in_the_log_once_with_their_address() {
    let world = World::only_api().await;
    let guesser = wrong(&world, 7);
    let answers = join_all((0..40).map(|_| guesser.get("/admin/keys"))).await;
    let count = |status| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((count(401), count(429)), (10, 30));
    let right = guesser.with_token(world.operator.token());
    let refused = right.get("/admin/keys").await;
    assert_eq!(refused.fault(), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(world.operator.at(8).get("/admin/keys").await.status, 200);
    let entries = log(&world).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    let entry = &entries[0];
    let told = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        [
            told("actor"),
            told("action"),
            told("target"),
            told("address")
        ],
        ["refused", "GET /admin/keys", "/admin/keys", "127.0.0.7"]
    );
    assert_eq!(entry["status"], 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_token_is_never_refused_from_a_trusted_address() {
    let world = World::only_api().await;
    let guesser = wrong(&world, 1);
    let answers = join_all((0..40).map(|_| guesser.get("/admin/keys"))).await;
    assert!(answers.iter().all(|answer| answer.status == 401));
    assert_eq!(world.operator.get("/admin/keys").await.status, 200);
    assert_eq!(log(&world).await.len(), 1, "trusted, and noted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_wants_to_operate_is_noted_by_id_and_a_long_path_is_cut() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let path = format!("/admin/users/{}/block", "x".repeat(4000));
    let refused = caller(&world, &tokens).at(9).post(&path, &json!({})).await;
    assert_eq!(refused.fault(), (403, "FORBIDDEN".to_owned()));
    let entries = log(&world).await;
    assert_eq!(entries[0]["actor"], "refused user");
    assert_eq!(entries[0]["actorId"], tokens["userId"]);
    assert_eq!(entries[0]["target"].as_str().unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_no_act_and_every_other_method_is() {
    let world = World::only_api().await;
    let head = send(world.operator.request(Method::HEAD, "/admin/keys")).await;
    assert_eq!(head.status, 200);
    assert!(log(&world).await.is_empty());
    for (method, path) in [
        (Method::POST, "/admin/ledger/audit"),
        (Method::DELETE, "/admin/payloads/1"),
    ] {
        send(world.operator.request(method, path)).await;
    }
    let entries = log(&world).await;
    let actions: Vec<&str> = entries
        .iter()
        .filter_map(|it| it["action"].as_str())
        .collect();
    let expected = [
        "DELETE /admin/payloads/{payload_id}",
        "POST /admin/ledger/audit",
    ];
    assert_eq!(actions, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_credits_are_for_ids_and_a_name_makes_a_new_user_only() {
    let world = World::only_api().await;
    let named = json!({ "user": "seller", "name": "mine", "permissions": ["purchase"] });
    let taken = world.operator.post("/admin/keys", &named).await;
    assert_eq!(taken.fault(), (409, "CONFLICT".to_owned()));
    let seller = world.seller_id().await;
    let found = world
        .operator
        .get("/admin/users?exactName=seller")
        .await
        .data();
    assert_eq!(found["users"].as_array().unwrap().len(), 1);
    assert_eq!(found["users"][0]["userId"], json!(seller));
    let alike = world
        .operator
        .get("/admin/users?exactName=selle")
        .await
        .data();
    assert_eq!(alike["users"], json!([]));
    let known = json!({ "userId": seller, "name": "mine", "permissions": ["purchase"] });
    let made = world.operator.post("/admin/keys", &known).await.data();
    assert_eq!(
        (&made["userId"], &made["user"]),
        (&json!(seller), &json!("seller"))
    );
    let nobody =
        json!({ "userId": uuid::Uuid::now_v7(), "name": "x", "permissions": ["purchase"] });
    let unknown = world.operator.post("/admin/keys", &nobody).await;
    assert_eq!(
        unknown.fault(),
        (404, "NOT_FOUND".to_owned()),
        "{}",
        unknown.text
    );
    let gift = json!({ "user": "seller", "amount": "1.00", "reason": "x" });
    let by_name = world.operator.post("/admin/credits", &gift).await;
    assert_eq!(by_name.fault(), (400, "INVALID_INPUT".to_owned()));
}
