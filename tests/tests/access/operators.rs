//! Operators: the token or a role, and a log of what they did.

use serde_json::json;
use tests::World;

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
    let new = json!({ "user": "seller", "name": "new", "permissions": ["upload"] });
    let made = world.operator.post("/admin/keys", &new).await;
    world.operator.post("/admin/keys", &json!({})).await;
    let log = world.operator.get("/admin/audit").await.data();
    let entries = log["entries"].as_array().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["status"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [
            ("POST /admin/keys", Some(400)),
            ("POST /admin/keys", Some(201))
        ]
    );
    assert_eq!(entries[1]["actor"], "operator token");
    assert_eq!(entries[1]["requestId"], made.header("x-request-id"));
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
