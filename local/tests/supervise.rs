//! Supervised children: they come back, they stop, and they do not outlive their launcher.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use local::process::{Process, Signal, Spec};
use local::supervise::{Notice, Service, Supervised};
use tokio::sync::mpsc;

const DEADLINE: Duration = Duration::from_secs(30);

fn shell(folder: &Path, script: &str) -> Spec {
    Spec {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: Vec::new(),
        folder: folder.to_owned(),
        owner: None,
        log: folder.join("child.log"),
        ready_line: None,
        stop_signal: Signal::TERM,
    }
}

fn service(folder: &Path, script: &str) -> Service {
    let pid_file = folder.join("child.pid");
    Service {
        name: "child",
        spec: shell(folder, script),
        pid_file,
        stop_grace: DEADLINE,
    }
}

fn kill(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[tokio::test]
async fn a_killed_child_comes_back_and_its_pid_file_follows() {
    let folder = tempfile::tempdir().unwrap();
    let (notices, mut told) = mpsc::unbounded_channel();
    let child = Supervised::start(service(folder.path(), "exec sleep 1000"), notices)
        .await
        .unwrap();
    let first = child.state().pid.unwrap();
    kill(first);
    let back = tokio::time::timeout(DEADLINE, child.until(|state| state.starts == 2))
        .await
        .unwrap();
    let second = back.pid.unwrap();
    assert_ne!(first, second);
    let recorded = std::fs::read_to_string(folder.path().join("child.pid")).unwrap();
    assert_eq!(recorded.trim(), second.to_string());
    assert!(matches!(
        told.recv().await,
        Some(Notice::Ended { name: "child", .. })
    ));
    assert_eq!(
        told.recv().await,
        Some(Notice::Back {
            name: "child",
            pid: second
        })
    );
    assert!(child.stop().await, "it had to be killed");
    assert!(!folder.path().join("child.pid").exists());
}

#[tokio::test]
async fn a_stop_lets_the_child_finish_its_work() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        "trap 'echo bye > farewell; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let mut service = service(folder.path(), script);
    service.spec.ready_line = Some("ready");
    let (notices, _told) = mpsc::unbounded_channel();
    let child = Supervised::start(service, notices).await.unwrap();
    assert!(child.stop().await);
    assert_eq!(
        std::fs::read_to_string(folder.path().join("farewell")).unwrap(),
        "bye\n"
    );
}

#[tokio::test]
async fn a_child_that_ignores_the_stop_is_killed_after_its_grace() {
    let folder = tempfile::tempdir().unwrap();
    let mut service = service(
        folder.path(),
        "trap '' TERM; echo ready; while :; do sleep 0.01; done",
    );
    service.spec.ready_line = Some("ready");
    service.stop_grace = Duration::from_millis(100);
    let (notices, _told) = mpsc::unbounded_channel();
    let child = Supervised::start(service, notices).await.unwrap();
    assert!(!child.stop().await);
}

#[tokio::test]
async fn a_child_that_ends_early_says_why_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = shell(folder.path(), "echo 'no such table'; exit 3");
    spec.ready_line = Some("ready");
    let process = Process::spawn(&spec).await.unwrap();
    let error = process.ready(DEADLINE).await.unwrap_err().to_string();
    assert!(error.contains("exit status: 3"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_missing_is_an_error_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = shell(folder.path(), "");
    spec.program = "/nowhere/awareness-api".into();
    let error = Process::spawn(&spec).await.unwrap_err().to_string();
    assert_eq!(error, "/nowhere/awareness-api cannot be started");
}

/// Run by the test below: starts a child, says its pid, and waits to be killed.
#[tokio::test]
#[ignore = "run by a_child_dies_with_a_launcher_that_is_killed"]
async fn as_a_launcher() {
    let folder = std::env::var("CHILD_FOLDER").unwrap();
    let child = Process::spawn(&shell(Path::new(&folder), "exec sleep 1000"))
        .await
        .unwrap();
    std::fs::write(Path::new(&folder).join("pid.part"), child.pid().to_string()).unwrap();
    std::fs::rename(
        Path::new(&folder).join("pid.part"),
        Path::new(&folder).join("pid"),
    )
    .unwrap();
    child.wait().await;
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_dies_with_a_launcher_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_a_launcher", "--ignored"])
        .env("CHILD_FOLDER", folder.path())
        .spawn();
    let launcher = Killed(launcher.unwrap());
    let pid = awaited(|| std::fs::read_to_string(folder.path().join("pid")).ok());
    // Not at once: a process that is just executing its program has no command line.
    awaited(|| is_running(&pid).then_some(()));
    drop(launcher);
    awaited(|| (!is_running(&pid)).then_some(()));
}

/// SIGKILL at the end, also of a test that fails.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).unwrap();
    }
}

/// A zombie that nobody reaps has an empty command line.
fn is_running(pid: &str) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn awaited<T>(look: impl Fn() -> Option<T>) -> T {
    let deadline = std::time::Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            std::time::Instant::now() < deadline,
            "it did not happen in time"
        );
        std::thread::yield_now();
    }
}
