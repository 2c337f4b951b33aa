//! What a search may cost, and who pays for it.

use common::catalog::plan_search;
use common::config::RateConfig;
use common::limits::{SEARCH_CORRECTED_TERMS_MAX, SEARCH_CORRECTION_UNITS};
use serde_json::Value;
use tests::world::Plan;
use tests::{Client, World};

use super::shelf::{Item, names, put};

const TWELVE: &str = "visoin captoins medicla imagse transltaion zerbafish chartss modle poertry musci recipse lawyre";

fn path(query: &str) -> String {
    format!(
        "/api/ai/search-packages?query={}",
        query.replace(' ', "%20")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twelve_misspelt_terms_a_few_are_corrected() {
    let world = World::only_api().await;
    let item = Item {
        name: "Vision captions for medical images",
        ..Item::default()
    };
    put(&world, &[item]).await;
    let plan = plan_search(&world.pool, TWELVE).await.unwrap();
    assert_eq!(plan.corrections(), SEARCH_CORRECTED_TERMS_MAX);
    for (query, corrections) in [
        ("vision captions", 0),
        ("visi capt", 0),
        ("visoin captions", 1),
        ("vis", 0),
        ("12345678", 0),
        ("abcdefghijklmnopqrstuvwxyz", 0),
    ] {
        let plan = plan_search(&world.pool, query).await.unwrap();
        assert_eq!(plan.corrections(), corrections, "{query}");
    }
    let found = world.anonymous.get(&path(TWELVE)).await.data();
    assert_eq!(
        names(&found["results"]),
        ["Vision captions for medical images"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn misspelt_terms_take_more_of_the_clients_window_and_what_is_known_takes_one() {
    let world = World::planned(Plan {
        worker: false,
        scheduler: false,
        rates: RateConfig::default(),
        ..Plan::default()
    })
    .await;
    let left = |client: Client, query: &'static str| async move {
        let answer = client.get(&path(query)).await;
        let left: i64 = answer.header("ratelimit-remaining").parse().unwrap();
        (answer.status, left)
    };
    let client = || world.anonymous.clone();
    let units = SEARCH_CORRECTED_TERMS_MAX as i64 * SEARCH_CORRECTION_UNITS;
    assert_eq!(left(client(), "cat").await, (200, 99));
    assert_eq!(left(client(), TWELVE).await, (200, 98 - units));
    assert_eq!(left(client(), TWELVE).await, (200, 97 - units));
    let mut misspelt = 0;
    let refused: Value = loop {
        let query = format!("missspelt{misspelt}x worrd{misspelt}x twicce{misspelt}x");
        let answer = world.anonymous.get(&path(&query)).await;
        misspelt += 1;
        if answer.status == 429 {
            break answer.json();
        }
    };
    assert_eq!(misspelt, 14, "as many as the window has units for");
    assert_eq!(refused["error"]["code"], "RATE_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_the_same_in_other_words_reads_its_own_words() {
    let world = World::only_api().await;
    put(&world, &[Item::default()]).await;
    for query in ["package", "Package", "  PACKAGE "] {
        let data = world.anonymous.get(&path(query)).await.data();
        assert_eq!(data["query"], query.trim());
        assert_eq!(data["count"], 1);
    }
    for (source, target) in [
        ("gpt-3.5-turbo", "gpt-4"),
        ("GPT 3.5 Turbo", "openai/GPT-4"),
    ] {
        let models = format!("sourceModel={source}&targetModel={target}").replace(' ', "%20");
        let path = format!("/api/ai/packages/best-matrix?{models}");
        let data = world.anonymous.get(&path).await.data();
        assert_eq!(
            (&data["sourceModel"], &data["targetModel"]),
            (&source.into(), &target.into())
        );
        assert_eq!(data["best"]["sourceModel"], "gpt-3.5-turbo");
    }
}
