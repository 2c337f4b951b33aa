//! `/api/ai/webhooks/endpoints`: registered, listed, changed, deleted.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::ids::EndpointId;
use common::secrecy::ExposeSecret as _;
use common::webhooks::WebhookError;
use common::webhooks::endpoints::commands::{self, Change, NewEndpoint};
use common::webhooks::endpoints::{
    self, Endpoint, EndpointFilter, EndpointState, Settings, Source, newest_secret,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint_body::{EndpointBody, secret, shown};
use super::endpoint_id;
use crate::entity_tag::Tagged;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, IfMatch, Json, Path, Query, read_json};
use crate::routes::page::{self, Pages};
use crate::routes::success;
use crate::state::ApiState;

const ENDPOINT: &str = "webhook-endpoints";

/// Registers an endpoint. Its secret is in this answer, and in no other: not in that to a repetition.
pub async fn create_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    idempotency: IdempotencyHeader,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let mut request: EndpointBody = read_json(&headers, &body)?;
    let brought = secret(request.secret.take())?;
    let changes = request.settings();
    if changes.url.is_none() {
        let fault = "is required";
        return Err(ApiError::new(Code::InvalidInput, "url is required.").field("url", fault));
    }
    let settings = Settings::new(principal.key)
        .with(changes, &state.webhook_policy)
        .map_err(WebhookError::Settings)?;
    let new = NewEndpoint {
        owner: principal.user,
        settings,
        secret: brought,
        fingerprint: NewEndpoint::fingerprint_of(&body),
    };
    let key = idempotency.scoped(&principal, ENDPOINT);
    let created = commands::create(&state.outbox, &state.sealer, new, key.as_ref()).await?;
    let id = created.id;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    let mut data = shown(&endpoint);
    data["secret"] = if created.is_replay {
        Value::Null
    } else {
        let secret = newest_secret(state.pool(), &state.sealer, id).await?;
        Value::from(secret.to_text().expose_secret())
    };
    let mut response = with_etag(success(StatusCode::CREATED, data), &endpoint);
    let location = format!("/api/ai/webhooks/endpoints/{id}");
    let headers = response.headers_mut();
    headers.insert(
        header::LOCATION,
        HeaderValue::from_str(&location).expect("plain text"),
    );
    if created.is_replay {
        headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// Which ones.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointQuery {
    source: Option<Source>,
    status: Option<EndpointState>,
    cursor: Option<String>,
    limit: Option<i64>,
}

/// The caller's registered endpoints, newest first; with `source=request` those that requests named.
pub async fn list_endpoints(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EndpointQuery>,
) -> Result<Response, ApiError> {
    let filter = EndpointFilter {
        owner: principal.user,
        source: query.source.unwrap_or(Source::Registered),
        state: query.status,
        before: page::cursor(query.cursor.as_deref(), EndpointId::parse)?,
        limit: Pages::SHORT.limit(query.limit)?,
    };
    let found = endpoints::list(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |endpoint| endpoint.id);
    let shown: Vec<Value> = found.iter().map(shown).collect();
    let body = json!({ "endpoints": shown, "nextCursor": next });
    Ok(success(StatusCode::OK, body))
}

/// One of them.
pub async fn get_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let endpoint = endpoints::find(state.pool(), endpoint_id(&id)?, principal.user).await?;
    Ok(answer(&endpoint))
}

/// Changes what the body names, if the endpoint is at a version that the caller has seen.
pub async fn change_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    if_match: Result<IfMatch, ApiError>,
    Path(id): Path<String>,
    Json(body): Json<EndpointBody>,
) -> Result<Response, ApiError> {
    let id = endpoint_id(&id)?;
    endpoints::find(state.pool(), id, principal.user).await?;
    let IfMatch(if_match) = if_match?;
    if body.secret.is_some() {
        let fault = "is changed by rotate-secret";
        return Err(
            ApiError::new(Code::InvalidInput, format!("secret {fault}.")).field("secret", fault),
        );
    }
    let change = Change {
        endpoint: id,
        owner: principal.user,
        if_match,
        changes: body.changes()?,
    };
    commands::change(&state.outbox, &state.sealer, &state.webhook_policy, change).await?;
    let endpoint = endpoints::find(state.pool(), id, principal.user).await?;
    Ok(answer(&endpoint))
}

/// Takes an endpoint away, and what it would have heard.
pub async fn delete_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    commands::delete(&state.outbox, endpoint_id(&id)?, principal.user).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// How an endpoint did in the last 28 days.
pub async fn get_stats(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let endpoint = endpoints::find(state.pool(), endpoint_id(&id)?, principal.user).await?;
    let stats = endpoints::stats(state.pool(), endpoint.id).await?;
    Ok(success(StatusCode::OK, stats))
}

/// An endpoint with its entity tag.
pub fn answer(endpoint: &Endpoint) -> Response {
    with_etag(success(StatusCode::OK, shown(endpoint)), endpoint)
}

fn with_etag(mut response: Response, endpoint: &Endpoint) -> Response {
    response
        .extensions_mut()
        .insert(Tagged::at(endpoint.version));
    response
}
