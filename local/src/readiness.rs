//! Asks a loopback HTTP server how it is. Speaks just enough HTTP/1.1 to read a status.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::limits;

/// The status that the server answers to `GET path`.
pub async fn status(address: SocketAddr, path: &str) -> io::Result<u16> {
    let answer = tokio::time::timeout(limits::PROBE_TIMEOUT, ask(address, path));
    let answer = answer
        .await
        .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an HTTP answer"))
}

/// Returns when `GET path` answers 200. Bound it with a timeout: nothing tells us of the moment,
/// so the question is repeated.
pub async fn until_ok(address: SocketAddr, path: &str) {
    while status(address, path).await.ok() != Some(200) {
        tokio::time::sleep(limits::READINESS_INTERVAL).await;
    }
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(limits::PROBE_BYTES_MAX)
        .read_to_end(&mut answer)
        .await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
