//! What is not on the market shapes nothing that others are shown: no list, no count, no spelling.

use common::ids::UserId;
use serde_json::{Value, json};
use tests::{Answer, Client, World, eventually};

use super::shelf::{Item, names, put, put_of};

/// A status that nothing else has: the words of its package are nobody's.
const DRAFT: Item<'_> = Item {
    name: "Vison transltion zebrafish",
    description: "Captons of medcal imges, and zebrafish.",
    source: "gpt-4",
    target: "llama-3-8b",
    category: Some("vision"),
    tags: Vec::new(),
    downloads: 10_000,
    price_minor: 1,
    epsilon: 0.0001,
    tier: Some("platinum"),
    status: "draft",
};

async fn stocked(world: &World) -> Vec<String> {
    let item = |name, source, target| Item {
        name,
        description: "Captions of medical images, and their translation.",
        source,
        target,
        epsilon: 0.05,
        tier: Some("gold"),
        ..Item::default()
    };
    let items = [
        item("Vision captions", "gpt-4", "llama-3-8b"),
        item("Translation notes", "llama-3-8b", "mistral-7b"),
    ];
    put(world, &items).await
}

async fn stranger(world: &World) -> UserId {
    sqlx::query_scalar("select id from users where name = 'stranger'")
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

/// Everything that anybody may read of the market.
async fn reads(world: &World, anonymous: &Client, shown: &[String]) -> Vec<(String, u16, Value)> {
    let mut paths: Vec<String> = [
        "categories",
        "packages",
        "packages?sort=downloads",
        "packages?sort=epsilon",
        "packages?sort=rating",
        "packages?sort=price",
        "packages?sort=priceDescending",
        "packages?category=vision",
        "packages?targetModel=llama-3-8b&maxEpsilon=0.01",
        "packages/trending",
        "packages/best-matrix?sourceModel=gpt-4&targetModel=llama-3-8b",
        "search-packages?query=vision",
        "search-packages?query=vison",
        "search-packages?query=transltion%20captons",
        "search-packages?query=medcal%20imges",
        "search-packages?query=zebrafish",
        "search-packages?query=zebrafsh",
        "packages?sort=relevance&query=vison%20captions",
    ]
    .map(|path| format!("/api/ai/{path}"))
    .into();
    for id in shown {
        paths.push(format!("/api/ai/packages/{id}"));
        paths.push(format!("/api/ai/packages/{id}/versions"));
        paths.push(format!("/api/ai/packages/{id}/reviews"));
        paths.push(format!("/api/ai/listings/{id}"));
    }
    for seller in [world.seller_id().await, stranger(world).await] {
        paths.push(format!("/api/ai/sellers/{seller}"));
        paths.push(format!("/api/ai/packages?sellerId={seller}"));
    }
    let mut answers = Vec::new();
    for path in paths {
        let answer = anonymous.get(&path).await;
        answers.push(read(path, &answer));
    }
    for (source, target) in [("gpt-4", "llama-3-8b"), ("gpt-4", "mistral-7b")] {
        let probe = json!({ "sourceModel": source, "targetModel": target });
        let answer = anonymous.post("/api/ai/compatibility", &probe).await;
        answers.push(read(format!("{source} to {target}"), &answer));
    }
    answers
}

fn read(path: String, answer: &Answer) -> (String, u16, Value) {
    (path, answer.status, answer.data())
}

/// The cache forgets what it has been asked before.
async fn forget(world: &World) {
    let outbox = world.outbox().await;
    outbox.queue().outdate(common::catalog::CATALOGUE).await;
}

async fn words_of(world: &World, package: &str) -> i64 {
    sqlx::query_scalar(
        "select count(*)
         from shelf_word_packages
         join packages on packages.id = package_id
         where public_id = $1",
    )
    .bind(package.to_owned())
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_draft_changes_no_byte_of_what_others_read() {
    let world = World::only_api().await;
    let shown = stocked(&world).await;
    let before = reads(&world, &world.anonymous, &shown).await;
    let misspelt = before
        .iter()
        .find(|(path, ..)| path.ends_with("query=vison"));
    let (_, _, found) = misspelt.unwrap();
    assert_eq!(names(&found["results"]), ["Vision captions"]);
    put_of(&world, stranger(&world).await, &[DRAFT]).await;
    // A process that has nothing in its cache.
    let (_api, anonymous) = world.another_api().await;
    assert_eq!(reads(&world, &anonymous, &shown).await, before);
    // It would change them if it were for sale.
    let published = Item {
        status: "active",
        ..DRAFT
    };
    put_of(&world, stranger(&world).await, &[published]).await;
    let (_api, anonymous) = world.another_api().await;
    let after = reads(&world, &anonymous, &shown).await;
    let changed = before.iter().zip(&after).filter(|(one, two)| one != two);
    assert!(changed.count() > 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_leaves_the_market_takes_its_words_and_places_along_and_brings_them_back() {
    let world = World::only_api().await;
    let package = Item {
        status: "active",
        ..DRAFT
    };
    let id = put(&world, &[package]).await.remove(0);
    let seller = world.seller_id().await;
    let all = words_of(&world, &id).await;
    assert!(all > 5, "{all}");
    let listing = "where package_id = (select id from packages where public_id = $1)";
    let status = |status: &str| {
        format!("update listings set status = '{status}', version = version + 1 {listing}")
    };
    let package = |change: &str| format!("update packages set {change} where public_id = $1");
    let block = |act: &str| format!("/admin/users/{seller}/{act}");
    for (leaves, returns) in [
        (status("paused"), status("active")),
        (
            package("taken_down_at = now(), taken_down_because = 'a test'"),
            package("taken_down_at = null, taken_down_because = null"),
        ),
        (package("is_latest = false"), package("is_latest = true")),
        (block("block"), block("unblock")),
    ] {
        for (act, words, found) in [(&leaves, 0, 0), (&returns, all, 1)] {
            perform(&world, act, &id).await;
            assert_eq!(words_of(&world, &id).await, words, "{act}");
            for query in ["zebrafish", "zebrafsh"] {
                let path = format!("/api/ai/search-packages?query={query}");
                eventually("the market as it is now", || async {
                    let data = world.anonymous.get(&path).await.data();
                    (names(&data["results"]).len() == found).then_some(())
                })
                .await;
            }
        }
    }
}

/// Carries out a statement about a package, or an act of an operator.
async fn perform(world: &World, act: &str, id: &str) {
    if act.starts_with('/') {
        let reason = json!({ "reason": "It is said that this is needed." });
        let answer = world.operator.post(act, &reason).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    } else {
        let statement = sqlx::AssertSqlSafe(act.to_owned());
        let changed = sqlx::query(statement).bind(id).execute(&world.pool).await;
        assert_eq!(changed.unwrap().rows_affected(), 1, "{act}");
    }
    forget(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_nobody_says_any_more_are_swept() {
    let world = World::only_api().await;
    let said = || world.count("select count(*) from shelf_words where word = 'zebrafish'");
    let id = put(
        &world,
        &[Item {
            status: "active",
            ..DRAFT
        }],
    )
    .await
    .remove(0);
    common::catalog::sweep_words(&world.pool).await.unwrap();
    assert_eq!(said().await, 1);
    sqlx::query("update packages set name = 'Fishes', description = 'No more of them.' where public_id = $1")
        .bind(id)
        .execute(&world.pool)
        .await
        .unwrap();
    common::catalog::sweep_words(&world.pool).await.unwrap();
    assert_eq!(said().await, 0);
}
