//! An S3 endpoint in this process, over a folder.
//!
//! Owns the listener, the credentials check and the switchable faults; the store is s3s-fs
//! behind [`guard::Guard`], which adds what content-addressed uploads rely on: a refused PUT
//! changes nothing, `If-None-Match: *` has one winner, a reader never sees half an object.
//! Not for production: no fsync, no replication, keys of at most about 115 bytes.

mod copy;
mod edge;
mod faults;
mod guard;
mod keys;
mod verified;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use faults::S3Faults;

use crate::{limits, ports};

/// Where to listen, where to store and who may enter.
#[derive(Debug, Clone)]
pub struct S3Options {
    /// Created when missing.
    pub folder: PathBuf,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    pub access_key: String,
    pub secret_key: String,
    /// Created when missing.
    pub buckets: Vec<String>,
}

impl S3Options {
    /// A throw-away endpoint on a free loopback port.
    pub fn sandbox(folder: impl Into<PathBuf>, bucket: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            access_key: "sandbox".to_owned(),
            secret_key: "sandbox-secret".to_owned(),
            buckets: vec![bucket.into()],
        }
    }
}

/// Why the endpoint did not start.
#[derive(Debug, thiserror::Error)]
pub enum S3StartError {
    #[error("the S3 folder {folder} cannot be used")]
    Folder { folder: PathBuf, source: io::Error },
    #[error("the S3 store cannot be opened: {0}")]
    Store(String),
    #[error("the S3 endpoint cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
}

/// A running endpoint. Dropping it stops it without waiting for requests under way.
#[derive(Debug)]
pub struct LocalS3 {
    address: SocketAddr,
    faults: S3Faults,
    stop: CancellationToken,
    server: JoinHandle<()>,
}

impl LocalS3 {
    /// Creates folder and buckets, binds, and serves in the background.
    pub async fn start(options: S3Options) -> Result<Self, S3StartError> {
        for bucket in &options.buckets {
            let folder = options.folder.join(bucket);
            std::fs::create_dir_all(&folder)
                .map_err(|source| S3StartError::Folder { folder, source })?;
        }
        let store = guard::Guard::open(&options.folder)?;
        let mut builder = S3ServiceBuilder::new(store);
        builder.set_auth(SimpleAuth::from_single(
            &options.access_key,
            options.secret_key.as_str(),
        ));
        let listener = ports::listen(options.listen).await;
        let listen_error = |source| S3StartError::Listen {
            address: options.listen,
            source,
        };
        let listener = listener.map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let faults = S3Faults::default();
        let stop = CancellationToken::new();
        let service = faults::Faulty::new(edge::Edge::new(builder.build()), faults.clone());
        let server = tokio::spawn(serve(listener, service, stop.clone()));
        Ok(Self {
            address,
            faults,
            stop,
            server,
        })
    }

    /// `http://127.0.0.1:<port>`; buckets are path segments.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that is really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The switches for injected faults.
    pub fn faults(&self) -> &S3Faults {
        &self.faults
    }

    /// Stops accepting, lets requests under way finish, and closes.
    pub async fn stop(mut self) {
        self.stop.cancel();
        // A panic of the accept loop has nothing left to stop.
        let _ = (&mut self.server).await;
    }
}

impl Drop for LocalS3 {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, service: faults::Faulty, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    let http = auto::Builder::new(TokioExecutor::new());
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        // A client that is gone before it is accepted concerns nobody else.
        let Ok((stream, _)) = stream else { continue };
        let _ = stream.set_nodelay(true);
        let connection = http
            .serve_connection(TokioIo::new(stream), service.clone())
            .into_owned();
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
