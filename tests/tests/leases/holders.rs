//! Who holds a lease, and what the holder may.

use common::reqwest::Method;
use futures::future::join_all;
use serde_json::{Value, json};
use tests::World;
use tests::client::send;

use super::ground::{acquire, ask, expire, extend, fence, reason, release, show, token};

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_acquired_shown_listed_extended_and_released() {
    let world = World::only_api().await;
    let body = json!({ "resource": "nightly:import-1", "owner": " worker-7 ", "ttlMs": 60_000 });
    let answer = world.seller.post("/api/ai/leases", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let path = "/api/ai/leases/nightly:import-1";
    assert_eq!(answer.header("location"), path);
    assert_eq!(answer.header("cache-control"), "no-store");
    let lease = answer.data();
    assert_eq!(lease["owner"], "worker-7");
    assert!(token(&lease).starts_with("lt_"));

    let shown = world.seller.get(path).await.data();
    for field in ["resource", "owner", "fence", "acquiredAt", "expiresAt"] {
        assert_eq!(shown[field], lease[field], "{field}");
    }
    assert_eq!(shown["waiters"], 0);
    assert_eq!(
        shown["token"],
        Value::Null,
        "it is shown to its holder alone"
    );
    acquire(&world.seller, "a").await;
    let first = world.seller.get("/api/ai/leases?limit=1").await.data();
    assert_eq!(first["leases"][0]["resource"], "a");
    let next = first["nextCursor"].as_str().unwrap();
    let path_of_next = format!("/api/ai/leases?limit=1&cursor={next}");
    let second = world.seller.get(&path_of_next).await.data();
    assert_eq!(second["leases"][0]["resource"], "nightly:import-1");

    let longer = extend(&world.seller, "nightly:import-1", token(&lease), 300_000).await;
    assert_eq!(longer.status, 200, "{}", longer.text);
    let longer = longer.data();
    assert!(
        longer["expiresInMs"].as_i64().unwrap() > 200_000,
        "{longer}"
    );
    assert_eq!(longer["fence"], lease["fence"]);
    let shorter = extend(&world.seller, "nightly:import-1", token(&lease), 1000).await;
    assert_eq!(
        shorter.data()["expiresAt"],
        longer["expiresAt"],
        "it is never shortened"
    );

    let released = release(&world.seller, "nightly:import-1", token(&lease)).await;
    assert_eq!(released.status, 204, "{}", released.text);
    assert_eq!(
        world.seller.get(path).await.fault(),
        (404, "NOT_FOUND".to_owned())
    );
    let left = world.seller.get("/api/ai/leases").await.data();
    assert_eq!(left["leases"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_holder_extends_and_releases() {
    let world = World::only_api().await;
    let lease = acquire(&world.seller, "import").await;
    let other = acquire(&world.seller, "export").await;
    let strangers = acquire(&world.stranger, "import").await;
    let unknown = "lt_00000000000000000000000000000000";
    for (token, expected) in [
        (unknown, (410, "UNKNOWN".to_owned())),
        (token(&strangers), (410, "UNKNOWN".to_owned())),
        (token(&other), (410, "OTHER_RESOURCE".to_owned())),
        ("lt_1", (400, String::new())),
    ] {
        let answers = [
            extend(&world.seller, "import", token, 300_000).await,
            release(&world.seller, "import", token).await,
        ];
        for answer in answers {
            assert_eq!(reason(&answer), expected, "{}", answer.text);
        }
    }
    let path = "/api/ai/leases/import";
    let without = [
        world.seller.delete(path).await,
        send(world.seller.request(Method::PUT, path)).await,
    ];
    for answer in without {
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()));
        assert!(
            answer.details()["Lease-Token"].is_string(),
            "{}",
            answer.text
        );
    }
    let shown = show(&world.seller, "import").await.data();
    assert_eq!(shown["fence"], lease["fence"]);
    let released = release(&world.seller, "import", token(&lease)).await;
    assert_eq!(released.status, 204, "{}", released.text);
    let again = release(&world.seller, "import", token(&lease)).await;
    assert_eq!(reason(&again), (410, "UNKNOWN".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_lease_is_free_without_anybodys_help_and_lost_to_its_holder() {
    let world = World::only_api().await;
    let first = acquire(&world.seller, "import").await;
    expire(&world).await;
    assert_eq!(show(&world.seller, "import").await.status, 404);
    let late = [
        extend(&world.seller, "import", token(&first), 300_000).await,
        release(&world.seller, "import", token(&first)).await,
    ];
    for answer in late {
        assert_eq!(answer.fault(), (410, "LEASE_LOST".to_owned()));
        assert_eq!(reason(&answer), (410, "EXPIRED".to_owned()));
    }
    let second = acquire(&world.seller, "import").await;
    assert!(fence(&second) > fence(&first));
    let late = extend(&world.seller, "import", token(&first), 300_000).await;
    assert_eq!(reason(&late), (410, "UNKNOWN".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_rises_over_releases_expiries_and_the_loss_of_its_row() {
    let world = World::only_api().await;
    let mut last = 0;
    for round in 0..12 {
        let lease = acquire(&world.seller, "import").await;
        assert!(fence(&lease) > last, "{lease}");
        last = fence(&lease);
        match round % 3 {
            0 => drop(release(&world.seller, "import", token(&lease)).await),
            1 => expire(&world).await,
            _ => {
                expire(&world).await;
                let none_kept = std::time::Duration::ZERO;
                let pruned = common::leases::prune(&world.pool, none_kept).await;
                assert_eq!(pruned.unwrap(), 1);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_ask_at_once_one_is_granted_the_lease() {
    let world = World::only_api().await;
    let (_api, replica) = world.another_api().await;
    let replica = replica.with_token(world.seller.token());
    for resource in ["new", "new", "other"] {
        let asks = (0..20).map(|place| {
            let client = if place % 2 == 0 {
                &world.seller
            } else {
                &replica
            };
            ask(client, resource, 0)
        });
        let answers = join_all(asks).await;
        let granted: Vec<_> = answers.iter().filter(|it| it.status == 201).collect();
        assert_eq!(granted.len(), 1, "{resource}");
        for answer in answers.iter().filter(|it| it.status != 201) {
            assert_eq!(reason(answer), (409, "BUSY".to_owned()), "{}", answer.text);
            assert!(answer.details()["remainingMs"].as_i64().unwrap() > 0);
        }
        expire(&world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_same_lease() {
    let world = World::only_api().await;
    let body = json!({ "resource": "import", "ttlMs": 300_000 });
    let post = || {
        let request = world.seller.request(Method::POST, "/api/ai/leases");
        send(request.header("idempotency-key", "one").json(&body))
    };
    let (first, second) = (post().await, post().await);
    assert_eq!((first.status, second.status), (201, 201), "{}", second.text);
    assert_eq!(first.data(), second.data());
    assert_eq!(second.header("idempotent-replayed"), "true");
    assert_eq!(world.count("select count(*) from leases").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_that_is_not_valid_is_named() {
    let world = World::only_api().await;
    for (field, value) in [
        ("resource", json!("")),
        ("resource", json!("a/b")),
        ("resource", json!("..")),
        ("resource", json!("x".repeat(201))),
        ("owner", json!("x".repeat(101))),
        ("owner", json!("a\u{7}b")),
        ("ttlMs", json!(999)),
        ("ttlMs", json!(300_001)),
        ("ttlMs", json!(i64::MAX)),
        ("waitMs", json!(-1)),
        ("waitMs", json!(30_001)),
    ] {
        let mut body = json!({ "resource": "import" });
        body[field] = value;
        let answer = world.seller.post("/api/ai/leases", &body).await;
        assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()), "{body}");
        assert!(answer.details()[field].is_string(), "{}", answer.text);
    }
    assert_eq!(show(&world.seller, "a%2Fb").await.status, 404);
    assert_eq!(world.count("select count(*) from leases").await, 0);
}
