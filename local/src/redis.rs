//! A private Redis: its append-only file, its port and its password are all inside one folder.
//!
//! Listens on 127.0.0.1 alone. Writes survive the death of the process at once (they reach the
//! operating system before the answer) and that of the machine after a second (`everysec`).
//! Stopping is Redis's own SHUTDOWN. A server that somebody else runs is never touched.

use std::io;
use std::path::{Path, PathBuf};

use crate::leftovers;
use crate::limits;
use crate::ports;
use crate::private_file;
use crate::process::{Process, ProcessError, Signal, Spec};

const PROGRAM: &str = "redis-server";
/// What the server logs when clients may come; 6.x and 7.x differ in the first letter.
const READY_LINE: &str = "eady to accept connections";

/// Where the server lives and how it is tuned.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Everything of this server; created when missing.
    pub folder: PathBuf,
    pub log: PathBuf,
    /// Taken if it is free; 0 takes any.
    pub preferred_port: u16,
    /// Lines of `redis.conf` after the defaults here.
    pub settings: Vec<String>,
}

impl RedisOptions {
    /// A server in `folder` on any free port.
    pub fn new(folder: impl Into<PathBuf>, log: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            log: log.into(),
            preferred_port: 0,
            settings: Vec::new(),
        }
    }
}

/// Why the private Redis is not there.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    #[error("{path} cannot be prepared")]
    Folder { path: PathBuf, source: io::Error },
    #[error("no free port")]
    Port(#[source] io::Error),
    #[error("Redis did not start")]
    Process(#[from] ProcessError),
}

/// A private server: prepared, running or stopped.
#[derive(Debug)]
pub struct PrivateRedis {
    folder: PathBuf,
    log: PathBuf,
    settings: Vec<String>,
    port: u16,
    password: String,
    process: Option<Process>,
}

impl PrivateRedis {
    /// Makes the folder, stops a leftover server of it, picks a port.
    pub async fn prepare(options: RedisOptions) -> Result<Self, RedisError> {
        let fail = |source| RedisError::Folder {
            path: options.folder.clone(),
            source,
        };
        private_file::folder(&options.folder).map_err(fail)?;
        let folder = options.folder.canonicalize().map_err(fail)?;
        Self::stop_leftover(&folder).await;
        let password = private_file::secret(&folder.join("password")).map_err(fail)?;
        let port = ports::free(options.preferred_port).map_err(RedisError::Port)?;
        let (log, settings) = (options.log.clone(), options.settings.clone());
        let server = Self {
            folder,
            log,
            settings,
            port,
            password,
            process: None,
        };
        server.write_configuration()?;
        Ok(server)
    }

    /// Prepares and starts; another port is tried when a stranger was faster to bind it.
    pub async fn start(options: RedisOptions) -> Result<Self, RedisError> {
        let mut server = Self::prepare(options).await?;
        for _ in 1..limits::PORT_ATTEMPTS_MAX {
            match server.resume().await {
                Err(RedisError::Process(ProcessError::Ended { .. }))
                    if !ports::is_free(server.port) =>
                {
                    server.port = ports::free(0).map_err(RedisError::Port)?;
                    server.write_configuration()?;
                }
                result => return result.map(|()| server),
            }
        }
        server.resume().await?;
        Ok(server)
    }

    /// Stops a server that an earlier launcher left in this folder.
    pub async fn stop_leftover(folder: &Path) -> bool {
        leftovers::stop(&folder.join("redis.pid"), PROGRAM, folder, Signal::TERM).await
    }

    /// Starts a prepared or stopped server on its port and waits until it serves.
    pub async fn resume(&mut self) -> Result<(), RedisError> {
        if self.process.is_none() {
            let process = Process::spawn(&self.spec()).await?;
            process.ready(limits::SERVER_READY_SECONDS_MAX).await?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// SHUTDOWN: the append-only file is flushed to disk.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(limits::STOP_GRACE).await;
        }
    }

    /// SIGKILL, as a crash.
    pub async fn crash(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal(Signal::KILL);
            process.wait().await;
        }
    }

    /// Stops and starts on the same port.
    pub async fn restart(&mut self) -> Result<(), RedisError> {
        self.stop().await;
        self.resume().await
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of a running server.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// The connection URL of database 0, with the password.
    pub fn url(&self) -> String {
        format!(
            "redis://default:{}@127.0.0.1:{}/0",
            self.password, self.port
        )
    }

    /// How the server is started.
    pub fn spec(&self) -> Spec {
        Spec {
            program: PROGRAM.into(),
            arguments: vec![self.folder.join("redis.conf").into_os_string()],
            environment: Vec::new(),
            folder: self.folder.clone(),
            owner: None,
            log: self.log.clone(),
            ready_line: Some(READY_LINE),
            stop_signal: Signal::TERM,
        }
    }

    /// The configuration is a file because a password does not belong on a command line. Paths in
    /// it are relative to the server's working folder, so that no path needs quoting.
    fn write_configuration(&self) -> Result<(), RedisError> {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {}", self.port),
            format!("requirepass {}", self.password),
            "daemonize no".to_owned(),
            "pidfile ./redis.pid".to_owned(),
            "logfile \"\"".to_owned(),
            "appendonly yes".to_owned(),
            "appendfsync everysec".to_owned(),
            "save \"\"".to_owned(),
        ];
        lines.extend(self.settings.iter().cloned());
        lines.push(String::new());
        let path = self.folder.join("redis.conf");
        let written = private_file::write(&path, &lines.join("\n"));
        written.map_err(|source| RedisError::Folder { path, source })
    }
}
