//! The `awareness` program against a real API, PostgreSQL and Redis: what operators type, and what
//! scripts read of the answer. No worker runs, so that jobs stay where the tests put them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli {
    mod analytics;
    mod events;
    pub mod ground;
    mod leases;
    mod receipt;
    mod stress;
    mod tasks;
}

use std::net::SocketAddr;
use std::path::Path;

use common::identity::{self, ApiKey, Permission};
use common::ids::{JobId, UserId};
use common::jobs::{self, JobState, QueueSpec};
use serde_json::Value;

use cli::ground::{TOKEN, World, awareness};

#[tokio::test]
async fn a_key_is_printed_alone_and_once_works_and_is_refused_after_its_revocation() {
    let world = World::start().await;
    let create = [
        "keys",
        "create",
        "--user",
        "acme",
        "--name",
        "ci",
        "--permissions",
        "upload,download",
    ];
    let created = world.call(&create).await;
    assert!(created.stderr.contains("shown only once"), "{created:?}");
    let printed = created.done();
    let key = ApiKey::parse(printed.strip_suffix('\n').unwrap()).unwrap();
    let principal = identity::authenticate(&world.pool, &key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        principal.permissions,
        [Permission::Upload, Permission::Download]
    );

    let as_json = world
        .call(&[&create[..], &["--json"]].concat())
        .await
        .json();
    assert!(ApiKey::parse(as_json["apiKey"].as_str().unwrap()).is_some());

    let id = principal.key.to_string();
    let list = world.call(&["keys", "list", "--user", "acme"]).await.done();
    assert!(list.contains(&id) && !list.contains(key.expose()), "{list}");
    let others = world
        .call(&["keys", "list", "--user", "nobody", "--json"])
        .await;
    assert_eq!(others.json()["keys"], serde_json::json!([]));

    let revoked = world.call(&["keys", "revoke", &id]).await.done();
    assert_eq!(revoked, format!("Key {id} is revoked.\n"));
    assert_eq!(
        identity::authenticate(&world.pool, &key).await.unwrap(),
        None
    );
    world.stop().await;
}

#[tokio::test]
async fn credits_are_given_once_per_id_and_the_books_are_audited() {
    let world = World::start().await;
    let key = ["keys", "create", "--user", "acme", "--name", "ci"];
    let key = [&key[..], &["--permissions", "purchase"]].concat();
    world.call(&key).await.done();
    let id = "0199f7a0-3c1e-7d52-8f4a-5b6c7d8e9f01";
    let acme: UserId = sqlx::query_scalar("select id from users where name = 'acme'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let give = ["credits", "give", "acme", "25.00", "--reason", "goodwill"];
    let give = [&give[..], &["--id", id]].concat();
    let given = world.call(&give).await.done();
    assert_eq!(
        given,
        format!("25.00 USD of acme (user {acme}) are booked (adjustment {id}).\n")
    );
    let again = world.call(&[&give[..], &["--json"]].concat()).await.json();
    assert_eq!(again["isNew"], false);
    // Another name that looks like it is another user, or none.
    let alike = ["credits", "give", "асme", "1.00", "--reason", "x"];
    let unknown = world.call(&alike).await.failed(1);
    assert!(unknown.contains("no user is called асme"), "{unknown}");
    let acme = acme.to_string();
    let take = ["credits", "give", &acme, "-30", "--reason", "too much"];
    let refused = world.call(&take).await.failed(1);
    assert!(refused.contains("CONFLICT: "), "{refused}");
    let unusable = world
        .call(&["credits", "give", "acme", "1.234", "--reason", "x"])
        .await;
    assert!(unusable.failed(2).contains("two decimals"));

    let sound = world.call(&["ledger", "audit"]).await.done();
    assert!(
        sound.contains("The books are sound: 1 transfers, 2 entries"),
        "{sound}"
    );
    world.break_the_books().await;
    let broken = world.call(&["ledger", "audit"]).await;
    assert_eq!(broken.status, 1, "{broken:?}");
    assert!(
        broken.stdout.contains("THE BOOKS ARE BROKEN: 1 check(s)"),
        "{broken:?}"
    );
    world.stop().await;
}

#[tokio::test]
async fn card_payments_are_listed_by_state_and_shown_without_what_lets_one_pay() {
    let world = World::start().await;
    let key = ["keys", "create", "--user", "acme", "--name", "ci"];
    let key = [&key[..], &["--permissions", "purchase"]].concat();
    world.call(&key).await.done();
    let id = world.doubted_payment().await.to_string();
    let list = ["payments", "list", "--state"];
    let doubted = world.call(&[&list[..], &["unknown"]].concat()).await.done();
    for text in [&id, "20.00 USD", "top_up", "no answer came in time"] {
        assert!(doubted.contains(text), "{text}: {doubted}");
    }
    let failed = world.call(&[&list[..], &["failed"]].concat()).await.done();
    assert_eq!(failed, "No payment matches.\n");
    let unusable = world.call(&[&list[..], &["lost"]].concat()).await.failed(2);
    assert!(
        unusable.contains("no payment state is called lost"),
        "{unusable}"
    );

    let shown = world.call(&["payments", "show", &id]).await.done();
    assert!(
        shown.contains("pi_1") && !shown.contains("secret"),
        "{shown}"
    );
    let as_json = world
        .call(&["payments", "show", &id, "--json"])
        .await
        .json();
    assert_eq!(as_json["state"], "unknown");
    assert_eq!(as_json["clientSecret"], Value::Null);
    world.stop().await;
}

#[tokio::test]
async fn queues_are_seen_paused_and_resumed() {
    let world = World::start().await;
    world.job().await;
    let queue = async |field: &str| {
        let data = world.call(&["queues", "list", "--json"]).await.json();
        let queues = data["queues"].as_array().unwrap().clone();
        let webhook = queues.into_iter().find(|queue| queue["queue"] == "webhook");
        webhook.unwrap()[field].clone()
    };
    assert_eq!(
        (queue("paused").await, queue("due").await),
        (false.into(), 1.into())
    );
    let pause = [
        "queues",
        "pause",
        "webhook",
        "--reason",
        "receivers are down",
    ];
    assert_eq!(
        world.call(&pause).await.done(),
        "Queue webhook is paused.\n"
    );
    assert_eq!(queue("paused").await, true);
    let table = world.call(&["queues", "list"]).await.done();
    assert!(table.contains("paused: receivers are down"), "{table}");
    assert_eq!(table.lines().count(), 1 + QueueSpec::ALL.len(), "{table}");
    assert_eq!(
        world.call(&["queues", "resume", "webhook"]).await.done(),
        "Queue webhook runs.\n"
    );
    assert_eq!(queue("paused").await, false);
    let unknown = world.call(&["queues", "pause", "nonsense"]).await.failed(1);
    assert!(
        unknown.contains("NOT_FOUND: No queue is called nonsense."),
        "{unknown}"
    );
    world.stop().await;
}

#[tokio::test]
async fn jobs_are_listed_shown_cancelled_and_retried() {
    let world = World::start().await;
    let (older, newer) = (world.job().await, world.job().await);
    let ids = async |words: &[&str]| {
        let data = world.call(&[words, &["--json"]].concat()).await.json();
        let jobs = data["jobs"].as_array().unwrap().iter();
        let ids: Vec<JobId> = jobs
            .map(|job| job["id"].as_str().unwrap().parse().unwrap())
            .collect();
        ids
    };
    assert_eq!(
        ids(&["jobs", "list", "--state", "ready"]).await,
        [newer, older]
    );
    assert_eq!(ids(&["jobs", "list", "--limit", "1"]).await, [newer]);
    let next = ["jobs", "list", "--cursor", &newer.to_string()];
    assert_eq!(ids(&next).await, [older]);
    assert_eq!(ids(&["jobs", "list", "--queue", "validate"]).await, []);
    let page = world.call(&["jobs", "list", "--limit", "1"]).await.done();
    assert!(page.contains(&format!("--cursor {newer}")), "{page}");

    let id = older.to_string();
    let cancel = ["jobs", "cancel", &id, "--reason", "asked \u{1b}[2Jfor"];
    assert_eq!(
        world.call(&cancel).await.done(),
        format!("Job {id} is cancelled.\n")
    );
    let shown = world.call(&["jobs", "show", &id]).await.done();
    for expected in ["cancelled", "req_cli", "operator", "asked \\u{1b}[2Jfor"] {
        assert!(
            shown.contains(expected),
            "{expected} is missing in\n{shown}"
        );
    }
    let again = world.call(&cancel).await.failed(1);
    assert!(again.starts_with("awareness: CONFLICT: "), "{again}");
    let retried = world.call(&["jobs", "retry", &id]).await.done();
    assert_eq!(retried, format!("Job {id} is ready.\n"));
    assert_eq!(world.state(older).await, JobState::Ready);
    world.stop().await;
}

#[tokio::test]
async fn a_replay_goes_through_all_pages_and_payloads_are_dropped_one_by_one() {
    let world = World::start().await;
    let mut quarantined = Vec::new();
    for _ in 0..=common::limits::PAGE_ROWS_MAX {
        quarantined.push(world.quarantined_job("kept failing").await);
    }
    let other = world.call(&["jobs", "replay", "--queue", "validate"]).await;
    assert_eq!(other.done(), "0 quarantined jobs run again.\n");
    let replay = world
        .call(&["jobs", "replay", "--name", "announce_purchase"])
        .await;
    assert_eq!(
        replay.done(),
        format!("{} quarantined jobs run again.\n", quarantined.len())
    );
    for id in quarantined {
        assert_eq!(world.state(id).await, JobState::Ready);
    }

    for task in ["a", "b"] {
        jobs::quarantine_payload(&world.pool, "webhook", task, b"\x1b not a call", "no JSON")
            .await
            .unwrap();
    }
    let table = world.call(&["payloads", "list"]).await.done();
    assert!(table.contains("\\u{1b} not a call"), "{table}");
    let data = world.call(&["payloads", "list", "--json"]).await.json();
    let newest = data["payloads"][0]["id"].to_string();
    let dropped = world.call(&["payloads", "drop", &newest]).await.done();
    assert_eq!(dropped, format!("Payload {newest} is dropped.\n"));
    let left = world.call(&["payloads", "list", "--json"]).await.json();
    assert_eq!(left["payloads"].as_array().unwrap().len(), 1);
    let again = world.call(&["payloads", "drop", &newest]).await.failed(1);
    assert!(again.starts_with("awareness: NOT_FOUND: "), "{again}");
    world.stop().await;
}

#[tokio::test]
async fn the_token_comes_from_the_environment_or_a_file_and_must_be_right() {
    let world = World::start().await;
    let base_url = ("AWARENESS_BASE_URL", world.base_url.as_str());
    let list = ["keys", "list"];
    let wrong = [
        base_url,
        ("AWARENESS_ADMIN_TOKEN", "admin_of_somebody_else"),
    ];
    let refused = awareness(&wrong, &list).await.failed(1);
    assert!(
        refused.starts_with("awareness: UNAUTHORIZED: "),
        "{refused}"
    );
    assert!(refused.contains("request req_"), "{refused}");

    let file = world.folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    let from_file = ["keys", "list", "--admin-token-file", file.to_str().unwrap()];
    awareness(&[base_url], &from_file).await.done();
    world.stop().await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_named() {
    let silent = SocketAddr::from(([127, 0, 0, 1], local::ports::free(0).unwrap()));
    let base_url = format!("http://{silent}/");
    let variables = [("AWARENESS_ADMIN_TOKEN", TOKEN)];
    let call = ["queues", "list", "--base-url", &base_url];
    let message = awareness(&variables, &call).await.failed(1);
    let expected = format!("awareness: the API at {base_url} cannot be reached: ");
    assert!(message.starts_with(&expected), "{message}");
    assert!(!message.contains(TOKEN), "{message}");
}

#[tokio::test]
async fn an_unusable_call_says_every_fault_and_ends_with_2() {
    let neither = awareness(&[], &["queues", "list"]).await.failed(2);
    assert!(neither.contains("AWARENESS_BASE_URL"), "{neither}");
    assert!(neither.contains("AWARENESS_ADMIN_TOKEN"), "{neither}");
    let unset = awareness(&[], &["migrate"]).await.failed(2);
    assert!(unset.contains("DATABASE_URL is required"), "{unset}");
    for words in [
        &["jobs", "show", "not-an-id"][..],
        &["jobs", "list", "--state", "lost"],
        &["jobs", "list", "--limit", "0"],
        &["jobs", "replay", "--name", "deliver_webhok"],
        &["keys", "create", "--user", "a", "--name", "b"],
        &[
            "keys",
            "create",
            "--user",
            "a",
            "--name",
            "b",
            "--permissions",
            "fly",
        ],
        &["keys", "list", "--admin-token", TOKEN],
        &["keys", "list", "--admin-token-file", "/nowhere"],
        &["keys", "list", "--base-url", "ftp://127.0.0.1"],
    ] {
        let base_url = ("AWARENESS_BASE_URL", "http://127.0.0.1:9");
        awareness(&[base_url], words).await.failed(2);
    }
}

#[tokio::test]
async fn verify_judges_the_demo_as_its_manifest_says_the_server_does() {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/demo");
    let manifest = std::fs::read(demo.join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_slice(&manifest).unwrap();
    assert!(!entries.is_empty());
    for entry in entries {
        let file = |field: &str| demo.join(entry[field].as_str().unwrap());
        let (w, package) = (file("wMatrixFile"), file("packageFile"));
        let words = [
            "verify",
            w.to_str().unwrap(),
            package.to_str().unwrap(),
            "--json",
        ];
        let call = awareness(&[], &words).await;
        let report: Value = serde_json::from_str(&call.stdout).unwrap();
        let expected = match entry["expected"].as_str().unwrap() {
            "completed" => (0, "accepted"),
            _ => (1, "refused"),
        };
        assert_eq!(
            (call.status, report["verdict"].as_str().unwrap()),
            expected,
            "{entry}"
        );
    }
}
