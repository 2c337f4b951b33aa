//! The whole stack: private servers, migrated database, the three services, in one folder.
//!
//! Starts in the order of dependence and stops in reverse. Every child, server or service, comes
//! back when it dies. A second start of the same folder has the same data, secrets and, while
//! they are free, ports.

mod environment;
mod home;
mod start;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::accounts::{Accounts, AccountsError, ApiKeys};
use crate::cards::{Sandbox, SandboxError};
use crate::github::GitHubSandbox;
use crate::limits;
use crate::postgres::PostgresError;
use crate::process::ProcessError;
use crate::receiver::Receiver;
use crate::redis::RedisError;
use crate::s3::{LocalS3, S3StartError};
use crate::supervise::{Notice, Supervised};
use crate::terminal::Terminal;
use home::Home;
use start::{Starting, reserve_ports};

pub use home::HomeError;

/// What to start and where.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Data, logs, pid files, `stack.env`; created when missing.
    pub folder: PathBuf,
    /// Holds `awareness-api`, `awareness-worker` and `awareness-scheduler`.
    pub programs: PathBuf,
    /// The API's port, an error if it is taken; 0 takes a free one, none the remembered or usual one.
    pub port: Option<u16>,
    /// Forget the old data.
    pub fresh: bool,
}

/// Why the stack is not there. What had been started is stopped again.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error(transparent)]
    S3(#[from] S3StartError),
    #[error(transparent)]
    Cards(#[from] SandboxError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("the webhook receiver did not start")]
    Receiver(#[source] io::Error),
    #[error("no free port")]
    Port(#[source] io::Error),
    #[error("port {0} is taken")]
    PortTaken(u16),
    #[error("{name} keeps ending; its log is {log}")]
    KeepsEnding { name: &'static str, log: PathBuf },
    #[error(
        "{name} was not ready after {:?}; its log is {log}",
        limits::SERVICE_READY_SECONDS_MAX
    )]
    NotReady { name: &'static str, log: PathBuf },
}

/// Where operators look at each service: `/livez`, `/readyz`, `/metrics`.
#[derive(Debug, Clone)]
pub struct OpsUrls {
    pub api: String,
    pub worker: String,
    pub scheduler: String,
}

/// A supervised process and its name.
type Child = (&'static str, Supervised);

/// A running stack.
#[derive(Debug)]
pub struct Stack {
    pub folder: PathBuf,
    pub terminal: Terminal,
    pub base_url: String,
    pub keys: ApiKeys,
    pub admin_token: String,
    pub ops: OpsUrls,
    /// Of the login that owns the schema: no service is given it.
    pub migration_database_url: String,
    /// Of the services' login.
    pub database_url: String,
    pub redis_url: String,
    pub s3: LocalS3,
    pub receiver: Receiver,
    pub cards: Sandbox,
    pub github: GitHubSandbox,
    /// From the start of the launcher to the first answer of the API.
    pub first_answer_after: Duration,
    /// In the order in which they were started, as are the services.
    servers: Vec<Child>,
    services: Vec<Child>,
    _notices: AbortOnDropHandle<()>,
    // Last, because the lock must outlive everything that it protects.
    _home: Home,
}

impl Stack {
    /// Starts everything and returns when the API has answered and all services are ready.
    pub async fn start(
        options: StackOptions,
        accounts: &dyn Accounts,
        terminal: Terminal,
    ) -> Result<Self, StackError> {
        let (home, leftover) = Home::open(&options.folder, options.fresh).await?;
        if leftover {
            terminal.line("launcher", "stopped what an earlier run had left behind");
        }
        let mut memory = home.recall()?;
        let reserved = reserve_ports(&mut memory.ports, options.port)?;
        let (notices, listener) = mpsc::unbounded_channel();
        let listener = AbortOnDropHandle::new(tokio::spawn(print(listener, terminal)));
        let starting = Starting {
            home: &home,
            notices,
            terminal,
        };

        let servers = starting.servers(&mut memory).await?;
        let keys = starting.keys(accounts, &mut memory, &servers).await?;
        let (database_url, redis_url) = (servers.database_url, servers.redis_url);
        let migration_database_url = servers.migration_database_url;
        let environment = environment::of_services(&memory, &database_url, &redis_url);
        drop(reserved);
        let services = starting.services(&options.programs, environment, &memory.ports);
        let (first_answer_after, services) = services.await?;
        let stack_env = environment::stack_env(&memory, &keys, &database_url, &redis_url);
        home.write("stack.env", &stack_env)?;
        Ok(Self {
            folder: home.folder().to_owned(),
            terminal,
            base_url: environment::url(memory.ports.api),
            keys,
            admin_token: memory.admin_token,
            ops: OpsUrls {
                api: environment::url(memory.ports.api_ops),
                worker: environment::url(memory.ports.worker_ops),
                scheduler: environment::url(memory.ports.scheduler_ops),
            },
            migration_database_url,
            database_url,
            redis_url,
            s3: servers.s3,
            receiver: servers.receiver,
            cards: servers.cards,
            github: servers.github,
            first_answer_after,
            servers: vec![("postgres", servers.postgres), ("redis", servers.redis)],
            services,
            _notices: listener,
            _home: home,
        })
    }

    /// Stops everything in reverse order; children that do not end in their grace are killed.
    pub async fn stop(self) {
        let Self {
            terminal,
            s3,
            receiver,
            cards,
            github,
            servers,
            services,
            _home,
            ..
        } = self;
        stop_children(services, terminal).await;
        cards.stop().await;
        github.stop();
        receiver.stop().await;
        s3.stop().await;
        stop_children(servers, terminal).await;
    }
}

async fn stop_children(children: Vec<Child>, terminal: Terminal) {
    for (name, child) in children.into_iter().rev() {
        let clean = child.stop().await;
        terminal.line(
            name,
            if clean {
                "stopped"
            } else {
                "did not stop in time and was killed"
            },
        );
    }
}

async fn print(mut notices: mpsc::UnboundedReceiver<Notice>, terminal: Terminal) {
    while let Some(notice) = notices.recv().await {
        terminal.notice(&notice);
    }
}
