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
use common::limits::JSON_BODY_BYTES_MAX;
use futures::{Stream, StreamExt as _};

/// A refused client may go on sending this long.
const LINGER: Duration = Duration::from_secs(10);
/// And this much: several times the largest body that is taken, for those who sent too much.
const LINGER_BYTES_MAX: u64 = 4 * JSON_BODY_BYTES_MAX;

/// Wraps the body so that its rest is read when its handler drops it.
pub fn linger(request: Request) -> Request {
    // A client that expects an answer first sends nothing until it is told to.
    if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
        return request;
    }
    let (head, body) = request.into_parts();
    let body = Body::from_stream(Lingering(Some(body.into_data_stream())));
    Request::from_parts(head, body)
}

/// A body until its end.
struct Lingering(Option<BodyDataStream>);

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let next = body.poll_next_unpin(context);
        if !matches!(next, Poll::Ready(Some(Ok(_))) | Poll::Pending) {
            self.0 = None;
        }
        next
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(mut rest) = self.0.take() else {
            return;
        };
        tokio::spawn(tokio::time::timeout(LINGER, async move {
            let mut read_bytes = 0;
            while let Some(Ok(chunk)) = rest.next().await
                && read_bytes < LINGER_BYTES_MAX
            {
                read_bytes += chunk.len() as u64;
            }
        }));
    }
}
