//! Lets a client that is still sending read why it was refused.
//!
//! A request can be answered before its body was read: a wrong key, a wrong field, too many bytes. To
//! close the connection then would reset it, and most clients would see the reset instead of the
//! answer. So what is left of the body is read and thrown away for a while, behind the answer.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header;
use common::admission::Admission;
use common::limits::{LINGER_BYTES_MAX, LINGER_SECONDS_MAX};
use futures::{Stream, StreamExt as _};

use crate::places::Holders;
use crate::state::ApiState;

/// Wraps the body so that its rest is read when its handler drops it, if there is a place for that.
pub fn linger(state: &ApiState, request: Request) -> Request {
    // A client that expects an answer first sends nothing until it is told to.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return request;
    }
    let (head, body) = request.into_parts();
    let body = Body::from_stream(Lingering {
        body: Some(body.into_data_stream()),
        places: state.places.lingering.clone(),
        holders: Holders::of(state, &head.extensions),
    });
    Request::from_parts(head, body)
}

/// A body until its end.
struct Lingering {
    body: Option<BodyDataStream>,
    places: Admission,
    holders: Holders,
}

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let next = body.poll_next_unpin(context);
        if !matches!(next, Poll::Ready(Some(Ok(_))) | Poll::Pending) {
            self.body = None;
        }
        next
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(mut rest) = self.body.take() else {
            return;
        };
        // Without a place the connection is reset: whoever has too many of these sends too much.
        let Ok(place) = self.holders.take(&self.places, "refused bodies") else {
            return;
        };
        let patience = Duration::from_secs(LINGER_SECONDS_MAX);
        tokio::spawn(tokio::time::timeout(patience, async move {
            let _place = place;
            let mut read_bytes = 0;
            while let Some(Ok(chunk)) = rest.next().await
                && read_bytes < LINGER_BYTES_MAX
            {
                read_bytes += chunk.len() as u64;
            }
        }));
    }
}
