//! Processes that an earlier launcher could not stop: found by their pid files, and stopped.
//!
//! A pid may since have been given to a stranger, so a process counts as ours only if its command
//! line names the program *and* it works inside the folder that we gave it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::process::{Pid, Signal};

use crate::limits;

/// Asks the process in `pid_file` to end if it is ours, kills it if it will not, and waits until
/// it is gone. True if there was one.
pub async fn stop(pid_file: &Path, program: &str, folder: &Path, signal: Signal) -> bool {
    let Some(pid) = read_pid(pid_file) else {
        return false;
    };
    if !is_ours(pid, program, folder) {
        return false;
    }
    // It may end between the look and the signal, which is what is wanted.
    let _ = rustix::process::kill_process(pid, signal);
    let deadline = Instant::now() + limits::LEFTOVER_GRACE;
    let mut killed = false;
    while is_ours(pid, program, folder) {
        if !killed && Instant::now() > deadline {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            killed = true;
        }
        tokio::time::sleep(limits::LEFTOVER_LOOK_INTERVAL).await;
    }
    true
}

/// The first line of a pid file.
fn read_pid(pid_file: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(pid_file).ok()?;
    Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
}

fn is_ours(pid: Pid, program: &str, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else {
        return false;
    };
    command_line(pid).is_some_and(|line| line.contains(program))
        && working_folder(pid).is_some_and(|working| working.starts_with(folder))
}

#[cfg(target_os = "linux")]
fn command_line(pid: Pid) -> Option<String> {
    let bytes = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
}

#[cfg(not(target_os = "linux"))]
fn command_line(pid: Pid) -> Option<String> {
    output(
        "ps",
        &[
            "-ww",
            "-o",
            "command=",
            "-p",
            &pid.as_raw_nonzero().to_string(),
        ],
    )
}

#[cfg(target_os = "linux")]
fn working_folder(pid: Pid) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{}/cwd", pid.as_raw_nonzero())).ok()
}

#[cfg(not(target_os = "linux"))]
fn working_folder(pid: Pid) -> Option<PathBuf> {
    let listed = output(
        "lsof",
        &[
            "-a",
            "-d",
            "cwd",
            "-Fn",
            "-p",
            &pid.as_raw_nonzero().to_string(),
        ],
    )?;
    listed
        .lines()
        .find_map(|line| line.strip_prefix('n'))
        .map(PathBuf::from)
}

#[cfg_attr(
    target_os = "linux",
    expect(dead_code, reason = "Linux reads /proc instead")
)]
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
