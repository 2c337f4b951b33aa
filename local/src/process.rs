//! One child process: started, watched, signalled, and gone when its launcher is gone.
//!
//! Each child has a thread of its own that starts it and waits for it. That ties a child to no
//! async runtime, and on Linux the parent-death signal, which fires when the *thread* that
//! forked ends, then fires exactly when this whole process does. A signal never reaches a
//! stranger that was given the child's old id: the child is reaped under the lock that signals
//! take. Does not restart anything, see [`crate::supervise`].

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, PipeReader, Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use rustix::process::Signal;
use rustix::process::{Pid, WaitId, WaitIdOptions};
use tokio::sync::{oneshot, watch};

use crate::limits;

/// The unprivileged user that a server insists on when we are root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub user_id: u32,
    pub group_id: u32,
}

/// How to start one child.
#[derive(Debug, Clone)]
pub struct Spec {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
    /// Added to the launcher's own environment.
    pub environment: Vec<(String, String)>,
    /// The working folder; also how a leftover is known to be ours.
    pub folder: PathBuf,
    /// None keeps the launcher's own user.
    pub owner: Option<Owner>,
    /// Receives standard output and standard error, appended.
    pub log: PathBuf,
    /// Text of the line by which the child says that it serves; none if it says nothing.
    pub ready_line: Option<&'static str>,
    /// Asks the child to end; also sent when the launcher dies.
    pub stop_signal: Signal,
}

/// Why a child did not start or did not become ready.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("{program} cannot be started")]
    Start { program: PathBuf, source: io::Error },
    #[error("the log {log} cannot be written")]
    Log { log: PathBuf, source: io::Error },
    #[error("{program} ended early ({status}); the end of its log:\n{log_tail}")]
    Ended {
        program: PathBuf,
        status: ExitStatus,
        log_tail: String,
    },
    #[error("{program} was not ready within {within:?}; the end of its log:\n{log_tail}")]
    NotReady {
        program: PathBuf,
        within: Duration,
        log_tail: String,
    },
}

/// A started child. Dropping it sends the stop signal and does not wait.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    program: PathBuf,
    log: PathBuf,
    stop_signal: Signal,
    alive: Arc<Mutex<bool>>,
    exit: watch::Receiver<Option<ExitStatus>>,
    ready: watch::Receiver<bool>,
}

impl Process {
    /// Starts the child; it may not be ready yet.
    pub async fn spawn(spec: &Spec) -> Result<Self, ProcessError> {
        let log_error = |source| ProcessError::Log {
            log: spec.log.clone(),
            source,
        };
        let log = open_log(&spec.log).map_err(log_error)?;
        let (ready_sender, ready) = watch::channel(spec.ready_line.is_none());
        let command = spec.command(log, ready_sender).map_err(log_error)?;
        let (exit_sender, exit) = watch::channel(None);
        let (started_sender, started) = oneshot::channel();
        let alive = Arc::new(Mutex::new(true));
        let life = Life {
            alive: alive.clone(),
            started: started_sender,
            exit: exit_sender,
        };
        let start_error = |source| ProcessError::Start {
            program: spec.program.clone(),
            source,
        };
        thread::Builder::new()
            .name("child".to_owned())
            .spawn(move || life.live(command))
            .map_err(start_error)?;
        let started = started
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the child's thread ended")));
        let pid = started.map_err(start_error)?;
        Ok(Self {
            pid,
            program: spec.program.clone(),
            log: spec.log.clone(),
            stop_signal: spec.stop_signal,
            alive,
            exit,
            ready,
        })
    }

    /// Its process id; that of a stranger once the child has ended.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Sends a signal, or nothing if the child has ended.
    pub fn signal(&self, signal: Signal) {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if *alive && let Some(pid) = known_pid(self.pid) {
            // An unreaped child of ours can always be signalled.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Its end.
    pub async fn wait(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        let seen = exit.wait_for(Option::is_some).await;
        seen.ok()
            .and_then(|status| *status)
            .expect("the child's thread ends with a status")
    }

    /// Waits for the ready line.
    pub async fn ready(&self, within: Duration) -> Result<(), ProcessError> {
        let mut ready = self.ready.clone();
        let said_ready = async {
            if ready.wait_for(|ready| *ready).await.is_err() {
                // Its output has ended without the line: the exit below says why.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            // First, so that a child that was ready and has ended since is its keeper's business.
            biased;
            () = said_ready => Ok(()),
            status = self.wait() => Err(ProcessError::Ended {
                program: self.program.clone(),
                status,
                log_tail: tail(&self.log),
            }),
            () = tokio::time::sleep(within) => Err(ProcessError::NotReady {
                program: self.program.clone(),
                within,
                log_tail: tail(&self.log),
            }),
        }
    }

    /// Asks the child to end and kills it after `grace`. True if it ended by itself.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.signal(self.stop_signal);
        if tokio::time::timeout(grace, self.wait()).await.is_ok() {
            return true;
        }
        self.signal(Signal::KILL);
        self.wait().await;
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(self.stop_signal);
    }
}

/// What the child's own thread owns.
struct Life {
    alive: Arc<Mutex<bool>>,
    started: oneshot::Sender<io::Result<u32>>,
    exit: watch::Sender<Option<ExitStatus>>,
}

impl Life {
    fn live(self, mut command: Command) {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                // Nobody waiting means that nobody cares any more.
                let _ = self.started.send(Err(error));
                return;
            }
        };
        // The command holds our end of the output pipe, which must close with the child.
        drop(command);
        if self.started.send(Ok(child.id())).is_err() {
            let _ = child.kill();
        }
        await_end(&child);
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        *alive = false;
        let status = child.wait().expect("an ended child of ours can be reaped");
        self.exit.send_replace(Some(status));
    }
}

/// Waits without reaping, so that the process id stays the child's.
fn await_end(child: &Child) {
    let Some(pid) = known_pid(child.id()) else {
        return;
    };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Err(rustix::io::Errno::INTR) = rustix::process::waitid(WaitId::Pid(pid), options) {}
}

fn known_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

impl Spec {
    fn command(&self, log: File, ready: watch::Sender<bool>) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            // Ctrl-C on the terminal is for the launcher, which stops its children in order.
            .process_group(0);
        if let Some(line) = self.ready_line {
            let (reader, writer) = io::pipe()?;
            command.stdout(writer.try_clone()?).stderr(writer);
            thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || copy(reader, log, line, &ready))?;
        } else {
            command.stdout(log.try_clone()?).stderr(log);
        }
        if let Some(owner) = self.owner {
            command.uid(owner.user_id).gid(owner.group_id);
        }
        die_with_parent(&mut command, self.stop_signal);
        Ok(command)
    }
}

#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command, signal: Signal) {
    let launcher = Pid::from_raw(std::process::id().cast_signed());
    let arm = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        if rustix::process::getppid() == launcher {
            return Ok(());
        }
        Err(io::Error::from(io::ErrorKind::BrokenPipe))
    };
    #[expect(
        unsafe_code,
        reason = "the closure makes two async-signal-safe system calls, nothing else"
    )]
    // SAFETY: between fork and exec only `prctl` and `getppid` run; nothing allocates or locks.
    unsafe {
        command.pre_exec(arm);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent(_command: &mut Command, _signal: Signal) {
    // Nothing comparable exists; the next launcher stops what was left behind.
}

fn open_log(log: &Path) -> io::Result<File> {
    if log
        .metadata()
        .is_ok_and(|metadata| metadata.len() > limits::LOG_BYTES_MAX)
    {
        let mut aside = log.as_os_str().to_owned();
        aside.push(".1");
        std::fs::rename(log, aside)?;
    }
    OpenOptions::new().create(true).append(true).open(log)
}

fn copy(reader: PipeReader, mut log: File, ready_line: &str, ready: &watch::Sender<bool>) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader
            .by_ref()
            .take(limits::LOG_LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        // A full disk must not stop the child; its pipe is still emptied.
        let _ = log.write_all(&line);
        if !*ready.borrow() && String::from_utf8_lossy(&line).contains(ready_line) {
            ready.send_replace(true);
        }
    }
}

fn tail(log: &Path) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let start = file
            .metadata()?
            .len()
            .saturating_sub(limits::LOG_TAIL_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(limits::LOG_TAIL_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default())
        .trim_end()
        .to_owned()
}
