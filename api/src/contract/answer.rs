//! Good answers: a status, typed data, and the headers that go with them.

use std::marker::PhantomData;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::handler::{Output, Signature};
use super::schemas::WireType;
use crate::entity_tag::Tagged;
use crate::routes::success;

/// A good answer.
#[derive(Debug)]
pub struct Answer<T> {
    status: StatusCode,
    data: T,
    headers: Vec<(HeaderName, HeaderValue)>,
    tag: Option<Tagged>,
}

impl<T> Answer<T> {
    /// 200.
    pub fn ok(data: T) -> Self {
        Self::with(StatusCode::OK, data)
    }

    /// 201, with the address of what was made.
    pub fn created(data: T, location: &str) -> Self {
        let location = HeaderValue::from_str(location).expect("addresses of ours are plain text");
        Self::with(StatusCode::CREATED, data).header(header::LOCATION, location)
    }

    /// Another status.
    pub fn with(status: StatusCode, data: T) -> Self {
        Self {
            status,
            data,
            headers: Vec::new(),
            tag: None,
        }
    }

    /// What is under way is followed at that address, from a second on.
    pub fn followed_at(self, location: &str) -> Self {
        let location = HeaderValue::from_str(location).expect("addresses of ours are plain text");
        self.header(header::LOCATION, location)
            .header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// No cache may keep it.
    pub fn uncached(self) -> Self {
        self.header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    /// With the mark of the answer to a repeated request, if it is one.
    pub fn replayed_if(self, is_replay: bool) -> Self {
        if !is_replay {
            return self;
        }
        let name = HeaderName::from_static("idempotent-replayed");
        self.header(name, HeaderValue::from_static("true"))
    }

    /// With an entity tag.
    pub fn tagged(mut self, tag: Tagged) -> Self {
        self.tag = Some(tag);
        self
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = success(self.status, self.data);
        response.headers_mut().extend(self.headers);
        if let Some(tag) = self.tag {
            response.extensions_mut().insert(tag);
        }
        response
    }
}

impl<T: JsonSchema> Output for Answer<T> {
    fn describe(signature: &mut Signature) {
        signature.data = Some(WireType::of::<T>());
    }
}

/// A good answer with an entity tag: 304 for who knows it.
#[derive(Debug)]
pub struct Cacheable<T>(pub Answer<T>);

impl<T: Serialize> IntoResponse for Cacheable<T> {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl<T: JsonSchema> Output for Cacheable<T> {
    fn describe(signature: &mut Signature) {
        Answer::<T>::describe(signature);
        signature.headers.push("If-None-Match");
        signature.is_tagged = true;
    }
}

/// A good answer without our envelope, as others expect it.
#[derive(Debug)]
pub struct Bare<T>(pub T);

impl<T: Serialize> IntoResponse for Bare<T> {
    fn into_response(self) -> Response {
        Json(self.0).into_response()
    }
}

impl<T: JsonSchema> Output for Bare<T> {
    fn describe(signature: &mut Signature) {
        signature.bare = Some(WireType::of::<T>());
    }
}

/// A response that is ready: it was written before, or is one of several forms. Its data is known to the
/// document alone.
#[derive(Debug)]
pub struct Ready<T> {
    response: Response,
    data: PhantomData<fn() -> T>,
}

impl<T> Ready<T> {
    pub fn new(response: impl IntoResponse) -> Self {
        Self {
            response: response.into_response(),
            data: PhantomData,
        }
    }

    /// With a note for the layers around it.
    pub fn noting(mut self, note: impl Clone + Send + Sync + 'static) -> Self {
        self.response.extensions_mut().insert(note);
        self
    }
}

impl<T> IntoResponse for Ready<T> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<T: JsonSchema> Output for Ready<T> {
    fn describe(signature: &mut Signature) {
        Cacheable::<T>::describe(signature);
    }
}

/// 204.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl Output for NoContent {
    fn describe(_: &mut Signature) {}
}

/// The answer of an operation that can be tried out.
#[derive(Debug)]
pub enum Tried<T, Outcome = DryRunOutcome> {
    Done(Answer<T>),
    /// With `?dryRun=true`: what would have been done.
    DryRun(Outcome),
}

/// What a dry run answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRunOutcome {
    /// Always true: nothing was changed.
    dry_run: bool,
    /// Always true: what would be refused is refused.
    would_succeed: bool,
    /// The same for people.
    message: &'static str,
}

impl<T> Tried<T> {
    /// It would have been done.
    pub const DRY_RUN: Self = Self::DryRun(DryRunOutcome {
        dry_run: true,
        would_succeed: true,
        message: "This would have been done. Nothing was changed.",
    });
}

impl<T: Serialize, Outcome: Serialize> IntoResponse for Tried<T, Outcome> {
    fn into_response(self) -> Response {
        match self {
            Self::Done(answer) => answer.into_response(),
            Self::DryRun(outcome) => Answer::ok(outcome).into_response(),
        }
    }
}

impl<T: JsonSchema, Outcome: JsonSchema> Output for Tried<T, Outcome> {
    fn describe(signature: &mut Signature) {
        Answer::<T>::describe(signature);
        signature.dry_run = Some(WireType::of::<Outcome>());
    }
}
