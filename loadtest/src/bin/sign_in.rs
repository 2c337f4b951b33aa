//! How long an honest sign-in takes while 1,000 others come from 100 addresses at once: as a device that
//! signed in before, and as a stranger from an address that nobody uses. Beside it the same sign-in alone, and
//! a bare request at the same moment: what the flood costs whoever hashes nothing.
//!
//! The stack and its programs are those of the folder of this benchmark. Loopback has 16 million addresses:
//! each client is bound to one of its own, and none to 127.0.0.1, which is trusted.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use common::reqwest::Client;
use futures::future::join_all;
use loadtest::{median, start_stack};
use serde_json::{Value, json};
use tokio::sync::watch;

const ADDRESSES: u8 = 100;
const SIGN_INS_EACH: usize = 10;
const ALONE: usize = 5;
const PASSWORD: &str = "correct horse battery";
const ADDRESS: &str = "honest@example.com";

/// The sign-in of one address.
#[derive(Clone)]
struct Caller {
    http: Client,
    base_url: String,
}

impl Caller {
    fn new(base_url: &str, address: Ipv4Addr) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            // No certificates: reading them takes longer than the sign-in.
            .tls_certs_only([])
            .local_address(Some(address.into()))
            .build()?;
        Ok(Self {
            http,
            base_url: base_url.to_owned(),
        })
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let request = self.http.post(format!("{}{path}", self.base_url));
        let response = request
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_str(&response.text().await?)?))
    }

    /// Milliseconds of a sign-in; one that is told to come back does, and has waited meanwhile.
    async fn sign_in(&self, body: &Value) -> anyhow::Result<(f64, usize)> {
        let (start, mut refused) = (Instant::now(), 0);
        loop {
            let (status, answer) = self.post("/api/auth/login", body).await?;
            if status == 200 {
                return Ok((start.elapsed().as_secs_f64() * 1e3, refused));
            }
            ensure!([429, 503].contains(&status), "{status}: {answer}");
            refused += 1;
            let wait = answer["error"]["retryAfter"].as_u64().unwrap_or(1);
            tokio::time::sleep(Duration::from_secs(wait)).await;
        }
    }
}

/// How a flood was answered: statuses, and how often.
type Statuses = BTreeMap<u16, usize>;

/// A thousand sign-ins to names that nobody has, from addresses `127.<network>.0.1` to `.100`.
async fn flood(
    base_url: &str,
    network: u8,
    first_answer: watch::Sender<bool>,
) -> anyhow::Result<(Statuses, f64)> {
    let callers: Vec<Caller> = (1..=ADDRESSES)
        .map(|host| Caller::new(base_url, Ipv4Addr::new(127, network, 0, host)))
        .collect::<anyhow::Result<_>>()?;
    let start = Instant::now();
    let mut sign_ins = Vec::new();
    for turn in 0..SIGN_INS_EACH {
        for (host, caller) in callers.iter().enumerate() {
            let caller = caller.clone();
            let first_answer = first_answer.clone();
            sign_ins.push(tokio::spawn(async move {
                let email = format!("nobody-{host}-{turn}@example.com");
                let body = json!({ "email": email, "password": PASSWORD });
                let answer = caller.post("/api/auth/login", &body).await;
                first_answer.send_replace(true);
                answer.map_or(0, |(status, _)| status)
            }));
        }
    }
    let mut statuses = Statuses::new();
    for status in join_all(sign_ins).await {
        *statuses.entry(status?).or_default() += 1;
    }
    Ok((statuses, start.elapsed().as_secs_f64()))
}

/// An honest sign-in that begins once the flood has its first answer.
async fn under_flood(
    base_url: &str,
    network: u8,
    honest: &Caller,
    body: &Value,
) -> anyhow::Result<String> {
    let (first_answer, mut seen) = watch::channel(false);
    let flood = {
        let base_url = base_url.to_owned();
        tokio::spawn(async move { flood(&base_url, network, first_answer).await })
    };
    seen.wait_for(|is_seen| *is_seen).await?;
    let bare = async {
        let start = Instant::now();
        let url = format!("{}/.well-known/jwks.json", honest.base_url);
        let answer = honest.http.get(url).send().await?;
        ensure!(answer.status().is_success(), "{}", answer.status());
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let (signed_in, bare) = tokio::join!(honest.sign_in(body), bare);
    let ((millis, refused), bare) = (signed_in?, bare?);
    let (statuses, seconds) = flood.await??;
    Ok(format!(
        "{millis:7.0} ms, told to come back {refused} times; a bare request {bare:.0} ms; the flood: {statuses:?} in {seconds:.1} s"
    ))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let stack = start_stack(&folder.path().join("stack")).await?;
    let base_url = stack.base_url.clone();
    let home = Caller::new(&base_url, Ipv4Addr::new(127, 1, 0, 1))?;
    let registration = json!({ "email": ADDRESS, "username": "honest", "password": PASSWORD });
    let (status, registered) = home.post("/api/auth/register", &registration).await?;
    ensure!(status == 201, "{registered}");
    let stranger = json!({ "email": ADDRESS, "password": PASSWORD });
    let mut known = stranger.clone();
    if let Some(token) = registered["data"].get("deviceToken") {
        known["deviceToken"] = token.clone();
    }
    let mut alone = Vec::new();
    for _ in 0..ALONE {
        alone.push(home.sign_in(&stranger).await.context("alone")?.0);
    }
    println!("alone                 {:7.0} ms", median(alone));
    let travelling = Caller::new(&base_url, Ipv4Addr::new(127, 1, 0, 2))?;
    let told = under_flood(&base_url, 2, &travelling, &known).await?;
    println!("a known device        {told}");
    let new = Caller::new(&base_url, Ipv4Addr::new(127, 1, 0, 3))?;
    let told = under_flood(&base_url, 3, &new, &stranger).await?;
    println!("a stranger            {told}");
    stack.stop().await;
    Ok(())
}
