//! The whole stack with stand-ins for the services: starts, heals, stops, and remembers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use local::accounts::{Access, Accounts, AccountsError, ApiKeys};
use local::stack::{HomeError, Stack, StackError, StackOptions};
use local::terminal::Terminal;
use tokio::signal::unix::{SignalKind, signal};

const DEADLINE: Duration = Duration::from_secs(60);

/// Plays one service: answers 200 to everything on its addresses until SIGTERM.
#[tokio::test]
#[ignore = "run by the stack as its services"]
async fn stand_in() {
    let mut stop = signal(SignalKind::terminate()).unwrap();
    for variable in std::env::var("STAND_IN_FOR").unwrap().split(' ') {
        let address: SocketAddr = std::env::var(variable).unwrap().parse().unwrap();
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let router = axum::Router::new().fallback(|| async { "fine" });
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    stop.recv().await;
}

/// Written by a process of its own: a child that another test forks meanwhile would hold the file
/// open for writing, and the kernel runs no such file.
fn place_program(path: &Path, content: &[u8]) {
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    install.stdin.take().unwrap().write_all(content).unwrap();
    assert!(install.wait().unwrap().success());
}

struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    /// Open to all, so that PostgreSQL's user may pass when we are root.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let programs = folder.path().join("programs");
        std::fs::create_dir(&programs).unwrap();
        let test = std::env::current_exe().unwrap();
        for (name, variables) in [
            ("api", "API_LISTEN API_OPS_LISTEN"),
            ("worker", "WORKER_OPS_LISTEN"),
            ("scheduler", "SCHEDULER_OPS_LISTEN"),
        ] {
            let script = format!(
                "#!/bin/sh\nSTAND_IN_FOR='{variables}' exec '{}' --exact stand_in --ignored\n",
                test.display()
            );
            let program = programs.join(format!("awareness-{name}"));
            place_program(&program, script.as_bytes());
        }
        Self { folder }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join(".local")
    }

    /// On any port: the usual one would be fought over by the tests.
    fn options(&self) -> StackOptions {
        let programs = self.folder.path().join("programs");
        StackOptions {
            folder: self.home(),
            programs,
            port: Some(0),
            fresh: false,
        }
    }

    async fn start(&self, options: StackOptions) -> Result<Stack, StackError> {
        let started = Stack::start(options, &FakeAccounts, Terminal::new());
        tokio::time::timeout(DEADLINE, started).await.unwrap()
    }

    fn environment(&self, name: &str) -> String {
        let script = format!(
            ". '{}/stack.env'; printf %s \"${name}\"",
            self.home().display()
        );
        String::from_utf8(
            Command::new("/bin/sh")
                .args(["-c", &script])
                .output()
                .unwrap()
                .stdout,
        )
        .unwrap()
    }

    fn pid(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.home().join("pids").join(name))
            .ok()
            .map(|pid| pid.trim().to_owned())
    }
}

struct FakeAccounts;

/// No two keys are alike, so that a key that stays was remembered.
static KEYS_MADE: AtomicUsize = AtomicUsize::new(0);

#[async_trait]
impl Accounts for FakeAccounts {
    async fn migrate(&self, access: Access<'_>) -> Result<(), AccountsError> {
        assert_eq!(access.master_key.len(), 64);
        assert!(psql(
            access.migration_database_url,
            "create table if not exists mark (n int)"
        ));
        Ok(())
    }

    async fn ensure_keys(
        &self,
        _: Access<'_>,
        known: Option<ApiKeys>,
    ) -> Result<ApiKeys, AccountsError> {
        let made = || ApiKeys {
            seller: format!(
                "ak_live_seller_{}",
                KEYS_MADE.fetch_add(1, Ordering::Relaxed)
            ),
            buyer: "ak_live_buyer".to_owned(),
        };
        Ok(known.unwrap_or_else(made))
    }
}

fn psql(url: &str, sql: &str) -> bool {
    Command::new("psql")
        .args([url, "--quiet", "--command", sql])
        .status()
        .unwrap()
        .success()
}

fn is_running(pid: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

async fn awaited<T>(look: impl Fn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, looking)
        .await
        .expect("it did not happen in time")
}

#[tokio::test]
async fn a_second_run_is_the_same_stack_and_a_fresh_one_is_not() {
    let sandbox = Sandbox::new();
    let first = sandbox.start(sandbox.options()).await.unwrap();
    let identity = |stack: &Stack| {
        (
            stack.base_url.clone(),
            stack.database_url.clone(),
            stack.redis_url.clone(),
            stack.cards.url(),
            stack.keys.clone(),
        )
    };
    let known = identity(&first);
    assert!(psql(&first.migration_database_url, "create table kept ()"));
    assert!(
        !psql(&first.database_url, "create table taken ()"),
        "the services make no tables"
    );
    assert_eq!(sandbox.environment("DATABASE_URL"), first.database_url);
    assert_eq!(sandbox.environment("AWARENESS_API_KEY"), first.keys.seller);
    assert_eq!(sandbox.environment("CARD_SANDBOX_URL"), first.cards.url());
    let mode = std::fs::metadata(sandbox.home().join("stack.env"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    first.stop().await;

    let remembered = StackOptions {
        port: None,
        ..sandbox.options()
    };
    let second = sandbox.start(remembered).await.unwrap();
    assert_eq!(identity(&second), known);
    assert!(psql(&second.migration_database_url, "select from kept"));
    println!(
        "warm start to first answer: {:?}",
        second.first_answer_after
    );
    second.stop().await;

    let fresh = sandbox
        .start(StackOptions {
            fresh: true,
            ..sandbox.options()
        })
        .await
        .unwrap();
    assert_ne!(fresh.database_url, known.1);
    assert!(!psql(&fresh.migration_database_url, "select from kept"));
    fresh.stop().await;
}

#[tokio::test]
async fn a_folder_from_before_statements_were_signed_gets_a_key_and_keeps_it() {
    let sandbox = Sandbox::new();
    sandbox.start(sandbox.options()).await.unwrap().stop().await;
    let state = sandbox.home().join("state.json");
    let read = || -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap()
    };
    let mut before = read();
    assert!(
        before
            .as_object_mut()
            .unwrap()
            .remove("signing_key")
            .is_some()
    );
    std::fs::write(&state, before.to_string()).unwrap();

    sandbox.start(sandbox.options()).await.unwrap().stop().await;
    let key = read()["signing_key"].as_str().unwrap().to_owned();
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(read()["master_key"], before["master_key"]);
    sandbox.start(sandbox.options()).await.unwrap().stop().await;
    assert_eq!(read()["signing_key"], key);
}

#[tokio::test]
async fn every_killed_child_comes_back_and_a_stop_leaves_none() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(sandbox.options()).await.unwrap();
    let names = ["api", "worker", "scheduler", "redis", "postgres"];
    for name in names {
        let old = sandbox.pid(name).unwrap();
        assert!(
            Command::new("kill")
                .args(["-9", &old])
                .status()
                .unwrap()
                .success()
        );
        awaited(|| sandbox.pid(name).filter(|new| *new != old)).await;
    }
    awaited(|| psql(&stack.database_url, "select 1").then_some(())).await;
    let pids = names.map(|name| sandbox.pid(name).unwrap());
    stack.stop().await;
    assert!(!pids.iter().any(|pid| is_running(pid)));
    assert!(names.iter().all(|name| sandbox.pid(name).is_none()));
}

#[tokio::test]
async fn a_second_launcher_says_who_is_serving() {
    let sandbox = Sandbox::new();
    let stack = sandbox.start(sandbox.options()).await.unwrap();
    let error = sandbox.start(sandbox.options()).await.unwrap_err();
    let own = std::process::id().to_string();
    assert!(
        matches!(&error, StackError::Home(HomeError::Serving { pid, .. }) if *pid == own),
        "{error}"
    );
    let port = stack.base_url.rsplit_once(':').unwrap().1.parse().unwrap();
    stack.stop().await;

    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let error = sandbox
        .start(StackOptions {
            port: Some(port),
            ..sandbox.options()
        })
        .await
        .unwrap_err();
    assert!(matches!(error, StackError::PortTaken(taken) if taken == port));
    drop(taken);
}

/// Runs as `awareness-worker` in `folder` until it is stopped.
fn leave_behind(folder: &Path, home: &Path, name: &str) -> std::process::Child {
    let program = folder.join("awareness-worker");
    place_program(&program, &std::fs::read("/bin/sleep").unwrap());
    let child = Command::new(&program)
        .arg("1000")
        .current_dir(folder)
        .spawn()
        .unwrap();
    std::fs::create_dir_all(home.join("pids")).unwrap();
    std::fs::write(home.join("pids").join(name), child.id().to_string()).unwrap();
    child
}

#[tokio::test]
async fn a_leftover_is_stopped_and_a_stranger_with_its_pid_is_not() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.home()).unwrap();
    let mut stranger = leave_behind(sandbox.folder.path(), &sandbox.home(), "worker");
    let stack = sandbox.start(sandbox.options()).await.unwrap();
    assert!(
        stranger.try_wait().unwrap().is_none(),
        "a process outside the folder was stopped"
    );
    stack.stop().await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();

    let mut leftover = leave_behind(&sandbox.home(), &sandbox.home(), "worker");
    // Reaped at once, as the system does with a child whose launcher is gone.
    let reaped = std::thread::spawn(move || leftover.wait().unwrap());
    let stack = sandbox.start(sandbox.options()).await.unwrap();
    assert!(reaped.is_finished() && !reaped.join().unwrap().success());
    stack.stop().await;
}

#[tokio::test]
async fn a_service_that_keeps_ending_fails_the_start_and_stops_the_rest() {
    let sandbox = Sandbox::new();
    let worker = sandbox.folder.path().join("programs/awareness-worker");
    place_program(&worker, b"#!/bin/sh\nexit 3\n");
    let error = sandbox.start(sandbox.options()).await.unwrap_err();
    assert!(
        matches!(error, StackError::KeepsEnding { name: "worker", .. }),
        "{error}"
    );
    awaited(|| sandbox.pid("postgres").is_none().then_some(())).await;
    awaited(|| sandbox.pid("api").is_none().then_some(())).await;
}

#[tokio::test]
async fn root_behind_a_closed_folder_still_gets_a_database() {
    let sandbox = Sandbox::new();
    std::fs::set_permissions(
        sandbox.folder.path(),
        std::fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    let stack = sandbox.start(sandbox.options()).await.unwrap();
    assert!(psql(&stack.database_url, "select 1"));
    stack.stop().await;
    if let Ok(outside) = std::fs::read_link(sandbox.home().join("postgres")) {
        assert!(outside.starts_with("/var/lib/awareness-local"));
        std::fs::remove_dir_all(outside).unwrap();
    }
}
