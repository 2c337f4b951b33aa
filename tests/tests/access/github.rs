//! Signing in through GitHub, there and back.

use common::reqwest::Method;
use common::reqwest::Url;
use tests::client::send;
use tests::world::{PUBLIC_BASE_URL, Plan};
use tests::{Answer, World};

async fn world() -> World {
    World::planned(Plan {
        worker: false,
        scheduler: false,
        github: true,
        ..Plan::default()
    })
    .await
}

/// One browser's way to GitHub: its cookie, and where GitHub sends it back to, with code and state.
async fn away(world: &World, login: &str) -> (String, String) {
    let left = world.anonymous.get("/api/auth/github").await;
    assert_eq!(left.status, 302, "{}", left.text);
    let cookie = left.header("set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly; SameSite=Lax; Secure"),
        "{cookie}"
    );
    let url = format!("{}&login_hint={login}", left.header("location"));
    let http = common::reqwest::Client::builder()
        .redirect(common::reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let back = http.get(url).send().await.unwrap();
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    let path = back.strip_prefix(PUBLIC_BASE_URL).unwrap().to_owned();
    let pair = cookie.split(';').next().unwrap().to_owned();
    (pair, path)
}

async fn back(world: &World, cookie: &str, path: &str) -> Answer {
    let get = world.anonymous.request(Method::GET, path);
    send(get.header("cookie", cookie)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_back_from_github_has_one_account() {
    let world = world().await;
    let mut users = Vec::new();
    for _ in 0..2 {
        let (cookie, path) = away(&world, "octocat").await;
        let answer = back(&world, &cookie, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let tokens = answer.data();
        assert_eq!(tokens["username"], "octocat");
        let token = tokens["accessToken"].as_str().unwrap();
        let me = world
            .anonymous
            .with_token(token)
            .get("/api/ai/me")
            .await
            .data();
        assert_eq!(me["hasGithub"], true);
        assert_eq!(me["hasPassword"], false);
        users.push(me["userId"].clone());
    }
    assert_eq!(users[0], users[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_of_one_browser_both_get_through_and_a_preview_uses_nothing_up() {
    let world = world().await;
    let (one, path_of_one) = away(&world, "octocat").await;
    let (two, path_of_two) = away(&world, "octocat").await;
    let jar = format!("{one}; {two}");
    for path in [path_of_one, path_of_two] {
        let preview = world.anonymous.request(Method::HEAD, &path);
        assert_eq!(send(preview.header("cookie", &jar)).await.status, 405);
        let answer = back(&world, &jar, &path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_here_is_made_unlike() {
    let world = world().await;
    let (cookie, path) = away(&world, "seller").await;
    let tokens = back(&world, &cookie, &path).await.data();
    let name = tokens["username"].as_str().unwrap();
    assert!(name.starts_with("seller-") && name.len() == 13, "{name}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_that_is_not_ones_own_opens_nothing() {
    let world = world().await;
    let (cookie, path) = away(&world, "octocat").await;
    let (other_cookie, _) = away(&world, "mallory").await;
    let stolen = back(&world, &other_cookie, &path).await;
    assert_eq!(stolen.fault(), (400, "INVALID_INPUT".to_owned()));
    let bare = world.anonymous.get(&path).await;
    assert_eq!(bare.fault(), (400, "INVALID_INPUT".to_owned()));
    assert_eq!(back(&world, &cookie, &path).await.status, 200);
    let twice = back(&world, &cookie, &path).await;
    assert_eq!(twice.status, 400, "a state is taken once");

    let (cookie, path) = away(&world, "octocat").await;
    let mut url = Url::parse(&format!("http://x{path}")).unwrap();
    let state = url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned();
    url.set_query(None);
    url.query_pairs_mut()
        .append_pair("code", "forged")
        .append_pair("state", &state);
    let path = url.as_str().strip_prefix("http://x").unwrap().to_owned();
    let forged = back(&world, &cookie, &path).await;
    assert_eq!(
        forged.fault(),
        (401, "UNAUTHORIZED".to_owned()),
        "{}",
        forged.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_app_there_is_no_such_way() {
    let world = World::only_api().await;
    assert_eq!(world.anonymous.get("/api/auth/github").await.status, 404);
}
