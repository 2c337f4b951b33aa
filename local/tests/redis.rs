//! The private Redis: what it has answered for survives its death.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::process::Command;

use local::redis::{PrivateRedis, RedisOptions};

fn options(folder: &Path) -> RedisOptions {
    RedisOptions::new(folder.join("redis"), folder.join("redis.log"))
}

fn redis(server: &PrivateRedis, arguments: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-u", &server.url()])
        .args(arguments)
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_write_survives_a_kill_and_a_restart_on_the_same_port() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = PrivateRedis::start(options(folder.path())).await.unwrap();
    let port = server.port();
    assert_eq!(redis(&server, &["set", "killed", "1"]), "OK");
    server.crash().await;
    server.resume().await.unwrap();
    assert_eq!(redis(&server, &["get", "killed"]), "1");
    assert_eq!(redis(&server, &["set", "restarted", "2"]), "OK");
    server.restart().await.unwrap();
    assert_eq!(server.port(), port);
    assert_eq!(redis(&server, &["mget", "killed", "restarted"]), "1\n2");
}

#[tokio::test]
async fn a_second_start_keeps_data_and_password_and_stops_a_leftover() {
    let folder = tempfile::tempdir().unwrap();
    let forgotten = PrivateRedis::start(options(folder.path())).await.unwrap();
    assert_eq!(redis(&forgotten, &["set", "kept", "yes"]), "OK");
    let mut next = options(folder.path());
    next.preferred_port = forgotten.port();
    let server = PrivateRedis::start(next).await.unwrap();
    assert_eq!(server.url(), forgotten.url());
    assert_ne!(server.pid(), forgotten.pid());
    assert_eq!(redis(&server, &["get", "kept"]), "yes");
}

#[tokio::test]
async fn a_client_without_the_password_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let server = PrivateRedis::start(options(folder.path())).await.unwrap();
    let output = Command::new("redis-cli")
        .args(["-p", &server.port().to_string(), "ping"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("NOAUTH"));
}
