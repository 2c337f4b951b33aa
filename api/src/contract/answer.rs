//! Good answers: a status, typed data, and the headers that go with them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::handler::{Output, Signature};
use super::schemas::WireType;
use crate::routes::success;

/// A good answer.
#[derive(Debug)]
pub struct Answer<T> {
    status: StatusCode,
    data: T,
    headers: Vec<(HeaderName, HeaderValue)>,
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
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let mut response = success(self.status, self.data);
        response.headers_mut().extend(self.headers);
        response
    }
}

impl<T: JsonSchema> Output for Answer<T> {
    fn describe(signature: &mut Signature) {
        signature.data = Some(WireType::of::<T>());
    }
}

/// The answer of an operation that can be tried out.
#[derive(Debug)]
pub enum Tried<T> {
    Done(Answer<T>),
    /// With `?dryRun=true`: it would have been done.
    DryRun(DryRunOutcome),
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

impl<T: Serialize> IntoResponse for Tried<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Done(answer) => answer.into_response(),
            Self::DryRun(dry_run) => Answer::ok(dry_run).into_response(),
        }
    }
}

impl<T: JsonSchema> Output for Tried<T> {
    fn describe(signature: &mut Signature) {
        Answer::<T>::describe(signature);
    }
}
