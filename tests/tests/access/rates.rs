//! Rate limits: exact over replicas, told in headers and body, and kept without Redis.

use common::config::RateConfig;
use common::limits::RETURNED_BODY_BYTES_MAX;
use common::reqwest::Method;
use futures::future::join_all;
use serde_json::json;
use tests::client::send;
use tests::world::Plan;
use tests::{Answer, Client, World};

use super::accounts::{caller, register};

const ANYWHERE: &str = "/api/ai/package-status/upload_nobody";

async fn world_limited_by(changes: &[&str]) -> World {
    let mut rates = RateConfig::default();
    for text in changes {
        let policy: common::config::RatePolicy = text.parse().unwrap();
        rates.policies.retain(|known| known.name != policy.name);
        rates.policies.push(policy);
    }
    World::planned(Plan {
        worker: false,
        scheduler: false,
        rates,
        ..Plan::default()
    })
    .await
}

fn passed(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status != 429).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_101_anonymous_requests_over_two_replicas_exactly_100_pass() {
    let world = world_limited_by(&[]).await;
    let (_api, other) = world.another_api().await;
    let clients = [&world.anonymous, &other];
    let answers = join_all((0..101).map(|turn| clients[turn % 2].get(ANYWHERE))).await;
    assert_eq!(passed(&answers), 100);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], "RATE_LIMIT_EXCEEDED");
    assert_eq!(
        error["message"],
        "Rate limit exceeded. You can make up to 100 requests per minute."
    );
    assert_eq!(error["limit"], 100);
    assert_eq!(error["window"], "1 minute");
    assert_eq!(error["retryable"], true);
    let wait = error["retryAfter"].as_i64().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(refused.header("retry-after"), wait.to_string());
    assert_eq!(refused.header("ratelimit-limit"), "100");
    assert_eq!(refused.header("ratelimit-remaining"), "0");
    let reset: i64 = refused.header("ratelimit-reset").parse().unwrap();
    assert!(
        (reset - chrono::Utc::now().timestamp() - wait).abs() <= 2,
        "{reset}"
    );
    assert_eq!(refused.header("ratelimit-policy"), "\"global\";q=100;w=60");
    assert_eq!(
        refused.header("ratelimit"),
        format!("\"global\";r=0;t={wait}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_counted_per_user_whatever_the_key_and_told_as_the_seed_tells() {
    let world = world_limited_by(&[]).await;
    let new = json!({ "name": "second" });
    let second = world.seller.post("/api/ai/keys", &new).await.data();
    let second = world
        .anonymous
        .with_token(second["apiKey"].as_str().unwrap());
    let clients: [&Client; 2] = [&world.seller, &second];
    let mut answers = Vec::new();
    for turn in 0..11 {
        let upload = tests::Sample::vector(turn as u64).request();
        answers.push(clients[turn % 2].upload(&upload).await);
    }
    assert_eq!(passed(&answers), 10);
    let error = answers[10].json()["error"].clone();
    let message = "Upload limit exceeded. You can upload up to 10 packages per hour.";
    assert_eq!(error["message"], message);
    assert_eq!(
        (&error["limit"], &error["window"]),
        (&json!(10), &json!("1 hour"))
    );
    assert_eq!(error["details"]["policy"], "upload");
    let names = answers[0].header("ratelimit-policy");
    assert_eq!(
        names,
        "\"upload\";q=10;w=3600, \"agent\";q=500;w=60, \"account\";q=1000;w=60"
    );
    assert_eq!(answers[0].header("ratelimit-limit"), "10", "the tightest");
    let upload = tests::Sample::vector(99).request();
    assert_eq!(world.stranger.upload(&upload).await.status, 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_refused_for_what_it_says_costs_no_upload() {
    let world = world_limited_by(&["upload=1/3600/user/upload"]).await;
    for _ in 0..5 {
        let typo = world.seller.post("/api/ai/uploads", &json!({})).await;
        assert_eq!(typo.status, 400);
        assert!(
            typo.header("ratelimit").contains("\"upload\";r=1"),
            "{}",
            typo.header("ratelimit")
        );
        let form = world.seller.request(Method::POST, "/api/ai/upload-package");
        let wrong_type = send(form.header("content-type", "text/plain").body("x")).await;
        assert_eq!(wrong_type.status, 415);
    }
    let upload = tests::Sample::vector(1).request();
    assert_eq!(world.seller.upload(&upload).await.status, 202);
    let typo = world.seller.post("/api/ai/uploads", &json!({})).await;
    assert_eq!(typo.status, 429, "the window is full");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_that_was_read_in_vain_is_an_upload() {
    let world = world_limited_by(&["upload=1/3600/user/upload"]).await;
    let mut upload = tests::Sample::vector(1).request();
    upload["vectorData"] = "A".repeat(2 * RETURNED_BODY_BYTES_MAX as usize).into();
    upload["targetModel"] = "".into();
    assert_eq!(world.seller.upload(&upload).await.status, 400);
    assert_eq!(world.seller.upload(&upload).await.status, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_its_own_window_and_a_wrong_one_that_of_its_address() {
    let world = world_limited_by(&["global=3/60/ip/anonymous", "agent=5/60/key/every"]).await;
    let wrong = world
        .anonymous
        .with_token("ak_ai_00000000000000000000000000000000");
    let answers = join_all((0..5).map(|_| wrong.get("/api/ai/me"))).await;
    assert_eq!(passed(&answers), 3);
    assert_eq!(world.anonymous.get(ANYWHERE).await.status, 429);
    let answers = join_all((0..7).map(|_| world.seller.get("/api/ai/me"))).await;
    assert_eq!(passed(&answers), 5);
    assert_eq!(world.stranger.get("/api/ai/me").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_keys_and_sessions_of_an_account_share_its_window() {
    let world = world_limited_by(&["agent=5/60/key/every", "account=12/60/user/every"]).await;
    let tokens = register(&world, "grace").await.data();
    let session = caller(&world, &tokens);
    let mut clients = vec![session];
    for _ in 0..4 {
        let new =
            json!({ "userId": tokens["userId"], "name": "one of many", "permissions": ["upload"] });
        let made = world.operator.post("/admin/keys", &new).await.data();
        clients.push(world.anonymous.with_token(made["apiKey"].as_str().unwrap()));
    }
    let requests = clients
        .iter()
        .flat_map(|client| (0..5).map(|_| client.get("/api/ai/me")));
    let answers = join_all(requests).await;
    assert_eq!(passed(&answers), 12);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.details()["policy"], "account");
    let limits = clients[0].get("/api/ai/limits").await.data();
    let account = limits["policies"]
        .as_array()
        .unwrap()
        .iter()
        .find(|each| each["policy"] == "account")
        .unwrap();
    assert_eq!(
        (&account["limit"], &account["remaining"]),
        (&json!(12), &json!(0))
    );
    assert_eq!(
        world.seller.get("/api/ai/me").await.status,
        200,
        "another account has its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_the_limits_is_free_and_tells_what_is_left() {
    let world = world_limited_by(&["agent=5/60/key/every"]).await;
    assert_eq!(
        world
            .seller
            .get("/api/ai/me")
            .await
            .header("ratelimit-remaining"),
        "4"
    );
    for _ in 0..10 {
        let limits = world.seller.get("/api/ai/limits").await.data();
        let policies = limits["policies"].as_array().unwrap();
        let left = |name: &str| {
            let policy = policies.iter().find(|each| each["policy"] == name).unwrap();
            policy["remaining"].as_u64().unwrap()
        };
        assert_eq!(
            (left("agent"), left("upload"), left("purchase")),
            (4, 10, 50)
        );
    }
    let limits = world.stranger.get("/api/ai/limits").await;
    let get = world.stranger.request(Method::GET, "/api/ai/limits");
    let again = send(get.header("if-none-match", limits.header("etag"))).await;
    assert_eq!(again.status, 304);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_address_is_not_limited() {
    let mut rates = RateConfig {
        trusted: vec!["127.0.0.0/8".parse().unwrap()],
        ..RateConfig::default()
    };
    rates.policies = vec!["global=1/60/ip/anonymous".parse().unwrap()];
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        rates,
        ..Plan::default()
    })
    .await;
    let answers = join_all((0..5).map(|_| world.anonymous.get(ANYWHERE))).await;
    assert_eq!(passed(&answers), 5);
    assert_eq!(answers[0].header("ratelimit-limit"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_own_policy_counts_beside_the_others() {
    let world = world_limited_by(&["burst=2/1/ip/every"]).await;
    let answers = join_all((0..4).map(|_| world.seller.get("/api/ai/me"))).await;
    assert_eq!(passed(&answers), 2);
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.details()["policy"], "burst");
    let left = tests::eventually("the window slides", || async {
        let answer = world.seller.get("/api/ai/me").await;
        (answer.status == 200).then_some(answer)
    })
    .await;
    let agent = left.header("ratelimit").to_owned();
    assert!(agent.contains("\"agent\";r="), "{agent}");
    assert!(
        !agent.contains("\"agent\";r=495"),
        "what was refused costs nothing: {agent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_counted_as_what_it_does_however_its_query_is_spelt() {
    let world = world_limited_by(&["purchase=1/3600/user/purchase"]).await;
    let purchase =
        json!({ "packageType": "vector", "packageId": "pkg_none", "paymentMethod": "credits" });
    let buy = |query: &str| {
        let path = format!("/api/ai/purchase-package?{query}");
        let (seller, purchase) = (world.seller.clone(), purchase.clone());
        async move { seller.post(&path, &purchase).await }
    };
    for query in [
        "dryRun=false&dryRun=true",
        "dryRun=true&dryRun=false",
        "dryRun=true&%64ryRun=false",
        "dryRun=yes",
        "dryRun=2",
    ] {
        let refused = buy(query).await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{query}"
        );
        assert!(refused.details()["dryRun"].is_string(), "{query}");
    }
    for query in ["dryRun=true", "dryRun=%74rue", "%64ryRun=True", "dryRun=1"] {
        let dry = buy(query).await;
        assert_eq!(dry.status, 404, "dry runs are not counted: {query}");
    }
    assert_eq!(buy("dryRun=false").await.status, 404);
    assert_eq!(buy("").await.status, 429, "the window is used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_counts_in_the_windows_of_the_get_that_it_runs() {
    let world = world_limited_by(&["sign-in=2/60/ip/sign-in"]).await;
    let mut statuses = Vec::new();
    for method in [Method::GET, Method::HEAD, Method::HEAD] {
        let request = world.anonymous.request(method, "/api/auth/github");
        statuses.push(send(request).await.status);
    }
    assert_eq!(statuses, [404, 404, 429]);
}
