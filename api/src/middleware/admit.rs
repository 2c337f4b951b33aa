//! Admits requests: first their small body arrives, then they take a place, then they are handled.
//!
//! So a client that declares a body and does not send it holds nothing of what others need, and what
//! cannot be served soon is refused at once, so that what is under way ends in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use common::admission::{Admission, Place};
use common::limits::SMALL_BODY_SECONDS_MAX;
use hyper::body::Frame;

use super::deadline::deadline;
use crate::error::ApiError;
use crate::places::{Holders, Places, holding};
use crate::receive::{ArrivalError, Arriving};
use crate::state::ApiState;

/// How a kind of request is admitted.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    /// Seconds until its response must be ready.
    pub seconds_max: u64,
    /// Bytes of the largest body; none if its handler reads the body as it arrives.
    pub body_bytes_max: Option<usize>,
    /// What it takes a place of.
    pub takes: Takes,
}

/// What a request takes a place of, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing here: health, and what operators do, is never refused for want of a place; what receives
    /// packages takes a place of its own kind.
    Nothing,
    /// A request, until its response is ready and what it started has ended.
    Request,
    /// A wait, until its response is ready.
    Wait,
    /// A stream, until its response has ended.
    Stream,
}

impl Takes {
    fn places(self, places: &Places) -> Option<(&Admission, &'static str)> {
        match self {
            Self::Nothing => None,
            Self::Request => Some((&places.requests, "requests")),
            Self::Wait => Some((&places.waits, "waiting requests")),
            Self::Stream => Some((&places.streams, "event streams")),
        }
    }
}

/// Lets a request in, until its deadline.
pub async fn admit(
    State((state, door)): State<(ApiState, Door)>,
    request: Request,
    next: Next,
) -> Response {
    let limit = Duration::from_secs(door.seconds_max);
    deadline(limit, handled(&state, door, request, next)).await
}

async fn handled(state: &ApiState, door: Door, request: Request, next: Next) -> Response {
    match admitted(state, door, request).await {
        Err(error) => error.into_response(),
        Ok((request, Some(place))) if door.takes == Takes::Stream => {
            let response = next.run(request).await;
            response.map(|body| {
                Body::new(Held {
                    body,
                    _place: place,
                })
            })
        }
        Ok((request, place)) => holding(place, next.run(request)).await,
    }
}

async fn admitted(
    state: &ApiState,
    door: Door,
    request: Request,
) -> Result<(Request, Option<Place>), ApiError> {
    let holders = Holders::of(state, request.extensions());
    let request = match door.body_bytes_max {
        Some(bytes_max) if !request.body().is_end_stream() => {
            arrived(state, bytes_max as u64, &holders, request).await?
        }
        _ => request,
    };
    let place = door.takes.places(&state.places);
    let place = place.map(|(places, what)| holders.take(places, what));
    Ok((request, place.transpose()?))
}

/// The request with its whole body.
async fn arrived(
    state: &ApiState,
    bytes_max: u64,
    holders: &Holders,
    request: Request,
) -> Result<Request, ApiError> {
    if declared_bytes(&request).is_some_and(|declared| declared > bytes_max) {
        return Err(ArrivalError::TooLarge { bytes_max }.into());
    }
    let _place = holders.take(&state.places.bodies, "bodies")?;
    let (head, body) = request.into_parts();
    let deadline = Duration::from_secs(SMALL_BODY_SECONDS_MAX);
    let whole = Arriving::new(body, bytes_max).whole(deadline).await?;
    Ok(Request::from_parts(head, Body::from(whole)))
}

fn declared_bytes(request: &Request) -> Option<u64> {
    let declared = request.headers().get(header::CONTENT_LENGTH)?;
    declared.to_str().ok()?.parse().ok()
}

/// A body that holds a place until it has ended.
struct Held {
    body: Body,
    _place: Place,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }
}
