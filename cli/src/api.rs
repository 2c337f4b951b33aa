//! The admin API as commands use it: one call, one answer, the `data` of its envelope or a
//! [`Failure`]. Follows no redirect, so that the operators' token goes where it was sent and nowhere else;
//! repeats nothing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use common::reqwest::{self, Client, Method, RequestBuilder, StatusCode, Url};
use common::secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;

const TOKEN_VARIABLE: &str = "AWARENESS_ADMIN_TOKEN";
const CONNECT_SECONDS_MAX: u64 = 5;
/// A little more than the API gives itself, so that its own answer is seen.
const CALL_SECONDS_MAX: u64 = common::limits::REQUEST_SECONDS_MAX + 5;
/// The largest page of payloads takes about 4 MiB.
const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Which API, and how to show its answers. The operators' token is in `AWARENESS_ADMIN_TOKEN` or in
/// a file, never on the command line, where every user of the machine could read it.
#[derive(Debug, Args)]
pub struct ApiArgs {
    /// Where the API is.
    #[arg(long, global = true, env = "AWARENESS_BASE_URL", value_name = "URL")]
    base_url: Option<String>,
    /// File with the operators' token [default: the token in AWARENESS_ADMIN_TOKEN].
    #[arg(long, global = true, value_name = "FILE")]
    admin_token_file: Option<PathBuf>,
    /// Print the data of the answer as JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// One API and the right to operate it.
pub struct Api {
    base_url: Url,
    token: SecretString,
    client: Client,
    is_json: bool,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

impl Api {
    /// Checks what is needed for a call; connects to nothing yet.
    pub fn new(args: ApiArgs) -> Result<Self, Failure> {
        let mut faults = Vec::new();
        let base_url =
            parse_base_url(&args.base_url.unwrap_or_default()).map_err(|fault| faults.push(fault));
        let token = match args.admin_token_file {
            Some(path) => std::fs::read_to_string(&path)
                .map_err(|source| Failure::TokenFile { path, source })?,
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
        };
        let token = token.trim();
        if token.is_empty() {
            faults.push(format!("set {TOKEN_VARIABLE} or pass --admin-token-file"));
        }
        match base_url {
            Ok(base_url) if faults.is_empty() => Ok(Self {
                client: client(&base_url)?,
                base_url,
                token: token.into(),
                is_json: args.json,
            }),
            _ => Err(Failure::Unusable(faults)),
        }
    }

    /// Where it is.
    pub fn base_url(&self) -> &Url {
        &self.base_url
    }

    /// What calls it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `GET /admin/<path>`, with those parameters that have a value.
    pub async fn get(
        &self,
        path: &[&str],
        query: &[(&str, Option<String>)],
    ) -> Result<Value, Failure> {
        let mut url = self.url(path);
        for (name, value) in query {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        self.call(self.client.get(url)).await
    }

    /// `POST /admin/<path>`.
    pub async fn post(&self, path: &[&str], body: &Value) -> Result<Value, Failure> {
        self.call(self.client.post(self.url(path)).json(body)).await
    }

    /// `DELETE /admin/<path>`.
    pub async fn delete(&self, path: &[&str]) -> Result<Value, Failure> {
        self.call(self.client.request(Method::DELETE, self.url(path)))
            .await
    }

    /// Shows data as JSON or in the words of `human`, as the operator asked.
    pub fn show<T: DeserializeOwned>(
        &self,
        data: Value,
        human: impl FnOnce(T) -> String,
    ) -> Result<Output, Failure> {
        let text = if self.is_json {
            serde_json::to_string_pretty(&data).map_err(Failure::NotUnderstood)? + "\n"
        } else {
            human(read(data)?)
        };
        Ok(Output::new(text))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .expect("http addresses have a path")
            .pop_if_empty()
            .push("admin")
            .extend(path);
        url
    }

    async fn call(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let unreachable = |source: reqwest::Error| Failure::Unreachable {
            base_url: self.base_url.clone(),
            source: source.without_url(),
        };
        let mut response = request
            .bearer_auth(self.token.expose_secret())
            .header("accept", "application/vnd.awareness.v2+json")
            .send()
            .await
            .map_err(unreachable)?;
        let (url, status) = (response.url().clone(), response.status());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(Failure::NotTheApi { url, status });
            }
        }
        unwrap_envelope(status, &body).unwrap_or(Err(Failure::NotTheApi { url, status }))
    }
}

fn parse_base_url(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("set AWARENESS_BASE_URL or pass --base-url".to_owned());
    }
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Ok(_) => Err(format!("{text} is no http or https address")),
        Err(error) => Err(format!("{text} is no address: {error}")),
    }
}

/// Data as the type that a command works with.
pub fn read<T: DeserializeOwned>(data: Value) -> Result<T, Failure> {
    serde_json::from_value(data).map_err(Failure::NotUnderstood)
}

/// The data, or the error; none if it is not the API's envelope.
fn unwrap_envelope(status: StatusCode, body: &[u8]) -> Option<Result<Value, Failure>> {
    let mut envelope: Value = serde_json::from_slice(body).ok()?;
    if status.is_success() {
        return envelope.get_mut("data").map(|data| Ok(data.take()));
    }
    let error = envelope.get("error")?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let details = error.get("details").and_then(Value::as_object);
    let details = details.into_iter().flatten().map(|(field, fault)| {
        let fault = text(fault).unwrap_or_else(|| fault.to_string());
        (field.clone(), fault)
    });
    Some(Err(Failure::Refused {
        code: text(error.get("code")?)?,
        message: text(error.get("message")?)?,
        details: details.collect(),
        request_id: envelope.pointer("/metadata/requestId").and_then(text),
    }))
}

/// TLS with the system's certificates. Without any, plain http still works: many containers have
/// none.
fn client(base_url: &Url) -> Result<Client, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() && base_url.scheme() == "https" {
        return Err(Failure::NoRootCertificates);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .user_agent(concat!("awareness-cli/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .tls_backend_preconfigured(tls)
        .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
        .timeout(Duration::from_secs(CALL_SECONDS_MAX))
        .build()
        .map_err(Failure::Http)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn envelope(status: u16, body: &Value) -> Option<Result<Value, Failure>> {
        let status = StatusCode::from_u16(status).unwrap();
        unwrap_envelope(status, body.to_string().as_bytes())
    }

    #[test]
    fn an_error_keeps_code_message_details_and_request() {
        let body = json!({
            "success": false,
            "error": { "code": "INVALID_INPUT", "message": "No.", "details": { "limit": "too large" } },
            "metadata": { "requestId": "req_1" },
        });
        let failure = envelope(400, &body).unwrap().unwrap_err();
        assert_eq!(
            failure.to_string(),
            "INVALID_INPUT: No.\n  limit: too large\n  request req_1"
        );
    }

    #[test]
    fn only_the_api_s_envelope_is_believed() {
        let data = envelope(200, &json!({ "data": 7 })).unwrap().unwrap();
        assert_eq!(data, json!(7));
        assert!(envelope(200, &json!({ "ok": true })).is_none());
        assert!(envelope(301, &json!({ "data": 7 })).is_none());
        assert!(unwrap_envelope(StatusCode::BAD_GATEWAY, b"<html>").is_none());
    }

    #[test]
    fn a_path_segment_cannot_leave_its_place() {
        let base_url: Url = "http://market.example/eu/".parse().unwrap();
        let api = Api {
            client: client(&base_url).unwrap(),
            base_url,
            token: "t".into(),
            is_json: false,
        };
        let url = api.url(&["queues", "../keys?x", "pause"]);
        assert_eq!(
            url.as_str(),
            "http://market.example/eu/admin/queues/..%2Fkeys%3Fx/pause"
        );
    }
}
