//! A scripted receiver on a raw socket, because misbehaviour is what it is for.
//!
//! It counts connections, hands over the requests it read and tells when its peer went away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Waiting longer than this for a signal fails the test.
const SIGNAL_DEADLINE: Duration = Duration::from_secs(30);

/// What happens on each connection.
#[derive(Debug, Clone)]
pub enum Script {
    /// Answers every request and keeps the connection.
    Answer(String),
    /// Reads one request, writes this and closes.
    AnswerThenClose(String),
    /// Reads one request, writes this and waits for the peer to go away.
    AnswerThenHold(String),
    /// Reads one request and resets the connection.
    Reset,
}

/// A complete 200 answer.
pub fn ok(body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}")
}

#[derive(Debug, Clone)]
struct Signals {
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedSender<String>,
    closed: mpsc::UnboundedSender<()>,
}

/// A running receiver; it stops when dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<String>,
    closed: mpsc::UnboundedReceiver<()>,
    accepting: JoinHandle<()>,
}

impl Receiver {
    pub async fn start(ip: &str, script: Script) -> Self {
        Self::start_on(ip, 0, script).await
    }

    pub async fn start_on(ip: &str, port: u16, script: Script) -> Self {
        Self::serve(ip, port, script, None).await
    }

    /// Answers 200 over TLS with a self-signed certificate for `name`, which is returned.
    pub async fn start_tls(ip: &str, name: &str) -> (Self, CertificateDer<'static>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let receiver = Self::serve(ip, 0, Script::Answer(ok("")), Some(acceptor)).await;
        (receiver, certificate)
    }

    async fn serve(ip: &str, port: u16, script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((ip, port)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (request_sender, requests) = mpsc::unbounded_channel();
        let (closed_sender, closed) = mpsc::unbounded_channel();
        let signals = Signals {
            connections: Arc::default(),
            requests: request_sender,
            closed: closed_sender,
        };
        Self {
            address,
            connections: Arc::clone(&signals.connections),
            requests,
            closed,
            accepting: tokio::spawn(accept(listener, script, tls, signals)),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The next request as it was on the wire.
    pub async fn next_request(&mut self) -> String {
        let request = tokio::time::timeout(SIGNAL_DEADLINE, self.requests.recv());
        request.await.unwrap().unwrap()
    }

    /// Returns when the peer has closed a held connection.
    pub async fn closed_by_peer(&mut self) {
        let closed = tokio::time::timeout(SIGNAL_DEADLINE, self.closed.recv());
        closed.await.unwrap().unwrap();
    }

    /// Closes the port and returns the URL that led to it.
    pub async fn stop(mut self) -> String {
        self.accepting.abort();
        let ended = (&mut self.accepting).await;
        assert!(ended.unwrap_err().is_cancelled());
        self.url()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, script: Script, tls: Option<TlsAcceptor>, signals: Signals) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        signals.connections.fetch_add(1, Ordering::SeqCst);
        let (script, tls, signals) = (script.clone(), tls.clone(), signals.clone());
        tokio::spawn(async move {
            match tls {
                None if matches!(script, Script::Reset) => reset(stream).await,
                None => play(stream, &script, &signals).await,
                Some(tls) => {
                    // A peer that does not believe our certificate goes away here.
                    if let Ok(stream) = tls.accept(stream).await {
                        play(stream, &script, &signals).await;
                    }
                }
            }
        });
    }
}

async fn reset(mut stream: TcpStream) {
    read_request(&mut stream).await;
    stream.set_zero_linger().unwrap();
}

async fn play(mut stream: impl AsyncRead + AsyncWrite + Unpin, script: &Script, signals: &Signals) {
    while let Some(request) = read_request(&mut stream).await {
        // The test may have what it wanted and be gone.
        let _ = signals.requests.send(request);
        match script {
            Script::Answer(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            Script::AnswerThenClose(answer) => {
                stream.write_all(answer.as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
                return;
            }
            Script::AnswerThenHold(answer) => {
                stream.write_all(answer.as_bytes()).await.unwrap();
                while matches!(stream.read(&mut [0; 64]).await, Ok(count) if count > 0) {}
                let _ = signals.closed.send(());
                return;
            }
            Script::Reset => unreachable!("resets are played on the bare socket"),
        }
    }
}

/// Head and body of the next request, or `None` when the peer is done.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text.into_owned());
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(count) if count > 0 => {}
            _ => return None,
        }
    }
}
