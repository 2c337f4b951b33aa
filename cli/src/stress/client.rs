//! A client of the market, with a key of its own account.

use common::reqwest::{Client, Method, StatusCode, Url, header};
use common::secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Lost;
use crate::api::{Api, read};
use crate::failure::Failure;

/// What every buyer has to spend.
pub const CREDITS_MINOR: i64 = 100_000_000;

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    http: Client,
    base_url: Url,
    key: SecretString,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatedKey {
    user_id: String,
    api_key: String,
}

impl Caller {
    /// A new account with that name, with credits if it is to buy.
    pub async fn create(api: &Api, name: &str, buys: bool) -> Result<Self, Failure> {
        let body = json!({
            "user": name,
            "name": "stress",
            "permissions": ["purchase", "download", "events", "leases"],
        });
        let created: CreatedKey = read(api.post(&["keys"], &body).await?)?;
        if buys {
            let amount = format!("{}.{:02}", CREDITS_MINOR / 100, CREDITS_MINOR % 100);
            let body =
                json!({ "userId": created.user_id, "amount": amount, "reason": "stress test" });
            api.post(&["credits"], &body).await?;
        }
        Ok(Self {
            http: api.client().clone(),
            base_url: api.base_url().clone(),
            key: created.api_key.into(),
        })
    }

    /// What it is answered, where nothing works without.
    pub async fn read(&self, path: &str) -> Result<Reply, Failure> {
        self.get(path).await.map_err(|source| Failure::Unreachable {
            base_url: self.base_url.clone(),
            source: source.without_url(),
        })
    }

    pub async fn get(&self, path: &str) -> Result<Reply, Lost> {
        self.call(Method::GET, path, None, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply, Lost> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// Calls with the token of a lease.
    pub async fn delete(&self, path: &str, lease: &str) -> Result<Reply, Lost> {
        self.call(Method::DELETE, path, None, Some(lease)).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        lease: Option<&str>,
    ) -> Result<Reply, Lost> {
        let url = format!("{}{path}", self.base_url.as_str().trim_end_matches('/'));
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.key.expose_secret())
            .header(header::ACCEPT, "application/vnd.awareness.v2+json");
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(lease) = lease {
            request = request.header("lease-token", lease);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        Ok(Reply {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}

impl Reply {
    /// All of its data.
    pub fn whole(&self) -> &Value {
        &self.body["data"]
    }

    /// A part of its data.
    pub fn data(&self, name: &str) -> &Value {
        &self.body["data"][name]
    }

    /// What a refusal says.
    pub fn detail(&self, name: &str) -> &Value {
        &self.body["error"]["details"][name]
    }

    /// The status and the code of a refusal.
    pub fn refusal(&self) -> String {
        let code = self.body["error"]["code"].as_str().unwrap_or("no envelope");
        format!("{} {code}", self.status.as_u16())
    }
}
