//! A claim never outranks a measurement.

use serde_json::{Value, json};
use tests::World;

use super::shelf::{Item, names, put};

/// Claims that are better than all measurements, and measurements.
async fn stocked() -> World {
    let world = World::only_api().await;
    let item = |name, source, target, epsilon, tier| Item {
        name,
        source,
        target,
        epsilon,
        tier,
        downloads: if tier.is_some() { 0 } else { 1_000 },
        ..Item::default()
    };
    let items = [
        item("Measured well", "gpt-4", "llama-3-8b", 0.02, Some("gold")),
        item("Claimed perfect", "gpt-4", "llama-3-8b", 0.0, None),
        item(
            "Measured badly",
            "gpt-4",
            "llama-3-8b",
            0.09,
            Some("silver"),
        ),
        item("Claimed good", "gpt-4", "llama-3-8b", 0.01, None),
        item("Claimed onwards", "llama-3-8b", "mistral-7b", 0.0, None),
    ];
    put(&world, &items).await;
    world
}

async fn listed(world: &World, path: &str) -> Vec<String> {
    let data = world.anonymous.get(&format!("/api/ai/{path}")).await.data();
    names(&data["packages"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_epsilon_of_zero_stands_behind_a_measured_one() {
    let world = stocked().await;
    let ranked = [
        "Measured well",
        "Measured badly",
        "Claimed perfect",
        "Claimed good",
    ];
    let map = "sourceModel=gpt-4&targetModel=llama-3-8b";
    assert_eq!(
        listed(&world, &format!("packages/best-matrix?{map}")).await,
        ranked
    );
    assert_eq!(
        listed(&world, &format!("packages?sort=epsilon&{map}")).await,
        ranked
    );
    let mut paged = Vec::new();
    let mut cursor = String::new();
    for _ in ranked {
        let path = format!("/api/ai/packages?sort=epsilon&limit=1&{map}{cursor}");
        let data = world.anonymous.get(&path).await.data();
        paged.extend(names(&data["packages"]));
        cursor = format!(
            "&cursor={}",
            data["nextCursor"].as_str().unwrap_or_default()
        );
    }
    assert_eq!(paged, ranked, "page by page");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_on_epsilon_takes_measurements_and_claims_only_if_told_so() {
    let world = stocked().await;
    let bound = "packages?sort=epsilon&targetModel=llama-3-8b&maxEpsilon=0.05";
    assert_eq!(listed(&world, bound).await, ["Measured well"]);
    assert_eq!(
        listed(&world, &format!("{bound}&evidence=declared")).await,
        ["Measured well", "Claimed perfect", "Claimed good"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_over_a_third_model_is_made_of_measured_maps_alone() {
    let world = stocked().await;
    let probe = json!({ "sourceModel": "gpt-4", "targetModel": "mistral-7b" });
    let ask = || async {
        world
            .anonymous
            .post("/api/ai/compatibility", &probe)
            .await
            .data()
    };
    let claimed = ask().await;
    assert_eq!(
        (&claimed["verdict"], &claimed["detours"]),
        (&json!("none"), &json!([]))
    );
    let measured = Item {
        name: "Measured onwards",
        source: "llama-3-8b",
        target: "mistral-7b",
        epsilon: 0.1,
        tier: Some("silver"),
        ..Item::default()
    };
    put(&world, &[measured]).await;
    let ways = ask().await;
    assert_eq!(ways["verdict"], "detour");
    let bound = ways["detours"][0]["epsilonBound"].as_f64().unwrap();
    assert!((bound - (0.02 + 0.1 + 0.002)).abs() < 1e-9, "{bound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_epsilon_has_no_tier() {
    let world = stocked().await;
    let claimed =
        sqlx::query("update packages set tier = 'platinum' where name = 'Claimed perfect'")
            .execute(&world.pool)
            .await
            .unwrap_err();
    assert_eq!(
        common::db::constraint_of(&claimed),
        Some("packages_tier_is_measured")
    );
    let path = "/api/ai/packages?tier=platinum";
    let found = world.anonymous.get(path).await.data();
    assert_eq!(found["packages"], Value::Array(Vec::new()));
}
