//! The one reader of every body: bytes are counted as they arrive, whatever was declared and however they
//! are framed, and a body that comes too slowly is given up.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use common::limits::{BODY_WINDOW_BYTES_MIN, BODY_WINDOW_SECONDS};
use futures::{Stream, StreamExt as _};
use thiserror::Error;
use tokio::time::{Instant, Sleep};

use crate::error::{ApiError, Code};

const WINDOW: Duration = Duration::from_secs(BODY_WINDOW_SECONDS);

/// Why a body did not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArrivalError {
    #[error("The body has more than {bytes_max} bytes, which is the most that this address takes")]
    TooLarge { bytes_max: u64 },
    #[error(
        "Fewer than {BODY_WINDOW_BYTES_MIN} bytes of the body came within {BODY_WINDOW_SECONDS} s"
    )]
    TooSlow,
    #[error("The body did not arrive within {seconds} s")]
    TooLate { seconds: u64 },
    #[error("The body broke off")]
    BrokeOff,
}

impl From<ArrivalError> for ApiError {
    fn from(error: ArrivalError) -> Self {
        let code = match error {
            ArrivalError::TooLarge { .. } => Code::PayloadTooLarge,
            ArrivalError::TooSlow | ArrivalError::TooLate { .. } | ArrivalError::BrokeOff => {
                Code::RequestTimeout
            }
        };
        Self::new(code, format!("{error}."))
    }
}

/// A body on its way in.
pub struct Arriving {
    chunks: BodyDataStream,
    left: u64,
    bytes_max: u64,
    pace: Pace,
}

impl Arriving {
    /// A body of which at most so many bytes are taken.
    pub fn new(body: Body, bytes_max: u64) -> Self {
        Self {
            chunks: body.into_data_stream(),
            left: bytes_max,
            bytes_max,
            pace: Pace::new(),
        }
    }

    /// The next bytes; none at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, ArrivalError> {
        self.next().await.transpose()
    }

    /// The whole of a small body.
    pub async fn whole(mut self, deadline: Duration) -> Result<Bytes, ArrivalError> {
        let reading = async {
            let first = self.chunk().await?.unwrap_or_default();
            let Some(second) = self.chunk().await? else {
                return Ok(first);
            };
            let mut whole = [first, second].concat();
            while let Some(chunk) = self.chunk().await? {
                whole.extend_from_slice(&chunk);
            }
            Ok(Bytes::from(whole))
        };
        let seconds = deadline.as_secs();
        tokio::time::timeout(deadline, reading)
            .await
            .unwrap_or(Err(ArrivalError::TooLate { seconds }))
    }
}

impl Stream for Arriving {
    type Item = Result<Bytes, ArrivalError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = match self.chunks.poll_next_unpin(context) {
            Poll::Pending => return self.pace.poll_wait(context).map(|slow| Some(Err(slow))),
            Poll::Ready(next) => next,
        };
        Poll::Ready(next.map(|chunk| {
            let chunk = chunk.map_err(|_| ArrivalError::BrokeOff)?;
            let bytes_max = self.bytes_max;
            self.pace.note(chunk.len() as u64);
            self.left = self
                .left
                .checked_sub(chunk.len() as u64)
                .ok_or(ArrivalError::TooLarge { bytes_max })?;
            Ok(chunk)
        }))
    }
}

/// How fast a client sends: of the time that we wait for it, each window must bring a least number of
/// bytes. What we take to work on them is not held against the client.
struct Pace {
    waited: Duration,
    bytes: u64,
    waiting_since: Option<Instant>,
    alarm: Pin<Box<Sleep>>,
}

impl Pace {
    fn new() -> Self {
        Self {
            waited: Duration::ZERO,
            bytes: 0,
            waiting_since: None,
            alarm: Box::pin(tokio::time::sleep(WINDOW)),
        }
    }

    /// Bytes came.
    fn note(&mut self, bytes: u64) {
        self.bytes += bytes;
        if let Some(since) = self.waiting_since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Waits on; ready when the client has been too slow.
    fn poll_wait(&mut self, context: &mut Context<'_>) -> Poll<ArrivalError> {
        loop {
            let now = Instant::now();
            let since = *self.waiting_since.get_or_insert(now);
            let waited = self.waited + (now - since);
            if waited < WINDOW {
                self.alarm.as_mut().reset(now + (WINDOW - waited));
                if self.alarm.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                continue;
            }
            if self.bytes < BODY_WINDOW_BYTES_MIN {
                return Poll::Ready(ArrivalError::TooSlow);
            }
            self.bytes = 0;
            self.waited = Duration::ZERO;
            self.waiting_since = Some(now);
        }
    }
}
