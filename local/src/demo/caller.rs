//! Calls with a key, as any client makes them: JSON in, an answer out, whatever its status.

use common::reqwest::header::CONTENT_TYPE;
use common::reqwest::{Client, Method};
use serde_json::{Value, json};

use super::DemoError;
use crate::stack::Stack;

/// Whoever holds a key (or the operators' token).
#[derive(Debug, Clone)]
pub(super) struct Caller {
    http: Client,
    base_url: String,
    key: String,
}

/// A status and a JSON body.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Caller {
    pub(super) fn new(stack: &Stack, key: &str) -> Self {
        Self {
            http: Client::new(),
            base_url: stack.base_url.clone(),
            key: key.to_owned(),
        }
    }

    /// The operator of this stack.
    pub(super) fn operator(stack: &Stack) -> Self {
        Self::new(stack, &stack.admin_token)
    }

    /// A new key for a user who buys, and the user's id; the user is made if there is none.
    pub(super) async fn buyer(stack: &Stack, user: &str) -> Result<(Self, Value), DemoError> {
        let operator = Self::operator(stack);
        let found = operator
            .get(&format!("/admin/users?exactName={user}"))
            .await?;
        let mut body = json!({ "name": "demo", "permissions": ["purchase", "download"] });
        match found.body["data"]["users"].get(0) {
            Some(known) => body["userId"] = known["userId"].clone(),
            None => body["user"] = json!(user),
        }
        let created = operator.post("/admin/keys", &body).await?;
        let key = created.body["data"]["apiKey"].as_str().unwrap_or_default();
        let id = created.body["data"]["userId"].clone();
        Ok((Self::new(stack, key), id))
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer, DemoError> {
        self.send(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Answer, DemoError> {
        self.send(Method::POST, path, Some(body), None).await
    }

    /// Takes a thing away.
    pub(super) async fn delete(&self, path: &str) -> Result<(), DemoError> {
        self.http
            .delete(format!("{}{path}", self.base_url))
            .bearer_auth(&self.key)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// Changes what was seen at that version.
    pub(super) async fn patch(
        &self,
        path: &str,
        version: &Value,
        body: &Value,
    ) -> Result<Answer, DemoError> {
        let tag = format!("\"{version}\"");
        self.send(Method::PATCH, path, Some(body), Some(&tag)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        if_match: Option<&str>,
    ) -> Result<Answer, DemoError> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url))
            .bearer_auth(&self.key);
        if let Some(body) = body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string());
        }
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        let response = request.send().await?;
        Ok(Answer {
            status: response.status().as_u16(),
            body: response.json().await?,
        })
    }
}

impl Answer {
    /// A field of a good answer's data.
    pub(super) fn text(&self, field: &str) -> &str {
        self.body["data"][field].as_str().unwrap_or_default()
    }
}
