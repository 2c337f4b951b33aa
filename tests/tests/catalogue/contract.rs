//! The seed's requests, as it writes them, get the seed's fields, names and types, without a version said.

use common::reqwest::{self, Method};
use serde_json::{Value, json};
use tests::{Sample, World};

/// A client that says nothing but what the seed's says.
struct Seed<'a> {
    world: &'a World,
    http: reqwest::Client,
}

impl Seed<'_> {
    async fn ask(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&str>,
    ) -> (u16, Value) {
        let url = format!("http://{}{path}", self.world.anonymous.authority());
        let mut request = self.http.request(method, url);
        if let Some(key) = key {
            request = request.header("Authorization", format!("Bearer {key}"));
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", "application/json")
                .body(body.to_owned());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["api-version"], "v1");
        assert!(answer.headers().contains_key("deprecation"));
        assert!(answer.headers().contains_key("sunset"));
        (status, answer.json().await.unwrap())
    }
}

/// Each field of the pattern, by type; a text `"=x"` is the value x itself.
fn assert_fits(pattern: &Value, value: &Value, place: &str) {
    match pattern {
        Value::Object(fields) => {
            for (name, inner) in fields {
                assert_fits(inner, &value[name], &format!("{place}.{name}"));
            }
        }
        Value::Array(items) => {
            let found = value
                .as_array()
                .unwrap_or_else(|| panic!("{place}: {value}"));
            assert!(!found.is_empty(), "{place}");
            found
                .iter()
                .for_each(|each| assert_fits(&items[0], each, &format!("{place}[]")));
        }
        Value::String(text) => match text.strip_prefix('=') {
            Some(exact) => assert_eq!(value.as_str(), Some(exact), "{place}"),
            None => assert!(value.is_string(), "{place}: {value}"),
        },
        Value::Number(_) => assert!(value.is_number(), "{place}: {value}"),
        Value::Bool(_) => assert_eq!(pattern, value, "{place}"),
        Value::Null => assert!(value.is_null() || value.is_string(), "{place}: {value}"),
    }
}

/// The seed's upload, as it is written there.
fn upload_body(world: &World) -> String {
    let sample = Sample::vector(1).request();
    format!(
        r#"{{
  "packageType": "vector",
  "name": "GPT-4 Vision Capabilities",
  "description": "Pre-trained vision capabilities for GPT-4",
  "sourceModel": "gpt-3.5-turbo",
  "targetModel": "gpt-4",
  "epsilon": 0.05,
  "price": 9.99,
  "vectorData": {},
  "wMatrixData": {},
  "webhookUrl": "{}"
}}"#,
        sample["vectorData"],
        sample["wMatrixData"],
        world.webhook_url()
    )
}

/// Uploads and follows: the package.
async fn uploads(seed: &Seed<'_>) -> String {
    let (key, body) = (seed.world.seller.token(), upload_body(seed.world));
    let (status, body) = seed
        .ask(
            Method::POST,
            "/api/ai/upload-package",
            Some(key),
            Some(&body),
        )
        .await;
    assert_eq!(status, 202);
    let pattern = json!({ "success": true, "data": {
        "uploadId": "", "statusUrl": "", "message": "=Upload initiated. Check status URL for progress.",
    } });
    assert_fits(&pattern, &body, "upload");
    let upload_id = body["data"]["uploadId"].as_str().unwrap().to_owned();
    seed.world.webhook(&upload_id).await;
    let path = format!("/api/ai/package-status/{upload_id}");
    let (status, body) = seed.ask(Method::GET, &path, None, None).await;
    assert_eq!(status, 200);
    let pattern = json!({ "success": true, "data": {
        "status": "=completed", "progress": 100, "packageId": "", "error": null,
    } });
    assert_fits(&pattern, &body, "status");
    body["data"]["packageId"].as_str().unwrap().to_owned()
}

async fn searches(seed: &Seed<'_>) {
    let path = "/api/ai/search-packages?query=GPT-4%20vision&packageType=vector&limit=10";
    let (status, body) = seed.ask(Method::GET, path, None, None).await;
    assert_eq!(status, 200);
    let pattern = json!({ "success": true, "data": { "query": "=GPT-4 vision", "count": 1, "results": [{
        "packageId": "", "packageType": "=vector", "name": "=GPT-4 Vision Capabilities", "description": "",
        "price": 9.99, "epsilon": 0.05, "downloads": 0,
    }] } });
    assert_fits(&pattern, &body, "search");
    assert_eq!(body["data"]["results"][0]["price"], 9.99);
}

/// Buys, and calls the purchase by its number.
async fn buys(seed: &Seed<'_>, package: &str, key: &str) {
    let purchase = format!(
        "{{\n  \"packageType\": \"vector\",\n  \"packageId\": \"{package}\",\n  \"paymentMethod\": \"credits\"\n}}"
    );
    let path = "/api/ai/purchase-package";
    let (status, body) = seed
        .ask(Method::POST, path, Some(key), Some(&purchase))
        .await;
    assert_eq!(status, 200, "{body}");
    let pattern = json!({ "success": true, "data": {
        "purchaseId": 456, "downloadUrl": "", "expiresAt": "",
        "message": "=Package purchased successfully. Download link is valid for 7 days.",
    } });
    assert_fits(&pattern, &body, "purchase");
    let number = body["data"]["purchaseId"].as_u64().unwrap();
    assert!(
        number < 1 << 53,
        "a JSON number that every client reads exactly"
    );
    let url = format!("https://awareness.market/api/packages/download/vector/{package}");
    assert_eq!(body["data"]["downloadUrl"], url);
    let path = format!("/api/ai/purchases/{number}");
    let (status, shown) = seed.ask(Method::GET, &path, Some(key), None).await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["data"]["purchase"], body["data"]["purchase"]);
    let stranger = seed.world.stranger.token();
    let (status, _) = seed.ask(Method::GET, &path, Some(stranger), None).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seeds_walk_from_upload_to_download_finds_its_fields() {
    let world = World::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let seed = Seed {
        world: &world,
        http,
    };
    let package = uploads(&seed).await;
    searches(&seed).await;
    let buyer = world.buyer("buyer", 2000).await;
    let key = buyer.client.token();
    buys(&seed, &package, key).await;
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    let (status, body) = seed.ask(Method::GET, &path, Some(key), None).await;
    assert_eq!(status, 200, "{body}");
    let pattern =
        json!({ "success": true, "data": { "packageUrl": "", "wMatrixUrl": "", "expiresAt": "" } });
    assert_fits(&pattern, &body, "download");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_has_the_seeds_envelope_and_a_page_about_its_code() {
    let world = World::only_api().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let seed = Seed {
        world: &world,
        http,
    };
    let (status, body) = seed
        .ask(Method::POST, "/api/ai/upload-package", None, Some("{}"))
        .await;
    assert_eq!(status, 401);
    let pattern = json!({
        "success": false,
        "error": { "code": "=UNAUTHORIZED", "message": "", "details": {}, "retryable": false,
                   "docUrl": "=https://awareness.market/errors/UNAUTHORIZED" },
        "metadata": { "timestamp": "", "requestId": "" },
    });
    assert_fits(&pattern, &body, "error");
}
