//! One connection, from its accept to its end.

use std::convert::Infallible;
use std::pin::Pin;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::activity::{Activity, Standing};
use super::doorkeeper::close;
use super::watched::WatchedBody;
use crate::admission::Place;

/// A connection that is told to end without a request under way may still say so to its client.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that was admitted.
pub(super) struct Connection<C> {
    protocol: Pin<Box<C>>,
    activity: Activity,
    _place: Place,
}

impl Connection<()> {
    /// Joins a stream and a service.
    pub fn new<S, B>(
        builder: &Builder<TokioExecutor>,
        stream: TcpStream,
        service: S,
        place: Place,
    ) -> Connection<impl GracefulConnection<Error: std::fmt::Display> + Send + use<S, B>>
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send + 'static,
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let activity = Activity::new();
        let service = Watching {
            inner: service,
            activity: activity.clone(),
        };
        let protocol = builder
            .serve_connection(TokioIo::new(stream), service)
            .into_owned();
        Connection {
            protocol: Box::pin(protocol),
            activity,
            _place: place,
        }
    }
}

impl<C: GracefulConnection<Error: std::fmt::Display>> Connection<C> {
    /// Serves its requests until the client goes, is told to go, or has used up our patience.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut is_stopping = false;
        let mut farewell = None;
        loop {
            let look = match (farewell, self.activity.standing()) {
                (Some(end), _) => end,
                (None, Standing::Fine { until }) => until,
                (None, Standing::Idle) => {
                    close("idle");
                    self.protocol.as_mut().graceful_shutdown();
                    *farewell.insert(Instant::now() + FAREWELL)
                }
                (None, Standing::Stalled) => return close("stalled"),
            };
            tokio::select! {
                ended = self.protocol.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "A connection broke");
                    }
                    return;
                }
                () = shutdown.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    self.protocol.as_mut().graceful_shutdown();
                }
                () = sleep_until(look) => if farewell.is_some() { return },
            }
        }
    }
}

/// A service whose requests and responses are watched.
struct Watching<S> {
    inner: S,
    activity: Activity,
}

impl<S, B> Service<Request<Incoming>> for Watching<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<WatchedBody<B>>;
    type Error = Infallible;
    type Future =
        Pin<Box<dyn Future<Output = Result<Response<WatchedBody<B>>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let ongoing = self.activity.begin();
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await?;
            Ok(response.map(|body| WatchedBody::new(body, ongoing)))
        })
    }
}
