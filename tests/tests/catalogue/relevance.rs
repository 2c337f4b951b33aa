//! How good search is, measured on a catalogue and a set of queries that are kept in the repository.

use serde_json::Value;
use tests::World;

use super::shelf::{Item, names, put};

const CATALOGUE: &str = include_str!("../../fixtures/search/catalogue.txt");
const QUERIES: &str = include_str!("../../fixtures/search/queries.txt");

fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| line.split(" | ").map(str::trim).collect())
}

async fn filled() -> World {
    let world = World::only_api().await;
    let items: Vec<Item<'static>> = rows(CATALOGUE)
        .map(|row| Item {
            downloads: row[0].parse().unwrap(),
            name: row[1],
            source: row[2],
            target: row[3],
            category: Some(row[4]),
            tags: row[5].split(',').collect(),
            description: row[6],
            ..Item::default()
        })
        .collect();
    put(&world, &items).await;
    world
}

async fn found(world: &World, query: &str) -> Vec<String> {
    let pairs = [("query", query), ("limit", "5")];
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let answer = world
        .anonymous
        .get(&format!("/api/ai/search-packages?{query}"))
        .await;
    let data: Value = answer.data();
    names(&data["results"])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_first_five_results_most_are_right() {
    let world = filled().await;
    let (mut sum, mut count) = (0.0, 0.0);
    for row in rows(QUERIES) {
        let right: Vec<&str> = row[1].split(';').map(str::trim).collect();
        let found = found(&world, row[0]).await;
        let hits = found
            .iter()
            .filter(|name| right.contains(&name.as_str()))
            .count();
        let precision = hits as f64 / right.len().min(5) as f64;
        println!("{precision:.2} {} -> {found:?}", row[0]);
        assert!(hits > 0, "{}: {found:?}", row[0]);
        sum += precision;
        count += 1.0;
    }
    let mean = sum / count;
    println!("precision at 5, of what could be found: {mean:.3} over {count} queries");
    assert!(mean >= 0.9, "{mean:.3}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_result_is_the_one_that_is_named() {
    let world = filled().await;
    for row in rows(CATALOGUE) {
        let found = found(&world, row[1]).await;
        assert_eq!(found[0], row[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_typed_is_a_query_and_no_syntax() {
    let world = filled().await;
    for query in [
        "a & b | !c:*",
        "'; drop table shelf; --",
        "((((",
        "\\",
        "ﬀ 漢字 😀",
        "4",
        "*",
        "the",
    ] {
        let _found = found(&world, query).await;
    }
    let long = "word ".repeat(39);
    let _found = found(&world, long.trim()).await;
}
