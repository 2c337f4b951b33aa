//! Responses that tell how their client reads: a body and its chunks report to the connection's activity.
//!
//! hyper asks a body for a chunk, queues it, and advances it as the socket or the stream's window takes
//! bytes. So a request is under way until its last chunk is dropped, and a client that takes nothing is
//! seen whichever protocol it speaks.

use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use hyper::body::{Body, Frame, SizeHint};

use super::activity::Ongoing;

/// The body of a response.
pub(super) struct WatchedBody<B> {
    inner: B,
    ongoing: Arc<Ongoing>,
}

impl<B> WatchedBody<B> {
    /// A body whose head is ready to be sent.
    pub fn new(inner: B, ongoing: Arc<Ongoing>) -> Self {
        ongoing.wait_for_client();
        Self { inner, ongoing }
    }
}

impl<B: Body + Unpin> Body for WatchedBody<B> {
    type Data = WatchedData<B::Data>;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(context);
        match &polled {
            Poll::Pending => self.ongoing.wait_for_us(),
            Poll::Ready(_) => self.ongoing.wait_for_client(),
        }
        polled.map_ok(|frame| {
            frame.map_data(|inner| WatchedData {
                inner,
                ongoing: Arc::clone(&self.ongoing),
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A chunk of a body, until its last byte is taken.
pub(super) struct WatchedData<D> {
    inner: D,
    ongoing: Arc<Ongoing>,
}

impl<D: Buf> Buf for WatchedData<D> {
    fn remaining(&self) -> usize {
        self.inner.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.inner.chunk()
    }

    fn chunks_vectored<'a>(&'a self, target: &mut [IoSlice<'a>]) -> usize {
        self.inner.chunks_vectored(target)
    }

    fn advance(&mut self, count: usize) {
        self.inner.advance(count);
        if self.inner.has_remaining() {
            self.ongoing.wait_for_client();
        }
    }
}
