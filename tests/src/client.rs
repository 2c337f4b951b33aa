//! Speaks to the API as anybody would: HTTP and JSON, nothing of the crates behind it.

use std::net::IpAddr;

use common::reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use common::reqwest::{self, Method, RequestBuilder};
use serde_json::Value;

/// One caller: a base address and perhaps a token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    token: Option<String>,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    /// A caller without a proxy, redirects or retries, who speaks version 2 if nothing else is said.
    pub fn new(base_url: String, token: Option<String>) -> Self {
        Self {
            http: http(None),
            base_url,
            token,
        }
    }

    /// The same caller at `127.0.0.<last>`: a network of its own, and one that nobody trusts but for 1.
    #[must_use]
    pub fn at(&self, last: u8) -> Self {
        Self {
            http: http(Some([127, 0, 0, last].into())),
            ..self.clone()
        }
    }

    /// The same address with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The token in clear.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// `127.0.0.1:<port>`.
    pub fn authority(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// A request to be completed; [`send`] it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// `POST` of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// The seed's upload.
    pub async fn upload(&self, request: &Value) -> Answer {
        self.post("/api/ai/upload-package", request).await
    }

    /// An upload with an idempotency key.
    pub async fn upload_once(&self, key: &str, request: &Value) -> Answer {
        let post = self.request(Method::POST, "/api/ai/upload-package");
        send(post.header("idempotency-key", key).json(request)).await
    }

    /// The status of an upload.
    pub async fn status(&self, upload_id: &str) -> Answer {
        self.get(&format!("/api/ai/package-status/{upload_id}"))
            .await
    }

    /// Waits until the upload has ended, by `Prefer: wait`: the data of its status.
    pub async fn ended(&self, upload_id: &str) -> Value {
        let path = format!("/api/ai/package-status/{upload_id}");
        let request = self.request(Method::GET, &path);
        let data = send(request.header("prefer", "wait=45")).await.data();
        let status = data["status"].as_str().unwrap_or_default();
        assert!(
            ["completed", "failed"].contains(&status),
            "{upload_id} has not ended in time: {data}"
        );
        data
    }
}

fn http(address: Option<IpAddr>) -> reqwest::Client {
    let accept = HeaderValue::from_static("application/vnd.awareness.v2+json");
    reqwest::Client::builder()
        .default_headers([(ACCEPT, accept)].into_iter().collect())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .local_address(address)
        .build()
        .unwrap()
}

/// Sends a request and reads its answer to the end.
pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("the API answers");
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.expect("the answer is text"),
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The entity tag without what it says of the whole answer: `"3"` of `"3-0123456789abcdef"`.
    pub fn row_tag(&self) -> String {
        let tag = self.header("etag");
        let row = tag.split_once('-').map(|(row, _)| format!("{row}\""));
        row.unwrap_or_else(|| tag.to_owned())
    }

    /// `data` of a good answer.
    pub fn data(&self) -> Value {
        let mut body = self.json();
        assert_eq!(body["success"], true, "{}: {body}", self.status);
        body["data"].take()
    }

    /// Status and `error.code` of a bad answer.
    pub fn fault(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(body["success"], false, "{}: {body}", self.status);
        let code = body["error"]["code"].as_str().unwrap_or_default();
        (self.status, code.to_owned())
    }

    /// `error.details` of a bad answer.
    pub fn details(&self) -> Value {
        self.json()["error"]["details"].take()
    }

    /// `data.uploadId`.
    pub fn upload_id(&self) -> String {
        self.data()["uploadId"].as_str().unwrap().to_owned()
    }

    /// A header, empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}
