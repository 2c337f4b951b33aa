//! Serving HTTP: an accept loop with deadlines, and the operations port of every process.
//!
//! `axum::serve` sets no header timeout, so a silent client would hold its connection for ever.
//! This loop gives each connection [`HEADER_READ_SECONDS_MAX`] for a request's head, bounds how many
//! there are, and on shutdown lets each finish the request it is at.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::limits::{CONNECTIONS_MAX, HEADER_READ_SECONDS_MAX};
use crate::telemetry::metrics;

/// What a process answers on its operations port.
pub trait Operations: Send + Sync + 'static {
    /// Why the process cannot do its work now; empty when it can.
    fn unready(&self) -> impl Future<Output = Vec<String>> + Send;

    /// Brings gauges up to date before they are read.
    fn observe(&self) -> impl Future<Output = ()> + Send;
}

/// Serves connections until the token is cancelled, then waits up to `drain` for open requests.
/// `service` makes the service of one connection from its peer's address.
pub async fn serve<F, S, B>(
    listener: TcpListener,
    service: F,
    shutdown: CancellationToken,
    drain: Duration,
) where
    F: Fn(std::net::SocketAddr) -> S,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await.expect("never closed");
                (slot, listener.accept().await)
            } => accepted,
        };
        let (slot, Ok((stream, peer))) = accepted else {
            // Out of file descriptors, most likely: let some connections end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(HEADER_READ_SECONDS_MAX))
            .max_buf_size(64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Duration::from_secs(20))
            .max_concurrent_streams(100);
        let connection = builder
            .serve_connection_with_upgrades(TokioIo::new(stream), service(peer))
            .into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "A connection broke");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("Some requests did not finish in time");
    }
}

/// Serves `/livez`, `/readyz` and `/metrics`.
pub async fn serve_operations<O: Operations>(
    listener: TcpListener,
    operations: Arc<O>,
    shutdown: CancellationToken,
) {
    let service = |_| {
        let operations = Arc::clone(&operations);
        service_fn(move |request: Request<Incoming>| {
            let operations = Arc::clone(&operations);
            async move { Ok::<_, Infallible>(answer(&*operations, request.uri().path()).await) }
        })
    };
    serve(listener, service, shutdown, Duration::from_secs(1)).await;
}

async fn answer<O: Operations>(operations: &O, path: &str) -> Response<Full<Bytes>> {
    match path {
        "/livez" => text(StatusCode::OK, "text/plain", "alive\n".to_owned()),
        "/readyz" => {
            let faults = operations.unready().await;
            if faults.is_empty() {
                text(StatusCode::OK, "text/plain", "ready\n".to_owned())
            } else {
                text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "text/plain",
                    faults.join("\n") + "\n",
                )
            }
        }
        "/metrics" => {
            operations.observe().await;
            text(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                metrics().render(),
            )
        }
        _ => text(
            StatusCode::NOT_FOUND,
            "text/plain",
            "there are /livez, /readyz and /metrics\n".to_owned(),
        ),
    }
}

fn text(status: StatusCode, content_type: &str, body: String) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Full::new(Bytes::from(body)))
        .expect("constant headers are sound")
}
