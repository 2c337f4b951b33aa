//! A whole stack of real processes, to be hurt and looked at from outside and from behind.
//!
//! The programs are those of this build: `cargo build --bins` must have run, as `./test` does.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use common::config::{Env, StorageConfig};
use common::db::PgPool;
use common::reqwest;
use common::storage::Storage;
use local::accounts::CommonAccounts;
use local::stack::{Stack, StackOptions};
use local::terminal::Terminal;
use sqlx::postgres::PgPoolOptions;
use tempfile::TempDir;

/// A part of the stack that can be killed, by the name of its pid file.
pub const PROCESSES: [&str; 5] = ["api", "worker", "scheduler", "redis", "postgres"];
/// Between two looks at something that sends no signal.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A running stack in a folder of its own, and direct ways to its stores.
#[derive(Debug)]
pub struct TestStack {
    pub stack: Stack,
    pub pool: PgPool,
    pub storage: Storage,
    pub http: reqwest::Client,
    // Last: the folder goes after what runs in it.
    _folder: TempDir,
}

impl TestStack {
    /// Starts everything with the programs of this build.
    pub async fn start() -> Self {
        // Fails only if another test was faster.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a temporary folder");
        // PostgreSQL's own user must pass.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
            .expect("our own folder");
        let options = StackOptions {
            folder: folder.path().join("stack"),
            programs: programs(),
            // Any free one: the usual port would go to whoever serves while a test has killed the API.
            port: Some(0),
            fresh: false,
        };
        let stack = Stack::start(options, &CommonAccounts, Terminal::new())
            .await
            .expect("the stack starts");
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy(&superuser_url(&stack))
            .expect("a sound address");
        Self {
            storage: storage(&stack),
            pool,
            http: reqwest::Client::new(),
            stack,
            _folder: folder,
        }
    }

    /// Stops everything.
    pub async fn stop(self) {
        self.pool.close().await;
        self.stack.stop().await;
    }

    /// The process id of a part; none while it is down.
    #[must_use]
    pub fn pid(&self, name: &str) -> Option<u32> {
        let path = self.stack.folder.join("pids").join(name);
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    }

    /// Sends a signal to a part if it is up. The supervisor brings it back.
    pub fn signal(&self, name: &str, signal: &str) -> bool {
        self.pid(name).is_some_and(|pid| {
            Command::new("kill")
                .args([format!("-{signal}"), pid.to_string()])
                .status()
                .is_ok_and(|status| status.success())
        })
    }

    /// Waits until a part runs.
    pub async fn until_up(&self, name: &str) -> u32 {
        loop {
            match self.pid(name) {
                Some(pid) => return pid,
                None => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }

    /// Waits until what was killed is gone and another runs in its place.
    pub async fn until_replaced(&self, name: &str, old: u32) -> u32 {
        loop {
            let pid = self.until_up(name).await;
            if pid != old {
                return pid;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Runs a statement and answers how many rows it touched.
    pub async fn run(&self, sql: &'static str) -> u64 {
        let done = sqlx::query(sql).execute(&self.pool).await;
        done.expect("a sound statement").rows_affected()
    }

    /// Runs one command in Redis.
    pub async fn redis(&self, command: &str) -> redis::RedisResult<()> {
        let client = redis::Client::open(self.stack.redis_url.as_str())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(command).exec_async(&mut connection).await
    }
}

/// Looks until there is something to see.
pub async fn eventually<T, F>(mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    loop {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// `target/debug`, where the test's own folder `deps` is.
fn programs() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a test lies in target/*/deps")
        .to_owned();
    for name in ["api", "worker", "scheduler"] {
        let program = folder.join(format!("awareness-{name}"));
        assert!(
            program.exists(),
            "run `cargo build --bins` first: there is no {}",
            program.display()
        );
    }
    folder
}

/// The database as the private server's superuser, who is known in its folder alone.
fn superuser_url(stack: &Stack) -> String {
    let file = stack.folder.join("postgres/password");
    let password = std::fs::read_to_string(file).expect("made with the server");
    let (_, address) = stack
        .migration_database_url
        .split_once('@')
        .expect("an address with a login");
    format!("postgres://awareness:{}@{address}", password.trim())
}

/// The store, reached as `stack.env` says.
fn storage(stack: &Stack) -> Storage {
    let text =
        std::fs::read_to_string(stack.folder.join("stack.env")).expect("written at the start");
    let variables: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut env = Env::new(move |name| variables.get(name).cloned());
    let config = StorageConfig::from_env(&mut env);
    Storage::new(&env.finish(config).expect("the stack names its store"))
}
