//! A load of HTTP/1.1 requests over kept connections, cheap enough not to be what is measured.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// More connections than this pace themselves: one request a second each.
const PACED_FROM: usize = 500;

/// Who asks what, for how long.
pub struct Load {
    pub address: SocketAddr,
    pub from: Ipv4Addr,
    /// Asked one after another, by all connections together, from the start again at the end.
    pub paths: Vec<String>,
    pub connections: usize,
    pub time: Duration,
}

/// How long each answer took, in milliseconds, in order.
pub struct Outcome {
    times: Vec<f64>,
    pub refused: usize,
    seconds: f64,
}

impl Outcome {
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }

    /// Its rate, and that as a share of another's.
    pub fn beside(&self, other: &Outcome) -> String {
        let share = self.per_second() / other.per_second();
        format!("{:.0}/s ({share:.2})", self.per_second())
    }

    fn percentile(&self, share: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.times.get(index).copied().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [half, most, nearly_all] = [0.5, 0.95, 0.99].map(|share| self.percentile(share));
        write!(
            f,
            "{} at {:.0}/s, p50 {half:.1} ms, p95 {most:.1} ms, p99 {nearly_all:.1} ms, {} refused",
            self.times.len(),
            self.per_second(),
            self.refused
        )
    }
}

impl Load {
    pub async fn run(self) -> anyhow::Result<Outcome> {
        let load = Arc::new(self);
        let turn = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let mut connections = JoinSet::new();
        for number in 0..load.connections {
            let (load, turn) = (Arc::clone(&load), Arc::clone(&turn));
            connections.spawn(async move { load.connection(number, &turn, start).await });
        }
        let (mut times, mut refused) = (Vec::new(), 0);
        while let Some(outcome) = connections.join_next().await {
            let (part, failed) = outcome??;
            times.extend(part);
            refused += failed;
        }
        times.sort_by(f64::total_cmp);
        Ok(Outcome {
            times,
            refused,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    async fn connection(
        &self,
        number: usize,
        turn: &AtomicUsize,
        start: Instant,
    ) -> anyhow::Result<(Vec<f64>, usize)> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((self.from, 0)))?;
        let mut stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        let is_paced = self.connections >= PACED_FROM;
        if is_paced {
            let share = number as f64 / self.connections as f64;
            tokio::time::sleep(Duration::from_secs_f64(share)).await;
        }
        let (mut times, mut refused) = (Vec::new(), 0);
        let mut buffer = Vec::with_capacity(64 * 1024);
        while start.elapsed() < self.time {
            let path = &self.paths[turn.fetch_add(1, Ordering::Relaxed) % self.paths.len()];
            let asked = Instant::now();
            let status = ask(&mut stream, path, &mut buffer).await?;
            times.push(asked.elapsed().as_secs_f64() * 1e3);
            refused += usize::from(status != 200);
            if is_paced {
                tokio::time::sleep(Duration::from_secs(1).saturating_sub(asked.elapsed())).await;
            }
        }
        Ok((times, refused))
    }
}

/// One exchange: the status.
async fn ask(stream: &mut TcpStream, path: &str, buffer: &mut Vec<u8>) -> anyhow::Result<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: market\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server hung up");
        }
        let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(&buffer[..head])?;
        let status = text.get(9..12).context("a status")?.parse()?;
        let length = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.context("a length")?.parse()?;
        while buffer.len() < head + 4 + length {
            if stream.read_buf(buffer).await? == 0 {
                bail!("the server hung up");
            }
        }
        return Ok(status);
    }
}

/// Returns when somebody listens.
pub async fn until_served(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
