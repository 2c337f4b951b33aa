//! Idempotency keys for writes whose commands keep no answer: quotes, refunds, renewals, what operators do.
//!
//! Inside of authorisation and limits, so that nobody is shown what they may not ask for. A repeated request
//! gets the first answer, without its secrets; one that comes while the first is under way is told to wait
//! (409), and another request under the same key is refused (422).

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::db::PgPool;
use common::limits::SMALL_BODY_BYTES_MAX;
use common::replays::{self, Begun, Replay};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Identity;
use crate::error::{ApiError, Code, IDEMPOTENCY_CONFLICT};
use crate::extract::{DryRun, IdempotencyHeader};
use crate::places;
use crate::routes::{Data, success};
use crate::state::ApiState;

/// What is shown once.
const SECRETS: [&str; 1] = ["apiKey"];

/// Answers a repeated request as the first one was.
pub async fn replay(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    match replayed(&state, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn replayed(state: &ApiState, request: Request, next: Next) -> Result<Response, ApiError> {
    let (mut head, body) = request.into_parts();
    let route = head.extensions.get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str).to_owned();
    let is_write = !matches!(head.method, Method::GET | Method::HEAD);
    let is_dry = head.extensions.get::<DryRun>() == Some(&DryRun(true));
    let IdempotencyHeader(key) = match is_write && !is_dry {
        true => IdempotencyHeader::from_request_parts(&mut head, state).await?,
        false => IdempotencyHeader(None),
    };
    let Some(key) = key else {
        return Ok(next.run(Request::from_parts(head, body)).await);
    };
    let body = to_bytes(body, SMALL_BODY_BYTES_MAX)
        .await
        .unwrap_or_default();
    let asked = Sha256::new()
        .chain_update(head.method.as_str())
        .chain_update([0])
        .chain_update(head.uri.to_string())
        .chain_update([0])
        .chain_update(&body);
    let replay = Replay {
        scope: scope(&head.extensions, &head.method, &route),
        fingerprint: asked.finalize().to_vec(),
        key,
    };
    match replays::begin(state.pool(), &replay).await? {
        Begun::First => {}
        Begun::Answered { status, body } => return Ok(again(status, &body)),
        Begun::UnderWay => {
            let message =
                "The first request with this Idempotency-Key is under way. Ask again in a moment.";
            return Err(ApiError::new(Code::Conflict, message));
        }
        Begun::Taken => {
            return Err(ApiError::new(
                Code::IdempotencyConflict,
                IDEMPOTENCY_CONFLICT,
            ));
        }
    }
    // In a task of its own: a client that hangs up leaves no key under way.
    let pool = state.pool().clone();
    let answering = places::spawn(async move {
        let response = next.run(Request::from_parts(head, Body::from(body))).await;
        kept(&pool, &replay, response).await
    });
    let broke_off = |_| ApiError::new(Code::InternalError, "An internal error occurred.");
    answering.await.map_err(broke_off)?
}

/// Who asks, and what for: a credential sees its own answers alone.
fn scope(extensions: &axum::http::Extensions, method: &Method, route: &str) -> Vec<u8> {
    let identity = extensions.get::<Identity>();
    let caller = identity.and_then(|Identity(identity)| identity.as_ref().ok()?.as_ref());
    let who = caller.map_or_else(
        || "operator".to_owned(),
        |caller| format!("{}:{}:{:?}", caller.user, caller.key, caller.session),
    );
    Sha256::digest(format!("{who} {method} {route}")).to_vec()
}

/// Keeps a good answer; any other gives the key back.
async fn kept(pool: &PgPool, replay: &Replay, response: Response) -> Result<Response, ApiError> {
    let Some(Data(data)) = response
        .extensions()
        .get::<Data>()
        .filter(|_| response.status().is_success())
    else {
        replays::abandon(pool, replay).await?;
        return Ok(response);
    };
    let mut data = data.clone();
    if let Some(fields) = data.as_object_mut() {
        for name in SECRETS {
            fields
                .entry(name)
                .and_modify(|secret| *secret = Value::Null);
        }
    }
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|value| value.to_str().ok());
    let body = json!({ "data": data, "location": location });
    replays::finish(pool, replay, response.status().as_u16(), &body).await?;
    Ok(response)
}

fn again(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = success(status, &body["data"]);
    let headers = response.headers_mut();
    headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    if let Some(Ok(location)) = body["location"].as_str().map(HeaderValue::from_str) {
        headers.insert(header::LOCATION, location);
    }
    response
}
