//! `awareness stress` against a whole market.

use serde_json::Value;
use tests::World;

use super::ground::{Call, awareness};

async fn stress(world: &World, words: &[&str]) -> Call {
    let base_url = format!("http://{}", world.anonymous.authority());
    let variables = [
        ("AWARENESS_BASE_URL", base_url.as_str()),
        ("AWARENESS_ADMIN_TOKEN", world.operator.token()),
    ];
    awareness(&variables, &[&["stress"], words].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_under_stress_is_right_in_the_end_and_the_report_says_so() {
    let world = World::start().await;
    world.package_for(5.0).await;
    let (clients, operations) = if tests::is_long() {
        ("100", "50")
    } else {
        ("12", "10")
    };
    let words = ["--clients", clients, "--operations", operations, "--json"];
    let report = stress(&world, &words).await.json();
    for check in report["checks"].as_array().unwrap() {
        assert_eq!(check["isTrue"], true, "{check}");
    }
    let expected = clients.parse::<u64>().unwrap() * operations.parse::<u64>().unwrap();
    assert_eq!(report["operations"], expected);
    assert_eq!(report["lost"], 0, "{report}");
    let mut refused = report["refused"].as_object().unwrap().clone();
    if tests::is_long() {
        // Of a hundred clients on few streams some lose each of their tries, and give up.
        refused.remove("409 CONFLICT");
    }
    assert_eq!(refused, serde_json::Map::new(), "{report}");
    let kinds = report["kinds"].as_array().unwrap().iter();
    let kinds: Vec<&Value> = kinds.map(|kind| &kind["kind"]).collect();
    assert_eq!(kinds, ["optimistic", "lease", "append", "purchase"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_is_wrong_fails_the_check_that_sees_it() {
    let world = World::start().await;
    world.package_for(5.0).await;
    world
        .force("update uploads set status = 'failed', package_id = null, error_code = 'FORGED'")
        .await;
    let words = ["--clients", "2", "--operations", "3", "--mix", "append=1"];
    let call = stress(&world, &words).await;
    assert_eq!(call.status, 1, "{call:?}");
    let wrong: Vec<&str> = call
        .stdout
        .lines()
        .filter(|line| line.starts_with("FALSE"))
        .collect();
    assert_eq!(wrong.len(), 1, "{call:?}");
    assert!(
        wrong[0].starts_with("FALSE  Rows are what their events say: "),
        "{call:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mix_that_cannot_be_drawn_from_is_refused_before_anything_happens() {
    let world = World::only_api().await;
    let users = world.count("select count(*) from users").await;
    let refused = stress(&world, &["--mix", "sleep=1"]).await.failed(2);
    assert!(refused.contains("`sleep` is not one of"), "{refused}");
    let unsold = stress(&world, &["--mix", "purchase=1"]).await.failed(2);
    assert!(unsold.contains("there is no package to buy"), "{unsold}");
    // The account that it looked for a package with.
    assert_eq!(world.count("select count(*) from users").await, users + 1);
}
