//! The sandbox receiver tells good signatures from bad ones and wakes whoever waits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use axum::http::StatusCode;
use hmac::{Hmac, KeyInit, Mac};
use local::receiver::{Receiver, Signature};
use sha2::Sha256;
use standardwebhooks::Webhook;

const DEADLINE: Duration = Duration::from_secs(30);
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn receiver() -> Receiver {
    Receiver::start(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .unwrap()
}

/// Posts the body with the headers and returns the status.
async fn post(url: String, body: &str, headers: &[String]) -> String {
    let (body, headers) = (body.to_owned(), headers.to_vec());
    let run = move || {
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--write-out",
            "%{http_code}",
            "--data-binary",
            &body,
            &url,
        ]);
        for header in headers {
            command.args(["--header", &header]);
        }
        command.output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn awareness_signature(key: &str, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .unwrap()
        .chain_update(body);
    format!(
        "x-awareness-signature: {}",
        hex::encode(mac.finalize().into_bytes())
    )
}

fn standard_headers(secret: &str, body: &str) -> Vec<String> {
    let now = chrono::Utc::now().timestamp();
    let signature = Webhook::new(secret)
        .unwrap()
        .sign("msg_1", now, body.as_bytes())
        .unwrap();
    vec![
        "webhook-id: msg_1".to_owned(),
        format!("webhook-timestamp: {now}"),
        format!("webhook-signature: {signature}"),
    ]
}

#[tokio::test]
async fn a_waiter_is_woken_by_the_upload_it_waits_for() {
    let receiver = receiver().await;
    receiver.trust_api_key("ak_live_seller");
    receiver.trust_standard_secret(SECRET);
    let body = r#"{"event":"upload.completed","uploadId":"upload_2","packageId":"pkg_1"}"#;
    let mut headers = standard_headers(SECRET, body);
    headers.push(awareness_signature("ak_live_seller", body));
    let other = r#"{"event":"upload.failed","uploadId":"upload_1"}"#;
    let (found, first, second) = tokio::join!(
        tokio::time::timeout(DEADLINE, receiver.wait_for_upload("upload_2")),
        post(format!("{}/hooks", receiver.url()), other, &[]),
        post(format!("{}/hooks", receiver.url()), body, &headers),
    );
    assert_eq!((first.as_str(), second.as_str()), ("200", "200"));
    let found = found.unwrap();
    assert_eq!(found.event.as_deref(), Some("upload.completed"));
    assert_eq!(found.body["packageId"], "pkg_1");
    assert_eq!(
        (found.awareness_signature, found.standard_signature),
        (Signature::Valid, Signature::Valid)
    );
    assert_eq!(
        receiver
            .wait_for_upload("upload_1")
            .await
            .awareness_signature,
        Signature::Missing
    );
}

#[tokio::test]
async fn a_signature_by_an_unknown_key_or_over_another_body_is_invalid() {
    let receiver = receiver().await;
    receiver.trust_api_key("ak_live_seller");
    receiver.trust_standard_secret(SECRET);
    let mut headers = standard_headers(SECRET, "{}");
    headers.push(awareness_signature(
        "ak_live_stranger",
        r#"{"uploadId":"u"}"#,
    ));
    post(receiver.url(), r#"{"uploadId":"u"}"#, &headers).await;
    let found = receiver.wait_for_upload("u").await;
    assert_eq!(
        (found.awareness_signature, found.standard_signature),
        (Signature::Invalid, Signature::Invalid)
    );
}

#[tokio::test]
async fn an_api_key_verifies_both_signatures() {
    let receiver = receiver().await;
    let key = "ak_ai_0123456789abcdef0123456789abcdef";
    receiver.trust_api_key(key);
    let body = r#"{"uploadId":"u"}"#;
    // The secret that the sender's own test pins for this key.
    let secret = "whsec_YWtfYWlfMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let mut headers = standard_headers(secret, body);
    headers.push(awareness_signature(key, body));
    post(receiver.url(), body, &headers).await;
    let found = receiver.wait_for_upload("u").await;
    assert_eq!(
        (found.awareness_signature, found.standard_signature),
        (Signature::Valid, Signature::Valid)
    );
    assert_eq!(found.text, body);
    assert_eq!(found.headers["webhook-id"], "msg_1");
}

#[tokio::test]
async fn the_list_is_json_and_a_switched_answer_is_given_and_noted() {
    let receiver = receiver().await;
    receiver.set_answer(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        post(format!("{}/a", receiver.url()), "no json", &[]).await,
        "503"
    );
    let url = format!("{}/received", receiver.url());
    let run = move || {
        Command::new("curl")
            .args(["--silent", &url])
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(list[0]["body"], "no json");
    assert_eq!(list[0]["answered"], 503);
    assert_eq!(list[0]["path"], "/a");
    assert_eq!(list[0]["awarenessSignature"], "missing");
}
