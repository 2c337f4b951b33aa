//! Disputes as buyers and operators handle them through the API.

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::client::send;
use tests::{Answer, World, eventually};

use super::sales::Sale;

/// Opens a dispute: its address.
pub async fn opened(sale: &Sale, reason: &str) -> String {
    let answer = sale.dispute(reason).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let url = answer.header("location").to_owned();
    assert_eq!(answer.data()["statusUrl"], url);
    url
}

/// The id at the end of its address.
pub fn id_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// The dispute once it is as wanted, as its buyer sees it.
pub async fn becomes(sale: &Sale, url: &str, status: &str) -> Value {
    eventually(status, || async {
        let data = sale.buyer.client.get(url).await.data();
        (data["status"] == status).then_some(data)
    })
    .await
}

/// The dispute once it is resolved, by `Prefer: wait`.
pub async fn resolved(sale: &Sale, url: &str) -> Value {
    let request = sale.buyer.client.request(Method::GET, url);
    send(request.header("prefer", "wait=45")).await.data()
}

/// An operator decides it.
pub async fn decide(world: &World, url: &str, decision: &str) -> Answer {
    let path = format!("/admin/disputes/{}/decide", id_of(url));
    let body = json!({ "decision": decision, "note": format!("we {decision}") });
    world.operator.post(&path, &body).await
}
