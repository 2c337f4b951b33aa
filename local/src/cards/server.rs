//! An accept loop that can hang up: a handler's answer may be to drop the connection.

use std::io;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::limits;

/// In a response: send nothing and close.
#[derive(Debug, Clone, Copy)]
pub(super) struct HangUp;

pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        // A client that is gone before it is accepted concerns nobody else.
        let Ok((stream, _)) = stream else { continue };
        let router = router.clone();
        let service = service_fn(move |request| answer(router.clone(), request));
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // The client sees its own protocol errors; there is nobody to tell here.
            let _ = connection.await;
        });
    }
    drop(listener);
    // Requests still under way after the grace are cut: their clients repeat them.
    let _ = tokio::time::timeout(limits::HTTP_STOP_GRACE, connections.shutdown()).await;
}

async fn answer(router: Router, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let service = TowerToHyperService::new(router);
    let Ok(response) = hyper::service::Service::call(&service, request).await;
    if response.extensions().get::<HangUp>().is_some() {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    Ok(response)
}
