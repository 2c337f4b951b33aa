//! Purchases through a whole stack of processes: from the request to its answer, the trip through Redis
//! and the worker included, at a steady pace of different buyers of one package.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Parser;
use common::reqwest::Client;
use futures::{StreamExt as _, TryStreamExt as _};
use loadtest::fsync_probe;
use local::stack::Stack;
use serde_json::{Value, json};
use sqlx::PgPool;

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Purchases per second
    #[arg(long, default_value_t = 50)]
    per_second: u64,
    /// Seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// Keys made at once.
const KEYS_AT_ONCE: usize = 8;
/// The first purchases warm connections and plans, and are not counted.
const WARM_UP: usize = 50;

/// A package of the seller, and credits for every buyer.
const SETUP: [&str; 4] = [
    "insert into objects (key, sha256, size_bytes) values ('bench', sha256(''), 1)",
    "insert into packages (id, public_id, owner_id, upload_id, package_type, name, description, source_model,
                           target_model, epsilon_declared, evidence_level, package_key, w_matrix_key, report,
                           line_id)
     select api_keys.id, 'pkg_bench', user_id, gen_random_uuid(), 'vector', 'bench', 'bench', 'a', 'b', 0.05,
            'declared', 'bench', 'bench', '{}', api_keys.id
     from api_keys
     order by created_at
     limit 1",
    "insert into listings (package_id, seller_id, api_key_id, price_minor)
     select packages.id, owner_id, api_keys.id, 999
     from packages
     join api_keys on user_id = owner_id
     limit 1",
    "select ledger_post('top_up', gen_random_uuid(), 'USD', 'bench',
                        array[users.id, '00000000-0000-0000-0000-000000000000'],
                        array['buyer_credits', 'payments_clearing'], array[999, -999]::bigint[])
     from users
     where name like 'bench-%'",
];

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
    let result = measure(&stack, &arguments).await;
    if result.is_ok() {
        println!("fsync probe: {:.2} ms", fsync_probe(&folder)?);
    }
    stack.stop().await;
    result
}

async fn measure(stack: &Stack, arguments: &Arguments) -> anyhow::Result<()> {
    let client = Client::new();
    let count = WARM_UP + (arguments.per_second * arguments.seconds) as usize;
    let keys: Vec<String> = futures::stream::iter(0..count)
        .map(|number| create_key(stack, &client, number))
        .buffered(KEYS_AT_ONCE)
        .try_collect()
        .await?;
    let owner = PgPool::connect(&stack.migration_database_url).await?;
    for statement in SETUP {
        sqlx::query(statement).execute(&owner).await?;
    }
    for key in &keys[..WARM_UP] {
        purchase(stack, &client, key).await?;
    }
    let mut ticks =
        tokio::time::interval(Duration::from_secs_f64(1.0 / arguments.per_second as f64));
    let mut sent = tokio::task::JoinSet::new();
    for key in &keys[WARM_UP..] {
        ticks.tick().await;
        let (request, key) = (request(stack, &client, key), key.clone());
        sent.spawn(async move {
            let start = Instant::now();
            let status = request.send().await?.status();
            ensure!(status == 200, "{key} got {status}");
            Ok(start.elapsed())
        });
    }
    let mut latencies = Vec::with_capacity(count);
    while let Some(answered) = sent.join_next().await {
        latencies.push(answered??);
    }
    latencies.sort();
    let ms = |share: f64| latencies[(latencies.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "purchase request to answer, {} purchases at {}/s: p50 {:.1} ms, p99 {:.1} ms",
        latencies.len(),
        arguments.per_second,
        ms(0.5),
        ms(0.99)
    );
    let (purchases, settlements): (i64, i64) = sqlx::query_as(
        "select (select count(*) from purchases where state = 'settled'),
                (select count(*) from transfers where kind = 'settlement')",
    )
    .fetch_one(&owner)
    .await?;
    ensure!(
        purchases as usize == count && settlements == purchases,
        "{count} purchases, {settlements} settlements"
    );
    println!("{settlements} settlements, 0 lost, 0 doubled");
    Ok(())
}

async fn create_key(stack: &Stack, client: &Client, number: usize) -> anyhow::Result<String> {
    let request = client
        .post(format!("{}/admin/keys", stack.base_url))
        .bearer_auth(&stack.admin_token)
        .json(&json!({ "user": format!("bench-{number}"), "name": "bench", "permissions": ["purchase"] }));
    let answer: Value = request.send().await?.error_for_status()?.json().await?;
    let key = answer["data"]["apiKey"].as_str().context("a key")?;
    Ok(key.to_owned())
}

fn request(stack: &Stack, client: &Client, key: &str) -> common::reqwest::RequestBuilder {
    client
        .post(format!("{}/api/ai/purchase-package", stack.base_url))
        .bearer_auth(key)
        .json(&json!({ "packageType": "vector", "packageId": "pkg_bench", "paymentMethod": "credits" }))
}

async fn purchase(stack: &Stack, client: &Client, key: &str) -> anyhow::Result<()> {
    let answer = request(stack, client, key).send().await?;
    let status = answer.status();
    ensure!(status == 200, "{status}: {}", answer.text().await?);
    Ok(())
}
