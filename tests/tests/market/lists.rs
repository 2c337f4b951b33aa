//! Lists of purchases: the caller's own, page by page, from both sides.

use serde_json::Value;
use tests::market::User;
use tests::{Client, World};

/// The ids on all pages, read with that many rows a page.
async fn ids(client: &Client, query: &str, limit: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/ai/purchases?limit={limit}{query}{cursor}");
        let answer = client.get(&path).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.data();
        let rows = page["purchases"].as_array().unwrap();
        assert!(rows.len() <= limit);
        ids.extend(rows.iter().map(|row| row["purchaseId"].clone()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

/// Three packages, bought one after the other.
async fn three_purchases(world: &World, buyer: &User) -> Vec<Value> {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let package = world.package_for(1.0).await;
        let answer = buyer.client.buy(&package).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        ids.push(answer.data()["purchaseId"].clone());
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_purchases_is_newest_first_and_every_one_is_on_one_page() {
    let world = World::start().await;
    let buyer = world.buyer("buyer", 1_000).await;
    let mut expected = three_purchases(&world, &buyer).await;
    expected.reverse();
    for limit in [1, 2, 3, 50] {
        assert_eq!(ids(&buyer.client, "", limit).await, expected);
        assert_eq!(ids(&world.seller, "&role=seller", limit).await, expected);
    }
    assert_eq!(ids(&buyer.client, "&status=settled", 2).await, expected);
    for (client, query) in [
        (&buyer.client, "&status=failed"),
        (&buyer.client, "&role=seller"),
        (&world.seller, ""),
        (&world.stranger, ""),
        (&world.stranger, "&role=seller"),
    ] {
        assert!(ids(client, query, 10).await.is_empty(), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seller_sees_what_a_sale_brought_and_nothing_to_download() {
    let world = World::start().await;
    let package = world.package_for(9.99).await;
    let buyer = world.buyer("buyer", 1_000).await;
    assert_eq!(buyer.client.buy(&package).await.status, 200);
    let sales = world
        .seller
        .get("/api/ai/purchases?role=seller")
        .await
        .data();
    let sale = &sales["purchases"][0];
    assert_eq!(sale["buyerId"], buyer.id.to_string());
    assert_eq!(
        (&sale["feeMinor"], &sale["netMinor"]),
        (&150.into(), &849.into())
    );
    assert!(sale.get("downloadUrl").is_none());
    let own = buyer.client.get("/api/ai/purchases").await.data();
    assert!(own["purchases"][0]["downloadUrl"].is_string());
    assert!(own["purchases"][0].get("netMinor").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_refuses_what_it_does_not_know() {
    let world = World::only_api().await;
    for query in [
        "limit=0",
        "limit=51",
        "limit=x",
        "cursor=x",
        "cursor=1.pur_1",
        "status=sold",
        "role=admin",
        "offset=3",
    ] {
        let refused = world
            .seller
            .get(&format!("/api/ai/purchases?{query}"))
            .await;
        assert_eq!(
            refused.fault(),
            (400, "INVALID_INPUT".to_owned()),
            "{query}"
        );
    }
    assert_eq!(world.anonymous.get("/api/ai/purchases").await.status, 401);
}
