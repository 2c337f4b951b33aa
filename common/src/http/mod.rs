//! Serving HTTP/1 and HTTP/2: an accept loop that takes nothing for granted, and the operations port of
//! every process.
//!
//! A connection is held only for a client that uses it:
//! - accepted connections are counted, in all and per network ([`Doorkeeper`]); one too many is closed
//!   at once;
//! - from the accept to the head of the first request a client has [`FIRST_REQUEST_SECONDS_MAX`], for
//!   each further head [`HEADER_READ_SECONDS_MAX`], and between requests [`IDLE_CONNECTION_SECONDS_MAX`];
//! - of a response that is ready, some bytes are taken every [`RESPONSE_STALL_SECONDS_MAX`], by the
//!   socket (HTTP/1) or by the stream's window (HTTP/2).
//!
//! `axum::serve` sets none of these. How fast a request's body arrives is judged where bodies are read.

mod activity;
mod connection;
mod doorkeeper;
mod operations;
mod watched;

pub use doorkeeper::Doorkeeper;
pub use operations::{Operations, serve_operations};

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::connection::Connection;
use crate::limits::{
    HEADER_READ_SECONDS_MAX, HTTP1_BUFFER_BYTES_MAX, HTTP2_HEADER_BYTES_MAX, HTTP2_SEND_BYTES_MAX,
    HTTP2_STREAMS_MAX, HTTP2_WINDOW_BYTES, SOCKET_SEND_BUFFER_BYTES,
};

/// Serves connections until the token is cancelled, then waits up to `drain` for open requests.
/// `service` makes the service of one connection from its peer's address.
pub async fn serve<F, S, B>(
    listener: TcpListener,
    doorkeeper: Doorkeeper,
    service: F,
    shutdown: CancellationToken,
    drain: Duration,
) where
    F: Fn(SocketAddr) -> S,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let builder = builder();
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: let some connections end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Some(place) = doorkeeper.admit(peer.ip()) else {
            continue;
        };
        prepare(&stream);
        let connection = Connection::new(&builder, stream, service(peer), place);
        let stop = shutdown.clone();
        connections.spawn(connection.run(stop));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(drain, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!("Some requests did not finish in time");
    }
}

/// The settings of both protocols.
fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEADER_READ_SECONDS_MAX))
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(20))
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(HTTP2_HEADER_BYTES_MAX)
        .max_send_buf_size(HTTP2_SEND_BYTES_MAX)
        .initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_WINDOW_BYTES);
    builder
}

/// Small messages leave at once, and the kernel holds only so much for a client that reads slowly.
/// Either may fail on a connection that is gone already.
fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_send_buffer_size(SOCKET_SEND_BUFFER_BYTES);
}
