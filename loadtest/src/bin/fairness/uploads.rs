//! Small uploads of one tenant beside large ones of another.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use common::reqwest::Client;
use uuid::Uuid;

use super::packages::Package;
use super::{Bench, Waits};

/// Uploads of the quiet tenant when it is alone.
const ALONE: u64 = 10;
/// Between two uploads of the quiet tenant.
const EVERY: Duration = Duration::from_millis(400);
/// Uploads of the quiet tenant beside the others, at most.
const BESIDE_MAX: u64 = 60;
/// How long one may take.
const GIVE_UP: Duration = Duration::from_secs(180);

/// Prints the waits; answers the longest from acceptance to start, in seconds.
pub async fn measure(bench: &Bench, large: usize) -> anyhow::Result<f64> {
    let client = Client::new();
    let mut quiet = Vec::new();
    for number in 0..ALONE {
        quiet.push(small(bench, &client, number).await?);
        tokio::time::sleep(EVERY).await;
    }
    report(bench, "a small upload, alone", &quiet).await?;

    pause(bench, true).await?;
    let mut sends = tokio::task::JoinSet::new();
    for number in 0..large {
        let package = Package::large(1000 + number as u64);
        if number == 0 {
            println!("each large upload has {} bytes", package.size_bytes());
        }
        let (client, url) = (client.clone(), url(bench));
        let key = bench.stack.keys.seller.clone();
        sends.spawn(async move { send(&client, &url, &key, package).await });
    }
    let mut flood = Vec::new();
    while let Some(sent) = sends.join_next().await {
        flood.push(sent??);
    }
    pause(bench, false).await?;
    until_running(bench).await?;
    let mut quiet = Vec::new();
    for number in 0..BESIDE_MAX {
        quiet.push(small(bench, &client, 100 + number).await?);
        tokio::time::sleep(EVERY).await;
        if waiting(bench, &flood).await? == 0 {
            break;
        }
    }
    let what = format!("a small upload, beside {large} large ones of another");
    let worst = report(bench, &what, &quiet).await?;
    report(bench, "the large ones themselves", &flood).await?;
    Ok(worst)
}

async fn small(bench: &Bench, client: &Client, number: u64) -> anyhow::Result<String> {
    send(
        client,
        &url(bench),
        &bench.stack.keys.buyer,
        Package::small(number),
    )
    .await
}

fn url(bench: &Bench) -> String {
    format!("{}/api/ai/upload-package", bench.stack.base_url)
}

/// Uploads and answers the upload's public id.
async fn send(client: &Client, url: &str, key: &str, package: Package) -> anyhow::Result<String> {
    let answer = client
        .post(url)
        .bearer_auth(key)
        .multipart(package.form())
        .send()
        .await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status == 202, "an upload got {status}: {text}");
    let body: serde_json::Value = serde_json::from_str(&text)?;
    let id = body["data"]["uploadId"].as_str().context("an upload id")?;
    Ok(id.to_owned())
}

/// Stops the validations, or lets them go on.
async fn pause(bench: &Bench, paused: bool) -> anyhow::Result<()> {
    sqlx::query(
        "insert into queue_controls (queue, paused, reason)
         values ('validate', $1, 'benchmark')
         on conflict (queue) do update set paused = excluded.paused",
    )
    .bind(paused)
    .execute(&bench.pool)
    .await?;
    Ok(())
}

async fn until_running(bench: &Bench) -> anyhow::Result<()> {
    let running =
        "select exists (select from jobs where name = 'validate_upload' and state = 'running')";
    while !sqlx::query_scalar::<_, bool>(running)
        .fetch_one(&bench.pool)
        .await?
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// How many of these are not validated yet.
async fn waiting(bench: &Bench, uploads: &[String]) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(
        "select count(*)
         from jobs
         join uploads on uploads.id = subject
         where jobs.name = 'validate_upload'
           and jobs.state in ('ready', 'running')
           and public_id = any($1)",
    )
    .bind(uploads)
    .fetch_one(&bench.pool)
    .await?)
}

/// Waits for their ends and prints what they waited for. Answers the longest wait for a start.
async fn report(bench: &Bench, what: &str, uploads: &[String]) -> anyhow::Result<f64> {
    let ended = async {
        loop {
            let open: i64 = sqlx::query_scalar(
                "select count(*)
                 from uploads
                 where public_id = any($1)
                   and finished_at is null",
            )
            .bind(uploads)
            .fetch_one(&bench.pool)
            .await?;
            if open == 0 {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(GIVE_UP, ended)
        .await
        .context("uploads did not end")??;
    let rows: Vec<(Uuid, f64, f64)> = sqlx::query_as(
        "select uploads.id,
                extract(epoch from jobs.started_at - jobs.created_at)::float8,
                extract(epoch from uploads.finished_at - jobs.created_at)::float8
         from uploads
         join jobs on subject = uploads.id and jobs.name = 'validate_upload'
         where public_id = any($1)",
    )
    .bind(uploads)
    .fetch_all(&bench.pool)
    .await?;
    let starts = Waits::new(
        &format!("{what}: accepted to started"),
        rows.iter().map(|(_, start, _)| *start).collect(),
    );
    let ends = Waits::new(
        &format!("{what}: accepted to ended"),
        rows.iter().map(|(_, _, end)| *end).collect(),
    );
    starts.print();
    ends.print();
    Ok(starts.worst())
}
