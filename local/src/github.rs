//! A sandbox GitHub: speaks the authorization code flow with PKCE of GitHub's public documentation, and
//! says who signed in. Everybody who is sent to it approves at once, as `octocat` or as whoever
//! `login_hint` names. It keeps nothing.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use common::config::{GitHubApp, GitHubConfig};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

use crate::ports;

/// The one app that may ask.
pub const CLIENT_ID: &str = "awareness-sandbox";
/// Its secret; the sandbox guards nothing.
pub const CLIENT_SECRET: &str = "sandbox-secret";
const NOBODY_SAID: &str = "octocat";

/// A sandbox that serves.
#[derive(Debug)]
pub struct GitHubSandbox {
    address: SocketAddr,
    stop: CancellationToken,
    _serving: AbortOnDropHandle<()>,
}

/// What was handed out: codes with what they were asked with, and tokens with whose they are.
#[derive(Debug, Default)]
struct Handed {
    codes: HashMap<String, Grant>,
    tokens: HashMap<String, String>,
}

#[derive(Debug)]
struct Grant {
    login: String,
    challenge: String,
    redirect_uri: String,
}

type Shared = Arc<Mutex<Handed>>;

impl GitHubSandbox {
    /// Serves on that port of loopback; 0 takes a free one.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = ports::listen((Ipv4Addr::LOCALHOST, port).into()).await?;
        let address = listener.local_addr()?;
        let router = Router::new()
            .route("/login/oauth/authorize", get(authorize))
            .route("/login/oauth/access_token", post(exchange))
            .route("/user", get(user))
            .with_state(Shared::default());
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let serving = tokio::spawn(async move {
            let served = axum::serve(listener, router);
            // It ends when it is told to; there is nobody to tell of anything else.
            let _ = served
                .with_graceful_shutdown(async move { stopped.cancelled().await })
                .await;
        });
        Ok(Self {
            address,
            stop,
            _serving: AbortOnDropHandle::new(serving),
        })
    }

    /// The address that is really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The configuration of an API that uses it.
    pub fn config(&self) -> GitHubConfig {
        let url: Url = format!("http://{}", self.address)
            .parse()
            .expect("an address");
        GitHubConfig {
            app: Some(GitHubApp {
                client_id: CLIENT_ID.to_owned(),
                client_secret: CLIENT_SECRET.into(),
            }),
            base_url: url.clone(),
            api_url: url,
        }
    }

    /// Takes no more requests.
    pub fn stop(self) {
        self.stop.cancel();
    }
}

#[derive(Deserialize)]
struct Authorize {
    client_id: String,
    response_type: String,
    redirect_uri: String,
    state: String,
    code_challenge: String,
    code_challenge_method: String,
    #[serde(default)]
    login_hint: Option<String>,
}

async fn authorize(State(handed): State<Shared>, Query(asked): Query<Authorize>) -> Response {
    let is_sound = asked.client_id == CLIENT_ID
        && asked.response_type == "code"
        && asked.code_challenge_method == "S256";
    let Ok(mut back) = Url::parse(&asked.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if !is_sound {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let code = crate::private_file::random_hex::<20>();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &asked.state);
    let grant = Grant {
        login: asked.login_hint.unwrap_or(NOBODY_SAID.to_owned()),
        challenge: asked.code_challenge,
        redirect_uri: asked.redirect_uri,
    };
    lock(&handed).codes.insert(code, grant);
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

#[derive(Deserialize)]
struct Exchange {
    client_id: String,
    client_secret: String,
    code: String,
    code_verifier: String,
    redirect_uri: String,
}

/// GitHub answers 200 whatever is wrong.
async fn exchange(State(handed): State<Shared>, Form(asked): Form<Exchange>) -> Json<Value> {
    if asked.client_id != CLIENT_ID || asked.client_secret != CLIENT_SECRET {
        return Json(json!({ "error": "incorrect_client_credentials" }));
    }
    let mut handed = lock(&handed);
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(asked.code_verifier.as_bytes()));
    match handed.codes.remove(&asked.code) {
        Some(grant) if grant.challenge == challenge && grant.redirect_uri == asked.redirect_uri => {
            let token = format!("gho_{}", crate::private_file::random_hex::<20>());
            handed.tokens.insert(token.clone(), grant.login);
            Json(json!({ "access_token": token, "token_type": "bearer", "scope": "read:user" }))
        }
        _ => Json(json!({ "error": "bad_verification_code" })),
    }
}

async fn user(State(handed): State<Shared>, headers: HeaderMap) -> Response {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let login = token.and_then(|token| lock(&handed).tokens.get(token).cloned());
    match login {
        Some(login) => {
            let digest = Sha256::digest(login.as_bytes());
            let id = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
            Json(json!({ "id": id, "login": login, "type": "User" })).into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn lock(handed: &Shared) -> std::sync::MutexGuard<'_, Handed> {
    handed.lock().unwrap_or_else(PoisonError::into_inner)
}
