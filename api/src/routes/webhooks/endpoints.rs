//! `/api/ai/webhooks/endpoints`: registered, listed, changed, deleted.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use common::ids::EndpointId;
use common::secrecy::ExposeSecret as _;
use common::webhooks::WebhookError;
use common::webhooks::endpoints::commands::{self, Change, NewEndpoint};
use common::webhooks::endpoints::{
    self, EndpointFilter, EndpointState, Settings, Source, Stats, newest_secret,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint_body::{EndpointBody, SecretText, secret};
use super::endpoint_id;
use super::endpoint_view::{Endpoint, EndpointPage, answer};
use crate::contract::{Answer, Cacheable, NoContent};
use crate::entity_tag::Tagged;
use crate::error::{ApiError, Code};
use crate::extract::{Caller, IdempotencyHeader, IfMatch, Json, Path, Query, read_json};
use crate::routes::page::{self, PageCursor, ShortLimit};
use crate::state::ApiState;

const ENDPOINT: &str = "webhook-endpoints";

/// An endpoint right after it was registered.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RegisteredEndpoint {
    #[serde(flatten)]
    endpoint: Endpoint,
    /// The secret. No other answer shows it; null in the answer to a repeated request.
    #[schemars(with = "Option<SecretText>")]
    secret: Option<String>,
}

/// Registers an endpoint. Its secret is in this answer, and in no other: not in that to a repetition.
pub async fn create_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    idempotency: IdempotencyHeader,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer<RegisteredEndpoint>, ApiError> {
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
    let secret = if created.is_replay {
        None
    } else {
        let secret = newest_secret(state.pool(), &state.sealer, id).await?;
        Some(secret.to_text().expose_secret().to_owned())
    };
    let registered = RegisteredEndpoint {
        endpoint: Endpoint::from(&endpoint),
        secret,
    };
    let answer = Answer::created(registered, &format!("/api/ai/webhooks/endpoints/{id}"))
        .tagged(Tagged::at(endpoint.version));
    Ok(answer.replayed_if(created.is_replay))
}

/// Which of the caller's endpoints.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointQuery {
    /// `registered`, which is the default, or those that requests named.
    source: Option<Source>,
    /// Only endpoints in this state.
    status: Option<EndpointState>,
    cursor: Option<PageCursor>,
    limit: Option<ShortLimit>,
}

/// The caller's registered endpoints, newest first; with `source=request` those that requests named.
pub async fn list_endpoints(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Query(query): Query<EndpointQuery>,
) -> Result<Answer<EndpointPage>, ApiError> {
    let filter = EndpointFilter {
        owner: principal.user,
        source: query.source.unwrap_or(Source::Registered),
        state: query.status,
        before: page::cursor(query.cursor.as_ref(), EndpointId::parse)?,
        limit: page::rows(query.limit)?,
    };
    let found = endpoints::list(state.pool(), &filter).await?;
    let next = page::next(&found, filter.limit, |endpoint| endpoint.id);
    Ok(Answer::ok(EndpointPage {
        endpoints: found.iter().map(Endpoint::from).collect(),
        next_cursor: next,
    }))
}

/// One of them.
pub async fn get_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Cacheable<Endpoint>, ApiError> {
    let endpoint = endpoints::find(state.pool(), endpoint_id(&id)?, principal.user).await?;
    Ok(Cacheable(answer(&endpoint)))
}

/// Changes what the body names, if the endpoint is at a version that the caller has seen.
pub async fn change_endpoint(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    if_match: Result<IfMatch, ApiError>,
    Path(id): Path<String>,
    Json(body): Json<EndpointBody>,
) -> Result<Answer<Endpoint>, ApiError> {
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
) -> Result<NoContent, ApiError> {
    commands::delete(&state.outbox, endpoint_id(&id)?, principal.user).await?;
    Ok(NoContent)
}

/// How an endpoint did in the last 28 days.
pub async fn get_stats(
    State(state): State<ApiState>,
    Caller(principal): Caller,
    Path(id): Path<String>,
) -> Result<Answer<Stats>, ApiError> {
    let endpoint = endpoints::find(state.pool(), endpoint_id(&id)?, principal.user).await?;
    Ok(Answer::ok(
        endpoints::stats(state.pool(), endpoint.id).await?,
    ))
}
