//! A sandbox card provider: speaks the PaymentIntents protocol of Stripe's public documentation.
//!
//! Serves `/v1/payment_intents` on loopback, honours `Idempotency-Key`, sends signed webhooks, and
//! behaves by the payment method it is given ([`method`]): pays, declines, asks for action, falls
//! silent, hangs up, is late. It moves no money; it counts who would have been charged, so that a test
//! can prove that nobody was charged twice. What it has answered survives a restart, in one JSON
//! file; a webhook that is not delivered when it stops is lost, which receivers must bear anyway.
//!
//! Beside the protocol: `GET /sandbox/payment_intents` shows everything,
//! `POST /sandbox/payment_intents/{id}/complete` with `outcome=succeed` or `outcome=fail` ends what
//! waits for the buyer or the bank. `tests/tests/cards.rs` tests the product's client against it.

mod book;
mod courier;
mod fault;
mod file;
mod form;
mod intent;
pub mod method;
mod reversal;
mod reversing;
mod routes;
mod server;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use common::config::{CardAccount, CardConfig};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use book::{Charge, Outcome};
pub use intent::{Intent, Status};
pub use reversal::{Reversal, ReversalStatus};

use crate::{limits, ports};
use book::Book;
use courier::Courier;
use file::Saver;

/// What a sandbox starts with.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The bearer token of its one customer.
    pub secret_key: String,
    /// Signs its webhooks.
    pub webhook_secret: String,
    /// Where its webhooks go; see also [`Sandbox::send_webhooks_to`].
    pub webhook_url: Option<String>,
    /// Where its state is kept; none keeps it in memory.
    pub file: Option<PathBuf>,
}

impl Default for SandboxOptions {
    /// For tests: a free port, well-known secrets, no webhooks, nothing kept.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            secret_key: "sk_test_sandbox".to_owned(),
            webhook_secret: "whsec_sandbox".to_owned(),
            webhook_url: None,
            file: None,
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the card sandbox cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error("the card sandbox cannot use {path}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} is damaged; `--fresh` starts anew")]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// Why a payment was not completed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReleaseError(String);

/// What all requests share.
#[derive(Debug)]
struct Shared {
    secret_key: String,
    is_key_revoked: AtomicBool,
    book: Arc<Mutex<Book>>,
    courier: Courier,
    saver: Option<Saver>,
    stop: CancellationToken,
}

impl Shared {
    /// Runs one command on the book, sends what it tells, and returns when it is kept.
    async fn change<T>(&self, command: impl FnOnce(&mut Book) -> T) -> io::Result<T> {
        let result = {
            let mut book = lock(&self.book);
            let result = command(&mut book);
            // Under the lock, so that events leave in the order in which they happened.
            self.courier.send(book.take_told());
            result
        };
        match &self.saver {
            Some(saver) => saver.save().await.map(|()| result),
            None => Ok(result),
        }
    }
}

/// A running sandbox. Dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    webhook_secret: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Sandbox {
    /// Recalls its state, binds, and serves in the background.
    pub async fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let book = match &options.file {
            Some(path) => file::load(path)?,
            None => Book::default(),
        };
        let book = Arc::new(Mutex::new(book));
        let fail = |source| SandboxError::Listen {
            address: options.listen,
            source,
        };
        let listener = ports::listen(options.listen).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        let stop = CancellationToken::new();
        let courier = Courier::start(options.webhook_secret.clone(), stop.clone());
        courier.send_to(options.webhook_url);
        let shared = Arc::new(Shared {
            secret_key: options.secret_key,
            is_key_revoked: AtomicBool::new(false),
            saver: options.file.map(|path| Saver::start(path, book.clone())),
            book,
            courier,
            stop: stop.clone(),
        });
        let router = routes::router(shared.clone());
        Ok(Self {
            address,
            webhook_secret: options.webhook_secret,
            shared,
            server: tokio::spawn(server::serve(listener, router, stop)),
        })
    }

    /// The address that is really bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`, the `STRIPE_BASE_URL` of its customers.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a customer of this sandbox is configured with.
    pub fn card_config(&self) -> CardConfig {
        CardConfig {
            account: Some(CardAccount {
                secret_key: self.shared.secret_key.as_str().into(),
                webhook_secret: self.webhook_secret.as_str().into(),
            }),
            base_url: self.url().parse().expect("an address is a URL"),
            ..CardConfig::default()
        }
    }

    /// Where webhooks go from now on; none throws them away.
    pub fn send_webhooks_to(&self, url: Option<String>) {
        self.shared.courier.send_to(url);
    }

    /// Whether the key is taken any more, as when an operator revokes it at the provider.
    pub fn revoke_key(&self, is_revoked: bool) {
        self.shared
            .is_key_revoked
            .store(is_revoked, Ordering::SeqCst);
    }

    /// Every time that money would have moved, oldest first.
    pub fn charges(&self) -> Vec<Charge> {
        lock(&self.shared.book).charges().to_vec()
    }

    /// Every payment, oldest first.
    pub fn intents(&self) -> Vec<Intent> {
        lock(&self.shared.book).intents().cloned().collect()
    }

    /// Takes money of a payment back, or asks for it, as the control endpoints do: what it is called.
    pub async fn reverse(
        &self,
        intent_id: &str,
        amount_minor: i64,
        status: ReversalStatus,
    ) -> Result<String, ReleaseError> {
        let reverse = |book: &mut Book| book.reverse(intent_id, Some(amount_minor), status);
        self.reversed(self.shared.change(reverse).await)
    }

    /// Moves a dispute on, or decides it.
    pub async fn move_dispute(
        &self,
        id: &str,
        status: ReversalStatus,
    ) -> Result<String, ReleaseError> {
        let moved = |book: &mut Book| book.move_dispute(id, status, None);
        self.reversed(self.shared.change(moved).await)
    }

    /// Every dispute and refund, oldest first.
    pub fn reversals(&self) -> Vec<Reversal> {
        lock(&self.shared.book).reversals.clone()
    }

    fn reversed(
        &self,
        reversed: io::Result<Result<Reversal, fault::Fault>>,
    ) -> Result<String, ReleaseError> {
        let reversed = reversed.map_err(|error| ReleaseError(error.to_string()))?;
        let reversed = reversed.map_err(|fault| ReleaseError(fault.message))?;
        Ok(reversed.id)
    }

    /// Ends a payment that waits for the buyer or the bank, as the control endpoint does.
    pub async fn release(&self, intent_id: &str, outcome: Outcome) -> Result<(), ReleaseError> {
        let complete = |book: &mut Book| book.complete(intent_id, outcome);
        let completed = self.shared.change(complete).await;
        let completed = completed.map_err(|error| ReleaseError(error.to_string()))?;
        completed
            .map(|_| ())
            .map_err(|fault| ReleaseError(fault.message))
    }

    /// Stops accepting, hangs up on whom it keeps waiting, and closes.
    pub async fn stop(mut self) {
        self.shared.stop.cancel();
        // What does not finish in time is cut with the runtime.
        let _ = tokio::time::timeout(limits::HTTP_STOP_GRACE, &mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
