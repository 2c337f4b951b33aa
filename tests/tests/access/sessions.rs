//! Sessions: several devices, refresh tokens that are good once, and the end of it all.

use serde_json::{Value, json};
use tests::{Answer, World};

use super::accounts::{PASSWORD, caller, register, signed_in};

async fn refresh(world: &World, token: &Value) -> Answer {
    let body = json!({ "refreshToken": token });
    world.anonymous.post("/api/auth/refresh", &body).await
}

/// As if the refreshes so far had been a minute ago.
pub async fn a_minute_later(world: &World) {
    let earlier = "update refresh_tokens set used_at = used_at - interval '1 minute'";
    sqlx::query(earlier).execute(&world.pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_good_once_and_its_return_ends_the_session() {
    let world = World::only_api().await;
    let first = register(&world, "grace").await.data();
    let second = refresh(&world, &first["refreshToken"]).await.data();
    assert_eq!(second["sessionId"], first["sessionId"]);
    assert_ne!(second["refreshToken"], first["refreshToken"]);
    assert_eq!(caller(&world, &second).get("/api/ai/me").await.status, 200);
    a_minute_later(&world).await;
    let stolen = refresh(&world, &first["refreshToken"]).await;
    assert_eq!(stolen.fault(), (401, "UNAUTHORIZED".to_owned()));
    for tokens in [&first, &second] {
        assert_eq!(caller(&world, tokens).get("/api/ai/me").await.status, 401);
        assert_eq!(refresh(&world, &tokens["refreshToken"]).await.status, 401);
    }
    let reused = "select count(*) from sessions where revoked_because = 'reused'";
    assert_eq!(world.count(reused).await, 1);
    let audited =
        "select count(*) from audit_log where actor = 'refused refresh token' and status = 401";
    assert_eq!(world.count(audited).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refreshes_twice_at_nearly_the_same_moment_gets_the_same_pair() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    let answers =
        futures::future::join_all((0..8).map(|_| refresh(&world, &tokens["refreshToken"]))).await;
    let first = answers[0].data();
    for answer in &answers {
        let pair = answer.data();
        for token in ["accessToken", "refreshToken"] {
            assert_eq!(pair[token], first[token]);
        }
    }
    let next = refresh(&world, &first["refreshToken"]).await.data();
    assert_eq!(
        refresh(&world, &first["refreshToken"]).await.data()["refreshToken"],
        next["refreshToken"]
    );
    a_minute_later(&world).await;
    refresh(&world, &next["refreshToken"]).await.data();
    let kept = "select count(*) from refresh_tokens where sealed_successor is not null";
    assert_eq!(world.count(kept).await, 1, "earlier pairs are erased");
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_listed_and_signed_out_one_by_one_and_together() {
    let world = World::only_api().await;
    register(&world, "grace").await;
    let mut devices = Vec::new();
    for _ in 0..4 {
        devices.push(signed_in(&world, "grace").await);
    }
    let here = caller(&world, &devices[3]);
    let list = here.get("/api/auth/sessions").await.data();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 5);
    assert_eq!(sessions[0]["sessionId"], devices[3]["sessionId"]);
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(sessions[1]["current"], false);

    let one = format!(
        "/api/auth/sessions/{}",
        devices[0]["sessionId"].as_str().unwrap()
    );
    assert_eq!(here.delete(&one).await.status, 200);
    assert_eq!(here.delete(&one).await.status, 404);
    assert_eq!(
        caller(&world, &devices[0]).get("/api/ai/me").await.status,
        401
    );
    assert_eq!(
        caller(&world, &devices[1]).get("/api/ai/me").await.status,
        200
    );

    assert_eq!(here.delete("/api/auth/sessions").await.data()["revoked"], 3);
    assert_eq!(
        caller(&world, &devices[1]).get("/api/ai/me").await.status,
        401
    );
    assert_eq!(here.get("/api/ai/me").await.status, 200);
    assert_eq!(here.post("/api/auth/logout", &json!({})).await.status, 200);
    assert_eq!(here.get("/api/ai/me").await.status, 401);
    assert_eq!(
        refresh(&world, &devices[3]["refreshToken"]).await.status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_signs_out_all_other_devices() {
    let world = World::only_api().await;
    let there = register(&world, "grace").await.data();
    let tokens = signed_in(&world, "grace").await;
    let here = caller(&world, &tokens);
    let change =
        |current: &str| json!({ "currentPassword": current, "newPassword": "a wholly new phrase" });
    let wrong = here
        .post("/api/auth/password", &change("not the right one"))
        .await;
    assert_eq!(wrong.status, 401, "{}", wrong.text);
    let changed = here.post("/api/auth/password", &change(PASSWORD)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(here.get("/api/ai/me").await.status, 200);
    assert_eq!(caller(&world, &there).get("/api/ai/me").await.status, 401);
    let old = json!({ "email": "grace@example.com", "password": PASSWORD });
    assert_eq!(
        world.anonymous.post("/api/auth/login", &old).await.status,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_expired_forged_or_another_kind_opens_nothing() {
    let world = World::only_api().await;
    let tokens = register(&world, "grace").await.data();
    world
        .change("update sessions set expires_at = now() - interval '1 second'")
        .await;
    assert_eq!(caller(&world, &tokens).get("/api/ai/me").await.status, 401);
    let token = tokens["accessToken"].as_str().unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    for text in [
        unsigned.as_str(),
        tokens["refreshToken"].as_str().unwrap(),
        "a.b.c",
        "",
    ] {
        let answer = world.anonymous.with_token(text).get("/api/ai/me").await;
        assert_eq!(answer.fault(), (401, "UNAUTHORIZED".to_owned()), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_uploads_and_buys_as_its_user() {
    let world = World::start().await;
    let package = world.package_for(0.0).await;
    let tokens = register(&world, "grace").await.data();
    let here = caller(&world, &tokens);
    let bought = here.buy(&package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    let uploaded = here.upload(&tests::Sample::vector(1).request()).await;
    assert_eq!(uploaded.status, 202, "{}", uploaded.text);
}
