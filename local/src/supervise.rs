//! A child that comes back: restarted with a growing pause until it is told to stop.
//!
//! Keeps a pid file current and tells of each end through a channel. Does not decide what is
//! healthy: a child that hangs is not restarted.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::limits;
use crate::private_file;
use crate::process::{Process, ProcessError, Spec};

/// What to keep running and under which name it is spoken of.
#[derive(Debug, Clone)]
pub struct Service {
    pub name: &'static str,
    pub spec: Spec,
    /// Holds the id of the running child, absent while there is none.
    pub pid_file: PathBuf,
    /// Between the stop signal and SIGKILL.
    pub stop_grace: Duration,
}

/// Something a person at the terminal wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The child ended by itself and comes back after the pause.
    Ended {
        name: &'static str,
        status: ExitStatus,
        pause: Duration,
    },
    /// The child could not be started again; the next try is after the pause.
    NotStarted {
        name: &'static str,
        reason: String,
        pause: Duration,
    },
    /// The child is back.
    Back { name: &'static str, pid: u32 },
}

/// Where a supervised child stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// None between two lives and after the stop.
    pub pid: Option<u32>,
    /// How many times it has been started and was ready.
    pub starts: u64,
}

/// A child under supervision. Dropping it stops the child without waiting.
#[derive(Debug)]
pub struct Supervised {
    state: watch::Receiver<State>,
    stop: CancellationToken,
    keeper: Option<JoinHandle<bool>>,
}

impl Supervised {
    /// Starts the child, waits for its ready line, and keeps it running from then on.
    pub async fn start(
        service: Service,
        notices: mpsc::UnboundedSender<Notice>,
    ) -> Result<Self, ProcessError> {
        let process = Process::spawn(&service.spec).await?;
        process.ready(limits::SERVER_READY_SECONDS_MAX).await?;
        record(&service.pid_file, Some(process.pid()));
        let (sender, state) = watch::channel(State {
            pid: Some(process.pid()),
            starts: 1,
        });
        let stop = CancellationToken::new();
        let keeper = Keeper {
            service,
            notices,
            state: sender,
            stop: stop.clone(),
        };
        Ok(Self {
            state,
            stop,
            keeper: Some(tokio::spawn(keeper.keep(process))),
        })
    }

    /// The present state.
    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Waits for a state.
    pub async fn until(&self, wanted: impl FnMut(&State) -> bool) -> State {
        let mut state = self.state.clone();
        let reached = state.wait_for(wanted).await.map(|state| *state);
        // The keeper is gone, so the last state is the final one.
        reached.unwrap_or_else(|_| self.state())
    }

    /// Stops the child for good. True if it ended within its grace.
    pub async fn stop(mut self) -> bool {
        self.stop.cancel();
        match self.keeper.take() {
            Some(keeper) => keeper.await.unwrap_or(false),
            None => true,
        }
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

struct Keeper {
    service: Service,
    notices: mpsc::UnboundedSender<Notice>,
    state: watch::Sender<State>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(self, mut process: Process) -> bool {
        let mut pause = limits::RESTART_PAUSE_MIN;
        loop {
            let started = Instant::now();
            let status = tokio::select! {
                status = process.wait() => status,
                () = self.stop.cancelled() => {
                    let clean = process.stop(self.service.stop_grace).await;
                    self.now(None);
                    return clean;
                }
            };
            self.now(None);
            if started.elapsed() > limits::RESTART_HEALTHY_AFTER {
                pause = limits::RESTART_PAUSE_MIN;
            }
            self.tell(Notice::Ended {
                name: self.service.name,
                status,
                pause,
            });
            match self.bring_back(&mut pause).await {
                Some(next) => process = next,
                None => return true,
            }
            self.now(Some(process.pid()));
            self.tell(Notice::Back {
                name: self.service.name,
                pid: process.pid(),
            });
        }
    }

    /// Starts the child until it is ready; none when told to stop.
    async fn bring_back(&self, pause: &mut Duration) -> Option<Process> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(*pause) => {}
                () = self.stop.cancelled() => return None,
            }
            *pause = (*pause * 2).min(limits::RESTART_PAUSE_MAX);
            let started = tokio::select! {
                started = self.start() => started,
                () = self.stop.cancelled() => return None,
            };
            match started {
                Ok(process) => return Some(process),
                Err(error) => self.tell(Notice::NotStarted {
                    name: self.service.name,
                    reason: error.to_string(),
                    pause: *pause,
                }),
            }
        }
    }

    async fn start(&self) -> Result<Process, ProcessError> {
        let process = Process::spawn(&self.service.spec).await?;
        process.ready(limits::SERVER_READY_SECONDS_MAX).await?;
        Ok(process)
    }

    fn now(&self, pid: Option<u32>) {
        record(&self.service.pid_file, pid);
        self.state.send_modify(|state| {
            state.pid = pid;
            state.starts += u64::from(pid.is_some());
        });
    }

    fn tell(&self, notice: Notice) {
        // Nobody may be listening; the state is kept all the same.
        let _ = self.notices.send(notice);
    }
}

/// A pid file that cannot be written only costs the next launcher a leftover.
fn record(pid_file: &Path, pid: Option<u32>) {
    let _ = match pid {
        Some(pid) => private_file::write(pid_file, &format!("{pid}\n")),
        None => std::fs::remove_file(pid_file),
    };
}
