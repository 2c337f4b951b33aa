//! Event streams: many of them open on one API process, a steady rate of events, and how long each takes from its commit to
//! whoever follows it; with the memory and CPU time of the API.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use common::events::{self, Expected, NewEvent};
use common::ids::UserId;
use common::outbox::Outbox;
use common::queue::Queue;
use common::reqwest::Client;
use loadtest::{cpu_seconds, memory_mib, pid_of_api};
use local::stack::Stack;
use serde_json::{Value, json};
use sqlx::postgres::PgPoolOptions;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Streams that are open
    #[arg(long, default_value_t = 1_000)]
    streams: usize,
    /// Accounts that they belong to
    #[arg(long, default_value_t = 50)]
    accounts: usize,
    /// Events per second
    #[arg(long, default_value_t = 500)]
    per_second: u64,
    /// Seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// That of a stack.
const REDIS_PREFIX: &str = "awareness";
const WRITERS: u64 = 8;
/// Each account has an address of its own, from this one on.
const FIRST_ADDRESS: u32 = u32::from_be_bytes([127, 0, 10, 1]);
/// The last events have so long to arrive.
const SETTLE: Duration = Duration::from_secs(3);

/// An account whose events are followed.
#[derive(Debug, Clone)]
struct Account {
    user: UserId,
    key: String,
    address: Ipv4Addr,
}

/// When each event arrived at each stream that follows it.
type Receipts = Arc<Mutex<Vec<(u64, Instant)>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    common::tls::install_provider();
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .folder
        .clone()
        .unwrap_or_else(|| temporary.path().join("stack"));
    let stack = loadtest::start_stack(&folder).await?;
    let result = measure(&stack, &folder, &arguments).await;
    stack.stop().await;
    result
}

async fn measure(stack: &Stack, folder: &Path, arguments: &Arguments) -> anyhow::Result<()> {
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .connect(&stack.database_url)
        .await?;
    let queue = Queue::connect(&stack.redis_url, REDIS_PREFIX).await?;
    let outbox = Outbox::new(pool, queue);
    let accounts = create_accounts(stack, arguments.accounts).await?;
    let api = pid_of_api(folder)?;
    let idle = memory_mib(api)?;
    let receipts = Receipts::default();
    let mut following = JoinSet::new();
    for number in 0..arguments.streams {
        let account = &accounts[number % accounts.len()];
        let stream = open(&stack.base_url, account).await?;
        following.spawn(follow(stream, Arc::clone(&receipts)));
    }
    let open = memory_mib(api)?;
    let (cpu, start) = (cpu_seconds(api)?, Instant::now());
    let commits = write(&outbox, &accounts, arguments).await?;
    let written = start.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLE).await;
    let busy = memory_mib(api)?;
    let cores = (cpu_seconds(api)? - cpu) / start.elapsed().as_secs_f64();
    following.abort_all();
    let receipts = receipts.lock().unwrap_or_else(PoisonError::into_inner);
    let each = arguments.streams / arguments.accounts;
    println!(
        "{} streams of {} accounts: {idle:.0} MiB idle, {open:.0} MiB open, {busy:.0} MiB after the run, {cores:.2} cores",
        arguments.streams, arguments.accounts,
    );
    println!(
        "{} events at {:.0}/s, {} of {} receipts",
        commits.len(),
        commits.len() as f64 / written,
        receipts.len(),
        commits.len() * each,
    );
    print_times(&commits, &receipts);
    ensure!(
        receipts.len() == commits.len() * each,
        "an event was lost or came twice"
    );
    Ok(())
}

fn print_times(commits: &HashMap<u64, Instant>, receipts: &[(u64, Instant)]) {
    let waits = receipts.iter().filter_map(|(number, at)| {
        let commit = commits.get(number)?;
        Some(at.saturating_duration_since(*commit).as_secs_f64() * 1e3)
    });
    let mut waits: Vec<f64> = waits.collect();
    waits.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let last = waits.len().saturating_sub(1);
        waits
            .get((last as f64 * share) as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    println!(
        "commit to receipt: p50 {:.1} ms, p95 {:.1} ms, p99 {:.1} ms, at most {:.1} ms",
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
}

async fn create_accounts(stack: &Stack, count: usize) -> anyhow::Result<Vec<Account>> {
    let client = Client::new();
    let mut accounts = Vec::new();
    for number in 0..count {
        let request = client
            .post(format!("{}/admin/keys", stack.base_url))
            .bearer_auth(&stack.admin_token)
            .json(&json!({ "user": format!("bench-{number}"), "name": "bench", "permissions": ["download"] }));
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let data = &answer["data"];
        accounts.push(Account {
            user: serde_json::from_value(data["userId"].clone())?,
            key: data["apiKey"].as_str().context("a key")?.to_owned(),
            address: Ipv4Addr::from(FIRST_ADDRESS + u32::try_from(number)?),
        });
    }
    Ok(accounts)
}

/// An event stream of the account, past the head of its answer.
async fn open(base_url: &str, account: &Account) -> anyhow::Result<BufReader<TcpStream>> {
    let authority = base_url.strip_prefix("http://").context("an address")?;
    let server: SocketAddr = authority.parse()?;
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((account.address, 0)))?;
    let mut stream = BufReader::new(socket.connect(server).await?);
    let request = format!(
        "GET /api/ai/events/stream?after=latest HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer {}\r\n\r\n",
        account.key
    );
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    ensure!(line.contains(" 200 "), "a stream was refused: {line}");
    while line.trim() != "" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    Ok(stream)
}

async fn follow(mut stream: BufReader<TcpStream>, receipts: Receipts) -> anyhow::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "a stream ended");
        let Some(event) = line.strip_prefix("data: ") else {
            continue;
        };
        let event: Value = serde_json::from_str(event)?;
        if let Some(number) = event["data"]["number"].as_u64() {
            let mut receipts = receipts.lock().unwrap_or_else(PoisonError::into_inner);
            receipts.push((number, Instant::now()));
        }
    }
}

/// Appends at a steady pace, one transaction for each event: when each had committed.
async fn write(
    outbox: &Outbox,
    accounts: &[Account],
    arguments: &Arguments,
) -> anyhow::Result<HashMap<u64, Instant>> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (outbox, accounts) = (outbox.clone(), accounts.to_vec());
        let pause = Duration::from_secs_f64(WRITERS as f64 / arguments.per_second as f64);
        let count = arguments.per_second * arguments.seconds / WRITERS;
        writers.spawn(async move {
            let mut ticks = tokio::time::interval(pause);
            let mut commits = Vec::new();
            for nth in 0..count {
                ticks.tick().await;
                let number = nth * WRITERS + writer;
                let account = &accounts[number as usize % accounts.len()];
                append(&outbox, account, number).await?;
                commits.push((number, Instant::now()));
            }
            anyhow::Ok(commits)
        });
    }
    let mut commits = HashMap::new();
    while let Some(written) = writers.join_next().await {
        commits.extend(written??);
    }
    Ok(commits)
}

async fn append(outbox: &Outbox, account: &Account, number: u64) -> anyhow::Result<()> {
    let mut tx = outbox.begin().await?;
    let name = format!("bench-{number}");
    let stream = events::open_own_in_tx(&mut tx, account.user, &name).await?;
    let event = NewEvent {
        event_type: "bench.happened".to_owned(),
        schema: 1,
        data: json!({ "number": number }),
    };
    let stream = stream.context("a stream")?;
    events::append_expecting_in_tx(&mut tx, stream, Expected::Any, &[event], "bench").await?;
    tx.commit().await?;
    Ok(())
}
