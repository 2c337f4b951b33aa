//! A private `redis-server`: own port, own folder, append-only file, gone with the value.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError, Weak, mpsc},
    time::Duration,
};

use tempfile::TempDir;

/// How long a server may take to start, reading its append-only file included.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// Another process may take a free port before the server does; then another is tried.
const PORTS_TRIED_MAX: usize = 5;

/// A running server, or the place of one that was killed.
#[derive(Debug)]
pub struct RedisServer {
    child: Mutex<Option<Child>>,
    port: u16,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server of its own, for a test that flushes, kills or counts.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for _ in 0..PORTS_TRIED_MAX {
            let port = free_port();
            if let Some(child) = spawn(port, &folder) {
                return Self {
                    child: Mutex::new(Some(child)),
                    port,
                    folder,
                };
            }
        }
        panic!("redis-server did not start on any of {PORTS_TRIED_MAX} free ports");
    }

    /// The one server of a test run, for tests that keep to a prefix of their own. It goes with
    /// the last test that holds it.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<RedisServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Where to connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server as a power cut would; what the append-only file holds survives.
    pub fn kill(&self) {
        let child = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut child) = child {
            child.kill().expect("our own child can be killed");
            child.wait().expect("our own child can be awaited");
        }
    }

    /// Kills the server if it runs and starts it again, on the same port and folder.
    pub fn restart(&self) {
        self.kill();
        let child = spawn(self.port, &self.folder).expect("the port that was ours is still free");
        *self.child.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
    }

    /// A client of the server, for looking behind the queue's back.
    #[must_use]
    pub fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).expect("a well-formed address")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// Returns once the server accepts connections, or `None` if it ended before.
fn spawn(port: u16, folder: &TempDir) -> Option<Child> {
    let mut child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args([
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "everysec",
        ])
        .arg("--dir")
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed");
    let log = BufReader::new(child.stdout.take().expect("the log is piped"));
    let (ready, is_ready) = mpsc::channel();
    // Reads to the end, so that the server never blocks on its log.
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if line.contains("Ready to accept connections") {
                let _ = ready.send(());
            }
        }
    });
    if is_ready.recv_timeout(START_TIMEOUT).is_ok() {
        return Some(child);
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}
