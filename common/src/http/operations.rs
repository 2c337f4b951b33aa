//! The operations port of every process: `/livez`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Doorkeeper, serve};
use crate::telemetry::metrics;

/// What a process answers on its operations port.
pub trait Operations: Send + Sync + 'static {
    /// Why the process cannot do its work now; empty when it can.
    fn unready(&self) -> impl Future<Output = Vec<String>> + Send;

    /// Brings gauges up to date before they are read.
    fn observe(&self) -> impl Future<Output = ()> + Send;
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
    let doorkeeper = Doorkeeper::unshared();
    serve(
        listener,
        doorkeeper,
        service,
        shutdown,
        Duration::from_secs(1),
    )
    .await;
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
