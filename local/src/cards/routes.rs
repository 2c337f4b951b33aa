//! The routes: who asks, what the book answers, and how that reaches the caller.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::book::{Manner, Outcome, Reply};
use super::fault::Fault;
use super::form::Form;
use super::reversal::{Reversal, ReversalStatus};
use super::server::HangUp;
use super::{Shared, lock};
use crate::limits;
use crate::private_file::random_hex;

const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    let api = Router::new()
        .route("/v1/payment_intents", post(change))
        .route("/v1/payment_intents/{id}", get(retrieve))
        .route("/v1/payment_intents/{id}/confirm", post(change))
        .route("/v1/payment_intents/{id}/cancel", post(change))
        .route("/v1/disputes", get(list_disputes))
        .route("/v1/disputes/{id}", post(answer_dispute))
        .route("/v1/refunds", get(list_refunds))
        .layer(from_fn_with_state(shared.clone(), authenticate));
    Router::new()
        .merge(api)
        .route("/sandbox/payment_intents", get(show))
        .route("/sandbox/payment_intents/{id}/complete", post(complete))
        .route("/sandbox/payment_intents/{id}/dispute", post(dispute))
        .route("/sandbox/payment_intents/{id}/refund", post(refund))
        .route("/sandbox/disputes/{id}/close", post(close_dispute))
        .fallback(no_route)
        .method_not_allowed_fallback(no_route)
        .layer(DefaultBodyLimit::max(limits::CARD_BODY_BYTES_MAX))
        .with_state(shared)
}

async fn authenticate(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let value = headers.get(AUTHORIZATION);
    let key = value
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let fault = match key {
        Some(_) if shared.is_key_revoked.load(Ordering::SeqCst) => "Expired API Key provided.",
        Some(key) if key == shared.secret_key => return next.run(request).await,
        Some(_) => "Invalid API Key provided.",
        None => "You did not provide an API key, in a Bearer token.",
    };
    refuse(&Fault::unauthorized(fault))
}

/// Any POST of the API.
async fn change(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let media_type = text(CONTENT_TYPE.as_str()).unwrap_or_default();
    if !body.is_empty() && !media_type.starts_with(FORM) {
        return refuse(&Fault::invalid(format!(
            "Invalid request (check that your POST content type is {FORM})."
        )));
    }
    let form = Form::parse(&body);
    let key = text("idempotency-key");
    let changed = shared.change(|book| book.post(uri.path(), form, key)).await;
    match changed {
        Ok(reply) => send(&shared, reply).await,
        Err(error) => refuse(&Fault::not_kept(&error.to_string())),
    }
}

async fn retrieve(State(shared): State<Arc<Shared>>, Path(id): Path<String>) -> Response {
    let book = lock(&shared.book);
    match book.find(&id) {
        Ok(intent) => Json(intent.to_json()).into_response(),
        Err(fault) => refuse(&fault),
    }
}

/// Everything, for whoever wants to know that nobody was charged twice.
async fn show(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let book = lock(&shared.book);
    let intents = book.intents().map(|intent| {
        let mut object = intent.to_json();
        object["client_secret"] = Value::Null;
        object
    });
    let intents: Vec<Value> = intents.collect();
    let reversals: Vec<Value> = book.reversals.iter().map(Reversal::to_json).collect();
    Json(json!({"charges": book.charges(), "paymentIntents": intents, "reversals": reversals}))
}

async fn complete(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let outcome = match Form::parse(&body).get("outcome") {
        Some("succeed") => Outcome::Succeed,
        Some("fail") => Outcome::Fail,
        _ => return refuse(&Fault::missing("outcome")),
    };
    match shared.change(|book| book.complete(&id, outcome)).await {
        Ok(Ok(intent)) => Json(intent.to_json()).into_response(),
        Ok(Err(fault)) => refuse(&fault),
        Err(error) => refuse(&Fault::not_kept(&error.to_string())),
    }
}

/// Of which payment a list is.
#[derive(Deserialize)]
struct ListQuery {
    payment_intent: String,
}

async fn list_disputes(shared: State<Arc<Shared>>, query: Query<ListQuery>) -> Response {
    list(&shared, &query, true)
}

async fn list_refunds(shared: State<Arc<Shared>>, query: Query<ListQuery>) -> Response {
    list(&shared, &query, false)
}

fn list(shared: &Shared, query: &ListQuery, are_disputes: bool) -> Response {
    let book = lock(&shared.book);
    let found = book.reversals_of(&query.payment_intent, are_disputes);
    let data: Vec<Value> = found.into_iter().map(Reversal::to_json).collect();
    Json(json!({"object": "list", "data": data, "has_more": false})).into_response()
}

async fn answer_dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    let evidence = form.get("evidence[uncategorized_text]");
    let status = ReversalStatus::UnderReview;
    moved(
        shared
            .change(|book| book.move_dispute(&id, status, evidence))
            .await,
    )
}

/// A cardholder disputes a payment.
async fn dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let form = Form::parse(&body);
    let amount = form.get("amount").and_then(|text| text.parse().ok());
    let status = match form.get("status") {
        Some("inquiry") => ReversalStatus::WarningNeedsResponse,
        _ => ReversalStatus::NeedsResponse,
    };
    moved(
        shared
            .change(|book| book.reverse(&id, amount, status))
            .await,
    )
}

/// Somebody refunds a payment in the provider's dashboard.
async fn refund(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let amount = Form::parse(&body)
        .get("amount")
        .and_then(|text| text.parse().ok());
    let status = ReversalStatus::Succeeded;
    moved(
        shared
            .change(|book| book.reverse(&id, amount, status))
            .await,
    )
}

/// The bank decides.
async fn close_dispute(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let status = match Form::parse(&body).get("outcome") {
        Some("won") => ReversalStatus::Won,
        Some("lost") => ReversalStatus::Lost,
        _ => return refuse(&Fault::missing("outcome")),
    };
    moved(
        shared
            .change(|book| book.move_dispute(&id, status, None))
            .await,
    )
}

fn moved(moved: std::io::Result<Result<Reversal, Fault>>) -> Response {
    match moved {
        Ok(Ok(reversal)) => Json(reversal.to_json()).into_response(),
        Ok(Err(fault)) => refuse(&fault),
        Err(error) => refuse(&Fault::not_kept(&error.to_string())),
    }
}

async fn no_route(method: Method, uri: Uri) -> Response {
    refuse(&Fault::no_route(method.as_str(), uri.path()))
}

async fn send(shared: &Shared, reply: Reply) -> Response {
    match reply.manner {
        Manner::Answer => shape(reply),
        Manner::HangUp => Extension(HangUp).into_response(),
        Manner::Silence => {
            let stopped = shared.stop.cancelled();
            // Either end is one for the caller: no answer.
            let _ = tokio::time::timeout(limits::CARD_SILENCE, stopped).await;
            Extension(HangUp).into_response()
        }
    }
}

fn refuse(fault: &Fault) -> Response {
    shape(Reply::fault(fault))
}

fn shape(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).expect("a status of ours is a status");
    let request_id = [("request-id", format!("req_{}", random_hex::<7>()))];
    let replayed = reply.is_replay.then_some([("idempotent-replayed", "true")]);
    (status, request_id, replayed, Json(reply.body)).into_response()
}
