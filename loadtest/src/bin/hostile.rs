//! What hostile requests cost: for each kind, several at once, the status that they get, the bytes that they
//! could send, and the memory and CPU time of the API, beside how long an honest request takes meanwhile.
//!
//! The stack and its programs are those of the folder of this benchmark.

use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use common::reqwest::Client;
use futures::future::join_all;
use loadtest::{cpu_seconds, memory_mib, pid_of_api, start_stack};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Hostile clients of one kind at the same time.
const AT_ONCE: usize = 8;
/// What each would send if nobody stopped it.
const BYTES_MAX: usize = 512 * 1024 * 1024;
/// A client whose request is not answered by then goes away.
const PATIENCE: Duration = Duration::from_secs(40);
/// Between two looks at the memory.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A request that never ends.
struct Kind {
    name: &'static str,
    path: &'static str,
    content_type: &'static str,
    /// Sent once, then `again` for ever.
    first: Vec<u8>,
    again: Vec<u8>,
    /// Between two chunks.
    pause: Duration,
}

fn kinds() -> Vec<Kind> {
    let form = "multipart/form-data; boundary=b";
    let head = b"--b\r\ncontent-disposition: form-data; name=\"description\"\r\n".to_vec();
    let filler = vec![b'x'; 64 * 1024];
    let upload = |name, first: Vec<u8>, again: &[u8]| Kind {
        name,
        path: "/api/ai/upload-package",
        content_type: form,
        first,
        again: again.to_vec(),
        pause: Duration::ZERO,
    };
    let part = [head.as_slice(), b"\r\nx\r\n"].concat();
    vec![
        upload("form: preamble", Vec::new(), &filler),
        upload(
            "form: endless head",
            [&head, b"x: ".as_slice()].concat(),
            &filler,
        ),
        upload(
            "form: endless text",
            [&head, b"\r\n".as_slice()].concat(),
            &filler,
        ),
        upload("form: tiny parts", Vec::new(), &part.repeat(500)),
        Kind {
            path: "/api/ai/validate-package",
            content_type: "application/json",
            ..upload("JSON: white space", b"{".to_vec(), &[b' '; 64 * 1024])
        },
        Kind {
            path: "/api/auth/login",
            content_type: "application/json",
            ..upload("small body: white space", b"{".to_vec(), &[b' '; 64 * 1024])
        },
        Kind {
            path: "/api/ai/batch-upload",
            content_type: "application/json",
            pause: Duration::from_secs(1),
            ..upload("drip: a byte a second", b"{".to_vec(), b" ")
        },
    ]
}

/// Sends until it is answered or the other side takes no more: the status, and what went out.
async fn attack(authority: &str, token: &str, kind: &Kind) -> anyhow::Result<(String, usize)> {
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: api\r\nauthorization: Bearer {token}\r\ncontent-type: {}\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
        kind.path, kind.content_type
    );
    stream.write_all(request.as_bytes()).await?;
    let (mut reading, mut writing) = stream.into_split();
    let answer = tokio::spawn(async move {
        let mut head = [0; 12];
        let read = tokio::time::timeout(PATIENCE, reading.read_exact(&mut head)).await;
        match read {
            Ok(Ok(_)) => String::from_utf8_lossy(&head[9..]).into_owned(),
            Ok(Err(_)) => "reset".to_owned(),
            Err(_) => "none".to_owned(),
        }
    });
    let (mut sent, mut next) = (0, kind.first.as_slice());
    while sent < BYTES_MAX && !answer.is_finished() {
        let chunk = [format!("{:x}\r\n", next.len()).as_bytes(), next, b"\r\n"].concat();
        if !next.is_empty() && writing.write_all(&chunk).await.is_err() {
            break;
        }
        sent += next.len();
        next = &kind.again;
        tokio::time::sleep(kind.pause).await;
    }
    Ok((answer.await?, sent))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let stack = start_stack(&folder.path().join("stack")).await?;
    let authority = stack.base_url.trim_start_matches("http://").to_owned();
    let api = pid_of_api(&stack.folder)?;
    let honest = Client::builder().no_proxy().tls_certs_only([]).build()?;
    println!(
        "{:26} {:>16} {:>10} {:>10} {:>8} {:>12}",
        "kind, 8 at once", "answers", "sent MiB", "RSS + MiB", "CPU s", "honest ms"
    );
    for kind in kinds() {
        let (idle, before) = (memory_mib(api)?, cpu_seconds(api)?);
        let attacks = join_all((0..AT_ONCE).map(|_| attack(&authority, &stack.keys.seller, &kind)));
        let (mut most, mut slowest) = (0_f64, 0_f64);
        let watching = async {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                most = most.max(memory_mib(api).unwrap_or_default() - idle);
                let start = Instant::now();
                let health = honest
                    .get(format!("{}/health", stack.base_url))
                    .send()
                    .await;
                if health.is_ok_and(|answer| answer.status() == 200) {
                    slowest = slowest.max(start.elapsed().as_secs_f64() * 1e3);
                } else {
                    slowest = f64::INFINITY;
                }
            }
        };
        let ends = tokio::select! {
            ends = attacks => ends,
            () = watching => anyhow::bail!("watching never ends"),
        };
        let ends = ends.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let mut answers: Vec<&str> = ends.iter().map(|(status, _)| status.as_str()).collect();
        answers.sort_unstable();
        answers.dedup();
        let sent = ends
            .iter()
            .map(|(_, sent)| sent)
            .max()
            .copied()
            .unwrap_or_default();
        println!(
            "{:26} {:>16} {:>10.1} {most:>10.1} {:>8.2} {slowest:>12.1}",
            kind.name,
            answers.join(", "),
            sent as f64 / (1024.0 * 1024.0),
            cpu_seconds(api)? - before,
        );
    }
    stack.stop().await;
    Ok(())
}
