//! How each part of the stack is started, and in which order. Stops nothing itself: what had been
//! started when a later part fails is stopped by being dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::home::{CARD_BOOK, Home, Memory, Ports, SERVICES};
use super::{Child, StackError, environment};
use crate::accounts::{Access, Accounts, ApiKeys};
use crate::cards::{Sandbox, SandboxOptions};
use crate::github::GitHubSandbox;
use crate::ports::{self, Reserved};
use crate::postgres::{PostgresOptions, PrivatePostgres};
use crate::process::{ProcessError, Signal, Spec};
use crate::receiver::Receiver;
use crate::redis::{PrivateRedis, RedisOptions};
use crate::s3::{LocalS3, S3Options};
use crate::supervise::{Notice, Service, Supervised};
use crate::terminal::Terminal;
use crate::{limits, readiness};

/// The API's port when nothing else is asked for or remembered, and it is free.
const API_PORT: u16 = 8080;
/// The database of the stack.
const DATABASE: &str = "awareness";
/// A service that ended this often before it was ready will not become ready.
const STARTS_MAX: u64 = 3;

/// The ports of the services, kept from others until the services start.
pub(super) fn reserve_ports(
    ports: &mut Ports,
    api: Option<u16>,
) -> Result<Reserved<4>, StackError> {
    if let Some(port) = api.filter(|port| !ports::is_free(*port)) {
        return Err(StackError::PortTaken(port));
    }
    let remembered = if ports.api == 0 { API_PORT } else { ports.api };
    let api = api.unwrap_or(remembered);
    let wishes = [api, ports.api_ops, ports.worker_ops, ports.scheduler_ops];
    let reserved = ports::reserve(wishes).map_err(StackError::Port)?;
    [
        ports.api,
        ports.api_ops,
        ports.worker_ops,
        ports.scheduler_ops,
    ] = reserved.ports();
    Ok(reserved)
}

/// What every part of the start needs.
pub(super) struct Starting<'a> {
    pub(super) home: &'a Home,
    pub(super) notices: UnboundedSender<Notice>,
    pub(super) terminal: Terminal,
}

/// What the services need, running.
pub(super) struct Servers {
    pub(super) postgres: Supervised,
    pub(super) redis: Supervised,
    pub(super) s3: LocalS3,
    pub(super) receiver: Receiver,
    pub(super) cards: Sandbox,
    pub(super) github: GitHubSandbox,
    pub(super) migration_database_url: String,
    pub(super) database_url: String,
    pub(super) redis_url: String,
}

impl Starting<'_> {
    /// All servers at once; remembers where they listen.
    pub(super) async fn servers(&self, memory: &mut Memory) -> Result<Servers, StackError> {
        let ((postgres, database), (redis, cache), s3, receiver, cards, github) = tokio::try_join!(
            self.postgres(memory.ports.postgres),
            self.redis(memory.ports.redis),
            self.s3(memory),
            self.receiver(memory.ports.receiver),
            self.cards(memory),
            self.github(memory),
        )?;
        memory.ports.postgres = database.port();
        memory.ports.redis = cache.port();
        memory.ports.s3 = s3.address().port();
        memory.ports.receiver = receiver.address().port();
        memory.ports.cards = cards.address().port();
        memory.ports.github = github.address().port();
        self.home.remember(memory)?;
        let migration_database_url = database.migrator_url(DATABASE);
        let (database_url, redis_url) = (database.services_url(DATABASE), cache.url());
        Ok(Servers {
            postgres,
            redis,
            s3,
            receiver,
            cards,
            github,
            migration_database_url,
            database_url,
            redis_url,
        })
    }

    /// Migrates, and remembers the keys of the two users.
    pub(super) async fn keys(
        &self,
        accounts: &dyn Accounts,
        memory: &mut Memory,
        servers: &Servers,
    ) -> Result<ApiKeys, StackError> {
        let access = Access {
            migration_database_url: &servers.migration_database_url,
            database_url: &servers.database_url,
            master_key: &memory.master_key,
        };
        accounts.migrate(access).await?;
        let keys = accounts
            .ensure_keys(access, memory.api_keys.clone())
            .await?;
        memory.api_keys = Some(keys.clone());
        self.home.remember(memory)?;
        servers.receiver.trust_api_key(&keys.seller);
        servers.receiver.trust_api_key(&keys.buyer);
        self.terminal
            .line("database", "migrated; the users seller and buyer have keys");
        Ok(keys)
    }

    async fn postgres(&self, port: u16) -> Result<(Supervised, PrivatePostgres), StackError> {
        let mut options =
            PostgresOptions::new(self.home.postgres_folder()?, self.home.log("postgres"));
        options.preferred_port = port;
        let server = PrivatePostgres::prepare(options).await?;
        let child = self.child("postgres", server.spec()).await?;
        server.create_database(DATABASE).await?;
        self.terminal.line(
            "postgres",
            &format!("serves on 127.0.0.1:{}", server.port()),
        );
        Ok((child, server))
    }

    async fn redis(&self, port: u16) -> Result<(Supervised, PrivateRedis), StackError> {
        let mut options = RedisOptions::new(self.home.path("redis"), self.home.log("redis"));
        options.preferred_port = port;
        let server = PrivateRedis::prepare(options).await?;
        let child = self.child("redis", server.spec()).await?;
        self.terminal
            .line("redis", &format!("serves on 127.0.0.1:{}", server.port()));
        Ok((child, server))
    }

    async fn s3(&self, memory: &Memory) -> Result<LocalS3, StackError> {
        let port = ports::free(memory.ports.s3).map_err(StackError::Port)?;
        let server = LocalS3::start(S3Options {
            folder: self.home.path("s3"),
            listen: loopback(port),
            access_key: memory.s3_access_key.clone(),
            secret_key: memory.s3_secret_key.clone(),
            buckets: vec![environment::BUCKET.to_owned()],
        });
        let server = server.await?;
        self.terminal
            .line("s3", &format!("serves on {}", server.address()));
        Ok(server)
    }

    async fn receiver(&self, port: u16) -> Result<Receiver, StackError> {
        let port = ports::free(port).map_err(StackError::Port)?;
        let receiver = Receiver::start(loopback(port))
            .await
            .map_err(StackError::Receiver)?;
        self.terminal.line(
            "receiver",
            &format!("takes webhooks on {}", receiver.address()),
        );
        Ok(receiver)
    }

    async fn cards(&self, memory: &Memory) -> Result<Sandbox, StackError> {
        let port = ports::free(memory.ports.cards).map_err(StackError::Port)?;
        let api = environment::url(memory.ports.api);
        let sandbox = Sandbox::start(SandboxOptions {
            listen: loopback(port),
            secret_key: memory.card_key.clone(),
            webhook_secret: memory.card_webhook_secret.clone(),
            webhook_url: Some(format!("{api}/api/webhooks/stripe")),
            file: Some(self.home.path(CARD_BOOK)),
        });
        let sandbox = sandbox.await?;
        self.terminal.line(
            "cards",
            &format!("plays the card provider on {}", sandbox.address()),
        );
        Ok(sandbox)
    }

    async fn github(&self, memory: &Memory) -> Result<GitHubSandbox, StackError> {
        let port = ports::free(memory.ports.github).map_err(StackError::Port)?;
        let sandbox = GitHubSandbox::start(port).await.map_err(StackError::Port)?;
        self.terminal
            .line("github", &format!("plays GitHub on {}", sandbox.address()));
        Ok(sandbox)
    }

    /// All three at once; also the time of the API's first answer.
    pub(super) async fn services(
        &self,
        programs: &Path,
        environment: Vec<(String, String)>,
        ports: &Ports,
    ) -> Result<(Duration, Vec<Child>), StackError> {
        let [api, worker, scheduler] = SERVICES;
        let spec = |name: &str| Spec {
            program: programs.join(format!("awareness-{name}")),
            arguments: Vec::new(),
            environment: environment.clone(),
            folder: self.home.folder().to_owned(),
            owner: None,
            log: self.home.log(name),
            ready_line: None,
            stop_signal: Signal::TERM,
        };
        let first_answer = async {
            let child = self.service(api, spec(api), ports.api_ops).await?;
            let answered = readiness::status(loopback(ports.api), "/health").await;
            answered.map_err(|_| StackError::NotReady {
                name: api,
                log: self.home.log(api),
            })?;
            Ok((self.terminal.elapsed(), child))
        };
        let ((elapsed, api_child), worker_child, scheduler_child) = tokio::try_join!(
            first_answer,
            self.service(worker, spec(worker), ports.worker_ops),
            self.service(scheduler, spec(scheduler), ports.scheduler_ops),
        )?;
        Ok((
            elapsed,
            vec![
                (api, api_child),
                (worker, worker_child),
                (scheduler, scheduler_child),
            ],
        ))
    }

    /// Starts one service and waits until `/readyz` on its ops port answers 200.
    async fn service(
        &self,
        name: &'static str,
        spec: Spec,
        ops_port: u16,
    ) -> Result<Supervised, StackError> {
        let child = self.child(name, spec).await?;
        let ready = readiness::until_ok(loopback(ops_port), "/readyz");
        tokio::select! {
            ready = tokio::time::timeout(limits::SERVICE_READY_SECONDS_MAX, ready) => {
                ready.map_err(|_| StackError::NotReady { name, log: self.home.log(name) })?;
            }
            _ = child.until(|state| state.starts > STARTS_MAX) => {
                return Err(StackError::KeepsEnding { name, log: self.home.log(name) });
            }
        }
        self.terminal.line(name, "is ready");
        Ok(child)
    }

    async fn child(&self, name: &'static str, spec: Spec) -> Result<Supervised, ProcessError> {
        let pid_file = self.home.pid_file(name);
        let service = Service {
            name,
            spec,
            pid_file,
            stop_grace: limits::STOP_GRACE,
        };
        Supervised::start(service, self.notices.clone()).await
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
