//! A holder that is stopped (SIGSTOP) past the end of its lease: its write comes late and is refused.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tests::{Client, World};

use super::ground::{acquire, fence, granted, token};

/// A worker of an account: a process that renames the agent under its lease as soon as it reads a line.
fn worker(client: &Client, token: &str) -> Child {
    let script = r#"read -r _ && exec curl --silent --request PATCH "$URL" --header "authorization: Bearer $KEY" \
        --header "lease-token: $TOKEN" --header 'if-match: *' --header 'content-type: application/json' \
        --data '{"name": "Late"}' --output /dev/null --write-out '%{http_code}'"#;
    let url = format!("http://{}/api/agents/broker", client.authority());
    Command::new("sh")
        .args(["-c", script])
        .env("URL", url)
        .env("KEY", client.token())
        .env("TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(worker: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([format!("-{signal}"), worker.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Has the worker write: the status of the answer.
fn write(mut worker: Child) -> String {
    worker.stdin.take().unwrap().write_all(b"now\n").unwrap();
    let output = worker.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_of_a_holder_that_was_stopped_past_its_lease_is_refused() {
    let world = World::only_api().await;
    let agent = json!({
        "agentId": "broker",
        "name": "First",
        "capabilities": ["vision"],
        "costPerTaskMinor": 250,
    });
    world.seller.post("/api/agents", &agent).await;

    let lease = acquire(&world.seller, "import").await;
    let in_time = worker(&world.seller, token(&lease));
    let status = tokio::task::spawn_blocking(move || write(in_time)).await;
    assert_eq!(
        status.unwrap(),
        "200",
        "a holder that is not stopped writes"
    );
    super::ground::expire(&world).await;

    let short = json!({ "resource": "import", "ttlMs": 1000 });
    let first = granted(&world.seller.post("/api/ai/leases", &short).await);
    let late = worker(&world.seller, token(&first));
    signal(&late, "STOP");
    // Granted as soon as the first one's time is over.
    let next = json!({ "resource": "import", "ttlMs": 300_000, "waitMs": 30_000 });
    let second = granted(&world.seller.post("/api/ai/leases", &next).await);
    assert!(fence(&second) > fence(&first));
    let renamed = world
        .seller
        .request(common::reqwest::Method::PATCH, "/api/agents/broker");
    let renamed = renamed
        .header("lease-token", token(&second))
        .header("if-match", "*")
        .json(&json!({ "name": "Second" }));
    assert_eq!(tests::client::send(renamed).await.status, 200);
    signal(&late, "CONT");
    let status = tokio::task::spawn_blocking(move || write(late)).await;
    assert_eq!(status.unwrap(), "410");
    let agent = world.anonymous.get("/api/agents/broker").await.data();
    assert_eq!(agent["name"], "Second");
}
