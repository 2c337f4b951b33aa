//! Many contenders for one lease, at two processes of which one is killed again and again.
//!
//! What they contend for is a number in a file, which is read and written without any lock but the lease. A grant whose
//! answer is lost with a killed process stays held until it expires. A contender cannot know when within its wait it was
//! granted the lease: it extends it, and trusts it for a part of that time, counted from before it asked.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::reqwest::Method;
use serde_json::{Value, json};
use tests::stack::TestStack;
use tests::{Client, is_long};
use tokio::time::{Instant, timeout};

use super::ground::{fence, token};

const TTL_MS: u64 = 10_000;
/// So long after it asked for an extension a contender believes in its lease.
const TRUSTED: Duration = Duration::from_secs(3);
/// Far above what it takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);

/// Another process of the API beside that of a stack.
struct Replica {
    process: Child,
    base_url: String,
}

impl Replica {
    fn start(test: &TestStack) -> Self {
        let pid = test.pid("api").unwrap();
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
        let variables = environment.split(|byte| *byte == 0).filter_map(|variable| {
            let text = String::from_utf8_lossy(variable).into_owned();
            let (name, value) = text.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        let address = free_address();
        let program = std::fs::read_link(format!("/proc/{pid}/exe")).unwrap();
        let process = Command::new(program)
            .envs(variables)
            .env("API_LISTEN", &address)
            .env("API_OPS_LISTEN", free_address())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        Self {
            process,
            base_url: format!("http://{address}"),
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// One who adds one to the number.
struct Contender {
    clients: [Client; 2],
    file: PathBuf,
    fences: Arc<AtomicU64>,
    added: Arc<AtomicU64>,
}

impl Contender {
    /// Tries at both processes in turn until it has added one.
    async fn add(self, number: usize) {
        for turn in number.. {
            let client = &self.clients[turn % 2];
            let Some(lease) = acquire(client).await else {
                continue;
            };
            let asked = Instant::now();
            let is_held = extend(client, token(&lease)).await;
            let is_trusted = is_held && asked.elapsed() < TRUSTED;
            if is_trusted {
                self.add_under(&lease).await;
            }
            for client in &self.clients {
                release(client, token(&lease)).await;
            }
            if is_trusted {
                self.added.fetch_add(1, Ordering::Relaxed);
                return;
            }
        }
    }

    /// Reads the number, and writes it one larger.
    async fn add_under(&self, lease: &Value) {
        let fence = u64::try_from(fence(lease)).unwrap();
        let last = self.fences.fetch_max(fence, Ordering::SeqCst);
        assert!(last < fence, "fence {fence} came after {last}");
        let before = read(&self.file).await;
        tokio::task::yield_now().await;
        tokio::fs::write(&self.file, (before + 1).to_string())
            .await
            .unwrap();
    }
}

async fn read(file: &Path) -> u64 {
    let text = tokio::fs::read_to_string(file).await.unwrap();
    text.parse().unwrap()
}

/// The lease, unless the process died or the time to wait was over.
async fn acquire(client: &Client) -> Option<Value> {
    let body = json!({ "resource": "number", "ttlMs": TTL_MS, "waitMs": 30_000 });
    let request = client.request(Method::POST, "/api/ai/leases");
    let response = request.json(&body).send().await.ok()?;
    if response.status() != 201 {
        return None;
    }
    let mut answer: Value = response.json().await.ok()?;
    Some(answer["data"].take())
}

/// Whether the lease lasts from now on as long as one that is granted.
async fn extend(client: &Client, token: &str) -> bool {
    let request = client.request(Method::PUT, "/api/ai/leases/number");
    let request = request.header("lease-token", token);
    let sent = request.json(&json!({ "ttlMs": TTL_MS })).send().await;
    sent.is_ok_and(|response| response.status() == 200)
}

/// If it fails, the lease expires.
async fn release(client: &Client, token: &str) {
    let request = client.request(Method::DELETE, "/api/ai/leases/number");
    let _released_or_expires = request.header("lease-token", token).send().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_contenders_exclude_each_other_while_a_process_of_the_api_is_killed() {
    let contenders = if is_long() { 200 } else { 60 };
    let test = TestStack::start().await;
    let replica = Replica::start(&test);
    let clients = [&test.stack.base_url, &replica.base_url]
        .map(|base_url| Client::new(base_url.clone(), Some(test.stack.keys.seller.clone())));
    let file = test.stack.folder.join("number");
    std::fs::write(&file, "0").unwrap();
    let (fences, added) = (Arc::default(), Arc::<AtomicU64>::default());
    let contending = (0..contenders).map(|number| {
        let contender = Contender {
            clients: clients.clone(),
            file: file.clone(),
            fences: Arc::clone(&fences),
            added: Arc::clone(&added),
        };
        tokio::spawn(contender.add(number))
    });
    let contending: Vec<_> = contending.collect();
    let killing = async {
        for part in [1, 2] {
            let enough = contenders as u64 * part / 4;
            tests::eventually("some to be done", || async {
                (added.load(Ordering::Relaxed) >= enough).then_some(())
            })
            .await;
            let pid = test.until_up("api").await;
            test.signal("api", "KILL");
            test.until_replaced("api", pid).await;
        }
    };
    timeout(DEADLINE, killing).await.unwrap();
    for contender in contending {
        timeout(DEADLINE, contender).await.unwrap().unwrap();
    }
    assert_eq!(read(&file).await, contenders as u64);
    drop(replica);
    test.stop().await;
}
