//! The documents of the API.

use common::reqwest::Method;
use common::reqwest::header::ACCEPT;
use serde_json::{Map, Value};

use crate::client::send;
use crate::{Client, World};

impl World {
    /// The document of the version that clients of tests speak, its paths as all versions have them.
    pub async fn document(&self) -> Value {
        let document = self.anonymous.document("v2", "openapi-3.1.json").await;
        with_plain_paths(document)
    }
}

impl Client {
    /// A document of a version.
    pub async fn document(&self, version: &str, file: &str) -> Value {
        let request = self.request(Method::GET, &format!("/api/ai/{file}"));
        let media_type = format!("application/vnd.awareness.{version}+json");
        let answer = send(request.header(ACCEPT, media_type)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.header("content-type"), "application/json");
        answer.json()
    }
}

/// A document whose paths do not name its version.
pub fn with_plain_paths(mut document: Value) -> Value {
    let paths = document["paths"].take();
    let plain = |path: &str| path.replacen("/v2/", "/", 1).replacen("/v3/", "/", 1);
    let paths = paths.as_object().into_iter().flatten();
    let paths: Map<String, Value> = paths
        .map(|(path, methods)| (plain(path), methods.clone()))
        .collect();
    document["paths"] = Value::Object(paths);
    document
}
