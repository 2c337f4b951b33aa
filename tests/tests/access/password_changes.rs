//! Sessions that begin while the password changes or the user is blocked.

use futures::future::{join, join_all};
use serde_json::{Value, json};
use tests::{Answer, World};

use super::accounts::{PASSWORD, caller, register};

const ROUNDS: usize = 5;
const AT_ONCE: usize = 16;

async fn sign_in_often(world: &World, name: &str) -> Vec<Answer> {
    let body = json!({ "username": name, "password": PASSWORD });
    join_all((0..AT_ONCE).map(|_| world.anonymous.post("/api/auth/login", &body))).await
}

/// The sessions that were begun are over: neither token of theirs opens anything. How many.
async fn assert_over(world: &World, answers: &[Answer]) -> usize {
    let mut begun = 0;
    for answer in answers.iter().filter(|answer| answer.status == 200) {
        let tokens = answer.data();
        let me = caller(world, &tokens).get("/api/ai/me").await;
        assert_eq!(me.status, 401, "{}", me.text);
        let refresh = json!({ "refreshToken": tokens["refreshToken"] });
        let refreshed = world.anonymous.post("/api/auth/refresh", &refresh).await;
        assert_eq!(refreshed.status, 401, "{}", refreshed.text);
        begun += 1;
    }
    begun
}

async fn live_sessions(world: &World, user: &Value) -> i64 {
    sqlx::query_scalar(
        "select count(*) from sessions where user_id = $1::text::uuid and revoked_at is null",
    )
    .bind(user.as_str())
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_the_old_password_outlives_its_change() {
    let world = World::only_api().await;
    let mut begun = 0;
    for round in 0..ROUNDS {
        let name = format!("grace{round}");
        let tokens = register(&world, &name).await.data();
        let here = caller(&world, &tokens);
        let change = json!({ "currentPassword": PASSWORD, "newPassword": "a wholly new phrase" });
        let (answers, changed) = join(
            sign_in_often(&world, &name),
            here.post("/api/auth/password", &change),
        )
        .await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        begun += assert_over(&world, &answers).await;
        assert_eq!(live_sessions(&world, &tokens["userId"]).await, 1);
        assert_eq!(here.get("/api/ai/me").await.status, 200);
    }
    assert!(begun > 0, "sign-ins and change did not meet");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_that_began_before_a_block_lives_after_it() {
    let world = World::only_api().await;
    let mut begun = 0;
    for round in 0..ROUNDS {
        let name = format!("grace{round}");
        let user = register(&world, &name).await.data()["userId"].clone();
        let path = |what: &str| format!("/admin/users/{}/{what}", user.as_str().unwrap());
        let (block, unblock) = (path("block"), path("unblock"));
        let because = json!({ "reason": "fraud" });
        let (answers, blocked) = join(
            sign_in_often(&world, &name),
            world.operator.post(&block, &because),
        )
        .await;
        assert_eq!(blocked.status, 200, "{}", blocked.text);
        assert_eq!(live_sessions(&world, &user).await, 0);
        assert_eq!(world.operator.post(&unblock, &because).await.status, 200);
        begun += assert_over(&world, &answers).await;
        // The register's own session, at the least, began before.
        begun += 1;
    }
    assert!(begun >= ROUNDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_is_made_and_a_session_that_ended_makes_none() {
    let world = World::only_api().await;
    let first = register(&world, "grace").await.data();
    let body = json!({ "username": "grace", "password": PASSWORD });
    let second = world.anonymous.post("/api/auth/login", &body).await.data();
    let change = |to: &str| json!({ "currentPassword": PASSWORD, "newPassword": to });
    let (one, other) = (
        change("the first new phrase"),
        change("the second new phrase"),
    );
    let (here, there) = (caller(&world, &first), caller(&world, &second));
    let (one, other) = join(
        here.post("/api/auth/password", &one),
        there.post("/api/auth/password", &other),
    )
    .await;
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401], "{} {}", one.text, other.text);
    assert_eq!(live_sessions(&world, &first["userId"]).await, 1);
}
