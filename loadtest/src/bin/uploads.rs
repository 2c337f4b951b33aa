//! Uploads through a whole stack of processes: how soon work starts, and what a large body costs.
//!
//! 1. At 100 uploads/s of 10 KB: from the begin of the upload's transaction to the lease of its job, as
//!    PostgreSQL's clock saw both.
//! 2. A 50 MB JSON body, alone and four at once: the API's memory above idle, and the throughput
//!    beside base64 decoding, SHA-256 and PUT measured alone in the same run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Parser;
use common::config::StorageConfig;
use common::db::PgPool;
use common::reqwest::{Body, Client};
use common::storage::Storage;
use loadtest::{memory_mib, pid_of_api};
use local::stack::Stack;
use sha2::{Digest as _, Sha256};

#[derive(Parser)]
struct Arguments {
    /// Folder of the stack; a temporary one if not given
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Seconds of the paced part
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

const PER_SECOND: u64 = 100;
const SMALL_BYTES: usize = 10_000;
const LARGE_BYTES: usize = 37_000_000;
const PART_BYTES: usize = common::limits::PART_BYTES;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    common::tls::install_provider();
    let temporary = tempfile::tempdir()?;
    let folder = arguments
        .folder
        .unwrap_or_else(|| temporary.path().join("stack"));
    let stack = loadtest::start_stack(&folder).await?;
    let result = measure(&stack, &folder, arguments.seconds).await;
    stack.stop().await;
    result
}

async fn measure(stack: &Stack, folder: &Path, seconds: u64) -> anyhow::Result<()> {
    let client = Client::new();
    let pool = PgPool::connect(&stack.migration_database_url).await?;
    paced(stack, &client, &pool, seconds).await?;
    large(stack, &client, folder).await
}

/// Small uploads at a steady pace.
async fn paced(stack: &Stack, client: &Client, pool: &PgPool, seconds: u64) -> anyhow::Result<()> {
    let body = upload_body(SMALL_BYTES / 2, SMALL_BYTES / 2);
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / PER_SECOND));
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..PER_SECOND * seconds {
        ticks.tick().await;
        let (request, body) = (post(stack, client), body.clone());
        sent.spawn(
            async move { Ok::<_, anyhow::Error>(request.body(body).send().await?.status()) },
        );
    }
    while let Some(status) = sent.join_next().await {
        let status = status??;
        ensure!(status == 202, "an upload got {status}");
    }
    let (count, p50, p99): (i64, f64, f64) = sqlx::query_as(
        "select count(*),
                percentile_cont(0.5) within group (order by delay_ms)::float8,
                percentile_cont(0.99) within group (order by delay_ms)::float8
         from (
             select extract(epoch from started_at - created_at) * 1000 as delay_ms
             from jobs
             where name = 'validate_upload'
         ) as starts",
    )
    .fetch_one(pool)
    .await?;
    println!(
        "upload transaction to job start, {count} uploads at {PER_SECOND}/s: p50 {p50:.2} ms, p99 {p99:.2} ms"
    );
    Ok(())
}

/// Large bodies, alone and together.
async fn large(stack: &Stack, client: &Client, folder: &Path) -> anyhow::Result<()> {
    let body = upload_body(LARGE_BYTES / 2, LARGE_BYTES / 2);
    let megabytes = body.len() as f64 / 1e6;
    let pid = pid_of_api(folder)?;
    let floor = floor(folder).await?;
    println!(
        "base64 + SHA-256 + PUT of {megabytes:.0} MB alone: {:.0} MB/s",
        megabytes / floor.as_secs_f64()
    );
    for at_once in [1, 4] {
        let idle = memory_mib(pid)?;
        let start = Instant::now();
        let mut sent = tokio::task::JoinSet::new();
        for _ in 0..at_once {
            let request = post(stack, client).body(Body::from(body.clone()));
            sent.spawn(async move { Ok::<_, anyhow::Error>(request.send().await?.status()) });
        }
        let mut peak = idle;
        while !sent.is_empty() {
            tokio::select! {
                Some(status) = sent.join_next() => {
                    let status = status??;
                    ensure!(status == 202, "an upload got {status}");
                }
                () = tokio::time::sleep(Duration::from_millis(5)) => peak = peak.max(memory_mib(pid)?),
            }
        }
        let rate = megabytes * f64::from(at_once) / start.elapsed().as_secs_f64();
        let ratio = rate / (megabytes / floor.as_secs_f64());
        let growth = (peak - idle) / f64::from(at_once);
        println!(
            "{at_once} at once: {rate:.0} MB/s ({ratio:.2} of the floor), {growth:.1} MiB above idle each"
        );
    }
    Ok(())
}

/// The same bytes through the unavoidable steps alone, one after another.
async fn floor(folder: &Path) -> anyhow::Result<Duration> {
    let env = std::fs::read_to_string(folder.join("stack.env"))?;
    let value = |name: &str| {
        env.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
            .to_owned()
    };
    let endpoint: url::Url = value("S3_ENDPOINT").parse()?;
    let storage = Storage::new(&StorageConfig {
        public_endpoint: endpoint.clone(),
        endpoint,
        region: "us-east-1".to_owned(),
        bucket: value("S3_BUCKET"),
        access_key: value("S3_ACCESS_KEY"),
        secret_key: value("S3_SECRET_KEY").into(),
    });
    let text = STANDARD.encode(vec![7_u8; LARGE_BYTES]);
    let start = Instant::now();
    let bytes = base64_simd::STANDARD.decode_to_vec(text)?;
    std::hint::black_box(Sha256::digest(&bytes));
    for (number, part) in bytes.chunks(PART_BYTES).enumerate() {
        let part = bytes::Bytes::copy_from_slice(part);
        let sha256 = Sha256::digest(&part);
        storage
            .put(&format!("staging/floor.{number}"), part, &sha256)
            .await?;
    }
    Ok(start.elapsed())
}

fn post(stack: &Stack, client: &Client) -> common::reqwest::RequestBuilder {
    client
        .post(format!("{}/api/ai/upload-package", stack.base_url))
        .bearer_auth(&stack.keys.seller)
        .header("content-type", "application/json")
}

/// A body whose blobs are no package: they are received, staged and refused like any other.
fn upload_body(package_bytes: usize, w_matrix_bytes: usize) -> bytes::Bytes {
    let blob = |size: usize, value: u8| STANDARD.encode(vec![value; size]);
    let body = format!(
        r#"{{"packageType":"vector","name":"A measured upload","description":"Bytes that are sent to be measured.",
            "sourceModel":"a","targetModel":"b","epsilon":0.05,"price":1,"vectorData":"{}","wMatrixData":"{}"}}"#,
        blob(package_bytes, 1),
        blob(w_matrix_bytes, 2),
    );
    bytes::Bytes::from(body)
}
