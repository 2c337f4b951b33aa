//! A private PostgreSQL: its data, its port and its password are all inside one folder.
//!
//! Listens on 127.0.0.1 alone, without Unix sockets, with SCRAM and a generated password. As root
//! it runs as the user `postgres`, because the server refuses root. Stopping is the fast shutdown.
//! Does not migrate anything; a server that somebody else runs is never touched.

mod install;
mod logins;

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::leftovers;
use crate::limits;
use crate::ports;
use crate::private_file;
use crate::process::{Owner, Process, ProcessError, Signal, Spec};
use install::Programs;

/// The superuser of the private cluster: it makes logins and databases.
const USER: &str = "awareness";
/// What the postmaster logs when clients may come (`lc_messages` is C).
const READY_LINE: &str = "database system is ready to accept connections";

/// Where the server lives and how it is tuned.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// Everything of this server; created when missing. Its parents must be open to the
    /// unprivileged user if we are root, see [`unreachable_for_server`].
    pub folder: PathBuf,
    pub log: PathBuf,
    /// Taken if it is free; 0 takes any.
    pub preferred_port: u16,
    /// `postgresql.conf` settings on top of the defaults here.
    pub settings: Vec<(String, String)>,
}

impl PostgresOptions {
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

/// Why the private PostgreSQL is not there.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    #[error("no PostgreSQL server is installed{}", data_major.map(|major| format!(" in version {major}, which made the existing data")).unwrap_or_default())]
    NotInstalled { data_major: Option<u32> },
    #[error("PostgreSQL refuses root, and there is neither a user `postgres` nor `nobody`")]
    NoUnprivilegedUser,
    #[error("the server's user cannot pass {barrier} on the way to its data")]
    Unreachable { barrier: PathBuf },
    #[error("{path} cannot be prepared")]
    Folder { path: PathBuf, source: io::Error },
    #[error("no free port")]
    Port(#[source] io::Error),
    #[error("{program} failed: {message}")]
    Program {
        program: &'static str,
        message: String,
    },
    #[error("PostgreSQL did not start")]
    Process(#[from] ProcessError),
}

/// The folder on the way to `folder` that keeps the server's unprivileged user out, if any.
/// Always none unless we are root.
pub fn unreachable_for_server(folder: &Path) -> Option<PathBuf> {
    install::barrier(folder, install::owner().ok()??)
}

/// A private server: prepared, running or stopped.
#[derive(Debug)]
pub struct PrivatePostgres {
    programs: Programs,
    folder: PathBuf,
    owner: Option<Owner>,
    log: PathBuf,
    settings: Vec<(String, String)>,
    port: u16,
    password: String,
    migrator_password: String,
    services_password: String,
    process: Option<Process>,
}

impl PrivatePostgres {
    /// Makes the data if there is none, stops a leftover server of this folder, picks a port.
    pub async fn prepare(options: PostgresOptions) -> Result<Self, PostgresError> {
        let owner = install::owner()?;
        let folder = prepare_folder(&options.folder, owner)?;
        Self::stop_leftover(&folder).await;
        let programs = Programs::find(data_major(&folder))?;
        let password = make_password(&folder.join("password"), owner)?;
        let migrator_password = make_password(&folder.join("migrator-password"), owner)?;
        let services_password = make_password(&folder.join("services-password"), owner)?;
        let (log, settings) = (options.log, options.settings);
        let mut server = Self {
            programs,
            folder,
            owner,
            log,
            settings,
            port: 0,
            password,
            migrator_password,
            services_password,
            process: None,
        };
        if data_major(&server.folder).is_none() {
            server.make_data().await?;
        }
        // Chosen last: making the data takes seconds, in which the port could be lost.
        server.port = ports::free(options.preferred_port).map_err(PostgresError::Port)?;
        Ok(server)
    }

    /// Prepares and starts; another port is tried when a stranger was faster to bind it.
    pub async fn start(options: PostgresOptions) -> Result<Self, PostgresError> {
        let mut server = Self::prepare(options).await?;
        for _ in 1..limits::PORT_ATTEMPTS_MAX {
            match server.resume().await {
                Err(PostgresError::Process(ProcessError::Ended { .. }))
                    if !ports::is_free(server.port) =>
                {
                    server.port = ports::free(0).map_err(PostgresError::Port)?;
                }
                result => return result.map(|()| server),
            }
        }
        server.resume().await?;
        Ok(server)
    }

    /// Stops a server that an earlier launcher left in this folder.
    pub async fn stop_leftover(folder: &Path) -> bool {
        let pid_file = folder.join("data/postmaster.pid");
        leftovers::stop(&pid_file, "postgres", folder, Signal::INT).await
    }

    /// Starts a prepared or stopped server on its port and waits until it serves.
    pub async fn resume(&mut self) -> Result<(), PostgresError> {
        if self.process.is_none() {
            let process = Process::spawn(&self.spec()).await?;
            process.ready(limits::SERVER_READY_SECONDS_MAX).await?;
            self.process = Some(process);
        }
        Ok(())
    }

    /// Fast shutdown: sessions are cut, the data is consistent.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop(limits::STOP_GRACE).await;
        }
    }

    /// Immediate shutdown, as a crash: the next start recovers from the write-ahead log.
    pub async fn crash(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal(Signal::QUIT);
            process.wait().await;
        }
    }

    /// Stops and starts on the same port.
    pub async fn restart(&mut self) -> Result<(), PostgresError> {
        self.stop().await;
        self.resume().await
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id of a running postmaster.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Runs SQL with `psql` and returns its unaligned rows: for set-up and tests, not for services.
    pub async fn psql(&self, database: &str, sql: &str) -> Result<String, PostgresError> {
        let mut command = Command::new(self.programs.path("psql"));
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
            ])
            .args(["--host=127.0.0.1", "--username", USER, "--dbname", database])
            .args(["--port", &self.port.to_string()])
            .env("PGPASSWORD", &self.password);
        run("psql", command, sql.as_bytes().to_vec()).await
    }

    /// How the postmaster is started.
    pub fn spec(&self) -> Spec {
        let data = self.folder.join("data");
        let mut arguments = vec![OsString::from("-D"), data.into_os_string()];
        let port = self.port.to_string();
        let defaults = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &port),
            ("unix_socket_directories", ""),
            ("shared_buffers", "128MB"),
            ("max_connections", "200"),
            ("deadlock_timeout", "500ms"),
            ("lc_messages", "C"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
        ];
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in defaults.into_iter().chain(settings) {
            arguments.extend([
                OsString::from("-c"),
                OsString::from(format!("{name}={value}")),
            ]);
        }
        Spec {
            program: self.programs.path("postgres"),
            arguments,
            environment: Vec::new(),
            folder: self.folder.clone(),
            owner: self.owner,
            log: self.log.clone(),
            ready_line: Some(READY_LINE),
            stop_signal: Signal::INT,
        }
    }

    /// `initdb` into a side folder, which is renamed when it is complete. Without its fsync, which
    /// takes as long as all the rest: only a machine that loses power within the first half minute
    /// of its first start has to start `--fresh`.
    async fn make_data(&self) -> Result<(), PostgresError> {
        let unfinished = self.folder.join("data.unfinished");
        if unfinished.exists() {
            let removed = std::fs::remove_dir_all(&unfinished);
            removed.map_err(|source| PostgresError::Folder {
                path: unfinished.clone(),
                source,
            })?;
        }
        let mut command = as_owner(self.programs.path("initdb"), &self.folder, self.owner);
        command
            .args([
                "--no-sync",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                USER,
            ])
            .arg("--pwfile")
            .arg(self.folder.join("password"))
            .arg("--pgdata")
            .arg(&unfinished);
        run("initdb", command, Vec::new()).await?;
        let renamed = std::fs::rename(&unfinished, self.folder.join("data"));
        renamed.map_err(|source| PostgresError::Folder {
            path: unfinished,
            source,
        })
    }
}

/// The version that made the data; none if there is no complete data.
fn data_major(folder: &Path) -> Option<u32> {
    std::fs::read_to_string(folder.join("data/PG_VERSION"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

fn prepare_folder(folder: &Path, owner: Option<Owner>) -> Result<PathBuf, PostgresError> {
    let fail = |source| PostgresError::Folder {
        path: folder.to_owned(),
        source,
    };
    private_file::folder(folder).map_err(fail)?;
    let folder = folder.canonicalize().map_err(fail)?;
    if let Some(owner) = owner {
        if let Some(barrier) = install::barrier(&folder, owner) {
            return Err(PostgresError::Unreachable { barrier });
        }
        chown(&folder, Some(owner.user_id), Some(owner.group_id)).map_err(fail)?;
    }
    Ok(folder)
}

/// `initdb` reads the password from its file, so the file is the server's.
fn make_password(path: &Path, owner: Option<Owner>) -> Result<String, PostgresError> {
    let fail = |source| PostgresError::Folder {
        path: path.to_owned(),
        source,
    };
    let password = private_file::secret(path).map_err(fail)?;
    if let Some(owner) = owner {
        chown(path, Some(owner.user_id), Some(owner.group_id)).map_err(fail)?;
    }
    Ok(password)
}

fn as_owner(program: PathBuf, folder: &Path, owner: Option<Owner>) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.current_dir(folder);
    if let Some(owner) = owner {
        command.uid(owner.user_id).gid(owner.group_id);
    }
    command
}

/// Runs a short program to its end with `input` on its standard input.
async fn run(
    program: &'static str,
    mut command: Command,
    input: Vec<u8>,
) -> Result<String, PostgresError> {
    let failed = |message: String| PostgresError::Program { program, message };
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let work = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(&input)?;
        }
        child.wait_with_output()
    });
    let finished = tokio::time::timeout(limits::INITDB_SECONDS_MAX, work).await;
    let finished = finished.map_err(|_| failed("it did not end in time".to_owned()))?;
    let output = finished
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
