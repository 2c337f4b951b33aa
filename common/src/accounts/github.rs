//! Speaks to GitHub, or to what speaks its protocol: the authorization code flow with state and PKCE
//! (RFC 6749 §4.1, RFC 7636), then who it is that came back.

use std::time::Duration;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    TokenResponse as _, TokenUrl,
};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use thiserror::Error;
use url::Url;

use crate::config::GitHubConfig;
use crate::tls;

const USER_AGENT: &str = concat!("awareness-market/", env!("CARGO_PKG_VERSION"));
const PATIENCE: Duration = Duration::from_secs(10);
/// An answer of GitHub: a user is two KiB.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

type Client = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// A client of GitHub.
#[derive(Debug, Clone)]
pub struct GitHub {
    oauth: Client,
    http: reqwest::Client,
    api_url: Url,
}

/// Why GitHub did not tell who it is.
#[derive(Debug, Error)]
pub enum GitHubError {
    /// GitHub does not take the code: used, expired, or not ours.
    #[error("GitHub did not accept the sign-in: {0}")]
    Refused(String),
    /// GitHub did not answer, or not in its protocol.
    #[error("GitHub does not answer: {0}")]
    Away(String),
}

/// Somebody at GitHub.
#[derive(Debug, Clone, Deserialize)]
pub struct GitHubUser {
    pub id: i64,
    pub login: String,
}

/// Where to send somebody, and what must come back.
#[derive(Debug)]
pub struct Departure {
    pub url: Url,
    pub state: String,
    pub verifier: String,
}

impl GitHub {
    /// The client; none if GitHub is off. Who comes back comes to `callback`.
    pub fn new(config: &GitHubConfig, callback: &str) -> Result<Option<Self>, GitHubError> {
        let Some(app) = &config.app else {
            return Ok(None);
        };
        tls::install_provider();
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE);
        if config.base_url.scheme() == "http" {
            // The sandbox; a machine without certificates can still run it.
            builder = builder.tls_certs_only([]);
        }
        let path = |path: &str| {
            let base = config.base_url.as_str().trim_end_matches('/');
            format!("{base}/login/oauth/{path}")
        };
        let oauth = BasicClient::new(ClientId::new(app.client_id.clone()))
            .set_client_secret(ClientSecret::new(
                app.client_secret.expose_secret().to_owned(),
            ))
            .set_auth_uri(AuthUrl::new(path("authorize")).map_err(away)?)
            .set_token_uri(TokenUrl::new(path("access_token")).map_err(away)?)
            .set_redirect_uri(RedirectUrl::new(callback.to_owned()).map_err(away)?)
            // GitHub reads the client's secret from the form.
            .set_auth_type(oauth2::AuthType::RequestBody);
        Ok(Some(Self {
            oauth,
            http: builder.build().map_err(away)?,
            api_url: config.api_url.clone(),
        }))
    }

    /// Somebody is to be sent to GitHub.
    pub fn depart(&self) -> Departure {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let request = self
            .oauth
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("read:user".to_owned()))
            .set_pkce_challenge(challenge);
        let (url, state) = request.url();
        Departure {
            url,
            state: state.secret().clone(),
            verifier: verifier.secret().clone(),
        }
    }

    /// Who came back with that code.
    pub async fn arrive(&self, code: &str, verifier: &str) -> Result<GitHubUser, GitHubError> {
        let http = |request: HttpRequest| exchange(self.http.clone(), request);
        let token = self
            .oauth
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&http)
            .await
            .map_err(|error| match error {
                oauth2::RequestTokenError::ServerResponse(answer) => {
                    GitHubError::Refused(answer.error().to_string())
                }
                other => away(other),
            })?;
        let url = format!("{}/user", self.api_url.as_str().trim_end_matches('/'));
        let answer = self
            .http
            .get(url)
            .bearer_auth(token.access_token().secret())
            .header(ACCEPT, "application/vnd.github+json")
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| away(error.without_url()))?;
        let bytes = capped(answer).await?;
        serde_json::from_slice(&bytes).map_err(away)
    }
}

/// One request of the flow.
async fn exchange(
    http: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, GitHubError> {
    let (parts, body) = request.into_parts();
    let mut headers: HeaderMap = parts.headers;
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let answer = http
        .request(parts.method, parts.uri.to_string())
        .headers(headers)
        .body(body)
        .send()
        .await
        .map_err(|error| away(error.without_url()))?;
    let mut response = HttpResponse::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    let bytes = capped(answer).await?;
    // GitHub tells a refusal with status 200; the protocol wants 400.
    let is_refusal = serde_json::from_slice::<serde_json::Value>(&bytes)
        .is_ok_and(|answer| answer.get("error").is_some());
    if is_refusal {
        *response.status_mut() = reqwest::StatusCode::BAD_REQUEST;
    }
    *response.body_mut() = bytes;
    Ok(response)
}

async fn capped(mut answer: reqwest::Response) -> Result<Vec<u8>, GitHubError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(GitHubError::Away("the answer is too long".to_owned()));
        }
    }
    Ok(bytes)
}

fn away(error: impl std::fmt::Display) -> GitHubError {
    GitHubError::Away(error.to_string())
}
