//! Wrong passwords: nobody guesses for long, and no stranger locks anybody out.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, Client, World};

use super::accounts::{PASSWORD, caller, register, signed_in};

const WRONG: &str = "not the right one";

async fn login(client: &Client, body: Value) -> Answer {
    client.post("/api/auth/login", &body).await
}

async fn guess(client: &Client) -> Answer {
    login(client, json!({ "username": "grace", "password": WRONG })).await
}

async fn right(client: &Client) -> Answer {
    login(client, json!({ "username": "grace", "password": PASSWORD })).await
}

/// Grace, registered at `127.0.0.2`: the answer.
async fn grace(world: &World) -> Value {
    let body = json!({ "email": "grace@example.com", "username": "grace", "password": PASSWORD });
    let client = world.anonymous.at(2);
    client.post("/api/auth/register", &body).await.data()
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|it| it.status == status).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_guess_keeps_neither_a_known_device_nor_a_known_network_out() {
    let world = World::only_api().await;
    let token = grace(&world).await["deviceToken"].clone();
    for network in 10..50 {
        let stranger = world.anonymous.at(network);
        for password in ["wrong number one", "wrong number two", "wrong number three"] {
            for login_by in [
                json!({ "username": "grace", "password": password }),
                json!({ "email": "grace@example.com", "password": password }),
            ] {
                let answer = login(&stranger, login_by).await;
                assert!([401, 429].contains(&answer.status), "{}", answer.text);
            }
        }
    }
    let refused = right(&world.anonymous.at(60)).await;
    assert_eq!(refused.fault(), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    let known_network = right(&world.anonymous.at(2)).await;
    assert_eq!(known_network.status, 200, "{}", known_network.text);
    let elsewhere = world.anonymous.at(61);
    let body = json!({
        "email": "grace@example.com",
        "password": PASSWORD,
        "deviceToken": token,
    });
    let known_device = login(&elsewhere, body).await;
    assert_eq!(known_device.status, 200, "{}", known_device.text);
    assert_eq!(known_device.data()["deviceToken"], token);
    let browser = world
        .anonymous
        .at(62)
        .request(common::reqwest::Method::POST, "/api/auth/login")
        .header(
            "cookie",
            format!("a=b; awareness_device={}", token.as_str().unwrap()),
        )
        .json(&json!({ "username": "grace", "password": PASSWORD }));
    let known_browser = send(browser).await;
    assert_eq!(known_browser.status, 200, "{}", known_browser.text);
    let cookie = known_browser.header("set-cookie").to_owned();
    let flags = "Path=/api/auth; HttpOnly; SameSite=Lax; Secure";
    assert!(
        cookie.contains(token.as_str().unwrap()) && cookie.ends_with(flags),
        "{cookie}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_waits_for_half_a_minute_at_most_while_an_account_is_attacked() {
    let world = World::only_api().await;
    grace(&world).await;
    for network in 10..20 {
        assert_eq!(guess(&world.anonymous.at(network)).await.status, 401);
    }
    let answer = right(&world.anonymous.at(60)).await;
    assert_eq!(answer.fault(), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    assert_eq!(answer.details()["policy"], "wrong-password-newcomers");
    let wait: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_that_keep_guessing_delay_no_newcomer() {
    let world = World::only_api().await;
    grace(&world).await;
    for network in 10..19 {
        let stranger = world.anonymous.at(network);
        let answers = join_all((0..9).map(|_| guess(&stranger))).await;
        assert!((1..=3).contains(&count(&answers, 401)));
    }
    // Nine networks came for the first time, however often each of them tried.
    let newcomer = right(&world.anonymous.at(60)).await;
    assert_eq!(newcomer.status, 200, "{}", newcomer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_at_the_same_moment_do_not_pass_together() {
    let world = World::only_api().await;
    grace(&world).await;
    let stranger = world.anonymous.at(10);
    let answers = join_all((0..10).map(|_| guess(&stranger))).await;
    assert_eq!((count(&answers, 401), count(&answers, 429)), (3, 7));
    assert_eq!(right(&stranger).await.status, 429, "not even the right one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_network_has_twenty_tries_and_a_known_device_its_own() {
    let world = World::only_api().await;
    let registered = register(&world, "grace").await.data();
    for _ in 0..20 {
        assert_eq!(guess(&world.anonymous).await.status, 401);
    }
    let answer = right(&world.anonymous).await;
    assert_eq!(answer.details()["policy"], "wrong-password");
    let token = &registered["deviceToken"];
    let known = json!({ "username": "grace", "password": PASSWORD, "deviceToken": token });
    assert_eq!(login(&world.anonymous, known).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_use_up_no_tries() {
    let world = World::only_api().await;
    register(&world, "grace").await;
    for _ in 0..25 {
        signed_in(&world, "grace").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_somebody_planted_never_becomes_a_known_device() {
    let world = World::only_api().await;
    grace(&world).await;
    let planted = register(&world, "mallory").await.data()["deviceToken"].clone();
    let body = json!({ "username": "grace", "password": PASSWORD, "deviceToken": planted });
    let answer = login(&world.anonymous.at(2), body).await.data();
    assert_ne!(answer["deviceToken"], planted);
    let mallory = world.anonymous.at(10);
    for turn in 0..4 {
        let body = json!({ "username": "grace", "password": WRONG, "deviceToken": planted });
        let expected = if turn < 3 { 401 } else { 429 };
        assert_eq!(login(&mallory, body).await.status, expected, "{turn}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_claims_an_address_gives_no_tries_at_others_that_do() {
    let world = World::only_api().await;
    grace(&world).await;
    let mallory = world.anonymous.at(10);
    let claim = json!({ "email": "grace@example.com", "username": "mallory", "password": WRONG });
    assert_eq!(mallory.post("/api/auth/register", &claim).await.status, 201);
    let by_address = |password: &str| json!({ "email": "grace@example.com", "password": password });
    for _ in 0..3 {
        let answer = login(&mallory, by_address("still not the right one")).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    let found = login(&mallory, by_address(PASSWORD)).await;
    assert_eq!(
        found.fault(),
        (401, "UNAUTHORIZED".to_owned()),
        "{}",
        found.text
    );
    let own = login(&mallory, by_address(WRONG)).await;
    assert_eq!(
        own.data()["username"],
        "mallory",
        "its own account is its own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_password_is_guessed_ten_times_in_a_session_and_other_sessions_go_on() {
    let world = World::only_api().await;
    let stolen = register(&world, "grace").await.data();
    let own = signed_in(&world, "grace").await;
    let change =
        |old: &str| json!({ "currentPassword": old, "newPassword": "a wholly new phrase" });
    let thief = caller(&world, &stolen);
    let answers = join_all((0..8).map(|_| {
        let change = change(WRONG);
        let thief = thief.clone();
        async move { thief.post("/api/auth/password", &change).await }
    }))
    .await;
    let mut looked_at = count(&answers, 401);
    while looked_at < 10 {
        let answer = thief.post("/api/auth/password", &change(WRONG)).await;
        assert_eq!(answer.status, 401, "{}", answer.text);
        looked_at += 1;
    }
    let late = thief.post("/api/auth/password", &change(PASSWORD)).await;
    assert_eq!(late.fault(), (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    let owner = caller(&world, &own);
    let changed = owner.post("/api/auth/password", &change(PASSWORD)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}
