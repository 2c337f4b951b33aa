//! The S3 endpoint keeps the promises that uploads rely on, to the SDK and to plain curl.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine;
use local::s3::{LocalS3, S3Options};
use sha2::{Digest, Sha256};

const BUCKET: &str = "awareness";
const PART_BYTES: usize = 5 * 1024 * 1024;

async fn endpoint(folder: &Path) -> (LocalS3, Client) {
    let server = LocalS3::start(S3Options::sandbox(folder, BUCKET))
        .await
        .unwrap();
    let client = client(&server, "sandbox-secret");
    (server, client)
}

fn client(server: &LocalS3, secret: &str) -> Client {
    let configuration = aws_sdk_s3::Config::builder()
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(server.endpoint())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("sandbox", secret, None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .force_path_style(true)
        .build();
    Client::from_conf(configuration)
}

async fn put(client: &Client, key: &str, body: &[u8]) {
    let body = ByteStream::from(body.to_vec());
    client
        .put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body)
        .send()
        .await
        .unwrap();
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let object = client
        .get_object()
        .bucket(BUCKET)
        .key(key)
        .send()
        .await
        .unwrap();
    object.body.collect().await.unwrap().to_vec()
}

fn code<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.code().unwrap_or("no code").to_owned(),
    }
}

fn sha256(body: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(body))
}

/// The status and the body that curl got.
async fn curl(arguments: &[&str]) -> (String, String) {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    let run = move || {
        let fixed = ["--silent", "--write-out", "\n%{http_code}"];
        Command::new("curl")
            .args(fixed)
            .args(arguments)
            .output()
            .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.to_owned(), body.to_owned())
}

fn an_hour() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(3_600)).unwrap()
}

#[tokio::test]
async fn plain_curl_puts_and_gets_through_presigned_urls_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (server, client) = endpoint(folder.path()).await;
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("staging/one")
        .presigned(an_hour())
        .await
        .unwrap();
    assert_eq!(
        curl(&["--upload-file", "Cargo.toml", put.uri()]).await.0,
        "200"
    );

    let get = client
        .get_object()
        .bucket(BUCKET)
        .key("staging/one")
        .presigned(an_hour())
        .await
        .unwrap();
    let manifest = std::fs::read_to_string("Cargo.toml").unwrap();
    assert_eq!(
        curl(&[get.uri()]).await,
        ("200".to_owned(), manifest.clone())
    );
    assert_eq!(
        curl(&["--range", "0-8", get.uri()]).await,
        ("206".to_owned(), manifest[..9].to_owned())
    );

    let other_key = get.uri().replace("staging/one", "staging/two");
    assert_eq!(curl(&[&other_key]).await.0, "403");
    assert_eq!(
        curl(&[&format!("{}/{BUCKET}/staging/one", server.endpoint())])
            .await
            .0,
        "403"
    );
    assert_eq!(
        curl(&["--upload-file", "Cargo.toml", get.uri()]).await.0,
        "403"
    );
}

#[tokio::test]
async fn a_presigned_put_is_bound_to_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    let good = sha256(&std::fs::read("Cargo.toml").unwrap());
    let request = client
        .put_object()
        .bucket(BUCKET)
        .key("bound")
        .checksum_sha256(&good);
    let request = request.presigned(an_hour()).await.unwrap();
    let mut headers = Vec::new();
    for (name, value) in request.headers() {
        headers.extend(["--header".to_owned(), format!("{name}: {value}")]);
    }
    let arguments = |file: &'static str| {
        let headers = headers.iter().map(String::as_str);
        headers
            .chain(["--upload-file", file, request.uri()])
            .collect::<Vec<_>>()
    };
    assert_eq!(curl(&arguments("src/lib.rs")).await.0, "400");
    assert_eq!(
        code(
            client
                .head_object()
                .bucket(BUCKET)
                .key("bound")
                .send()
                .await
        ),
        "NotFound"
    );
    assert_eq!(curl(&arguments("Cargo.toml")).await.0, "200");
    assert_eq!(
        get(&client, "bound").await,
        std::fs::read("Cargo.toml").unwrap()
    );
}

#[tokio::test]
async fn a_put_with_a_wrong_checksum_leaves_the_old_object() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "kept", b"old").await;
    let wrong = || {
        client
            .put_object()
            .bucket(BUCKET)
            .key("kept")
            .body(ByteStream::from_static(b"new"))
    };
    assert_eq!(
        code(wrong().checksum_sha256(sha256(b"other")).send().await),
        "BadDigest"
    );
    assert_eq!(
        code(wrong().content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await),
        "BadDigest"
    );
    assert_eq!(get(&client, "kept").await, b"old");
    assert_eq!(
        code(wrong().checksum_sha256(sha256(b"new")).send().await),
        "accepted"
    );
    assert_eq!(get(&client, "kept").await, b"new");
}

#[tokio::test]
async fn of_concurrent_first_puts_exactly_one_wins_and_its_bytes_stay() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    for round in 0..20 {
        let key = format!("race/{round}");
        let puts = (0_u8..8).map(|racer| {
            let body = ByteStream::from(vec![racer; 4_096]);
            let put = client
                .put_object()
                .bucket(BUCKET)
                .key(&key)
                .if_none_match("*")
                .body(body);
            async move { (racer, code(put.send().await)) }
        });
        let outcomes = futures::future::join_all(puts).await;
        let winners: Vec<_> = outcomes
            .iter()
            .filter(|(_, code)| code == "accepted")
            .collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(
            outcomes
                .iter()
                .all(|(_, code)| code == "accepted" || code == "PreconditionFailed")
        );
        assert_eq!(get(&client, &key).await, vec![winners[0].0; 4_096]);
    }
}

#[tokio::test]
async fn a_reader_during_rewrites_never_sees_a_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "source/a", &[b'a'; 100_000]).await;
    put(&client, "source/b", &[b'b'; 100_000]).await;
    put(&client, "target", &[b'a'; 100_000]).await;
    let copies = async {
        for round in 0..40 {
            let source = format!("{BUCKET}/source/{}", if round % 2 == 0 { "b" } else { "a" });
            client
                .copy_object()
                .bucket(BUCKET)
                .key("target")
                .copy_source(source)
                .send()
                .await
                .unwrap();
        }
    };
    let reads = async {
        for _ in 0..80 {
            // The SDK compares the checksum that was stored with the object.
            let body = get(&client, "target").await;
            assert!(body.len() == 100_000 && body.iter().all(|byte| *byte == body[0]));
        }
    };
    futures::join!(copies, reads);
}

#[tokio::test]
async fn a_copy_carries_metadata_and_answers_with_the_checksum_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    let body = ByteStream::from_static(b"package");
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("staging/x")
        .metadata("owner", "seller")
        .body(body);
    let e_tag = put.send().await.unwrap().e_tag.unwrap();
    let copy = client
        .copy_object()
        .bucket(BUCKET)
        .key("packages/x")
        .copy_source("awareness/staging/x");
    let copy = copy
        .copy_source_if_match(&e_tag)
        .checksum_algorithm(ChecksumAlgorithm::Sha256);
    let copied = copy.send().await.unwrap().copy_object_result.unwrap();
    assert_eq!(copied.checksum_sha256(), Some(sha256(b"package").as_str()));
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key("packages/x")
        .send()
        .await
        .unwrap();
    assert_eq!(head.metadata().unwrap()["owner"], "seller");
    let stale = client
        .copy_object()
        .bucket(BUCKET)
        .key("packages/y")
        .copy_source("awareness/staging/x");
    assert_eq!(
        code(stale.copy_source_if_match("\"other\"").send().await),
        "PreconditionFailed"
    );
}

#[tokio::test]
async fn a_multipart_upload_replaces_a_single_put_with_its_checksums() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "large", b"small").await;
    let started = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("large")
        .send()
        .await
        .unwrap();
    let upload_id = started.upload_id().unwrap();
    let parts = [vec![1_u8; PART_BYTES], vec![2_u8; 10]];
    let mut completed = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(&parts) {
        let upload = client
            .upload_part()
            .bucket(BUCKET)
            .key("large")
            .upload_id(upload_id)
            .part_number(number);
        let sent = upload
            .body(ByteStream::from(part.clone()))
            .send()
            .await
            .unwrap();
        let part = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(sent.e_tag)
            .build();
        completed = completed.parts(part);
    }
    let complete = client
        .complete_multipart_upload()
        .bucket(BUCKET)
        .key("large")
        .upload_id(upload_id);
    let complete = complete.multipart_upload(completed.build());
    assert_eq!(
        code(complete.clone().if_none_match("*").send().await),
        "PreconditionFailed"
    );
    complete.send().await.unwrap();
    assert_eq!(get(&client, "large").await, parts.concat());
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key("large")
        .checksum_mode("ENABLED".into());
    assert_eq!(
        head.send().await.unwrap().checksum_crc32(),
        None,
        "the small object's checksum stayed"
    );
}

#[tokio::test]
async fn a_deleted_object_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "gone", b"bytes").await;
    client
        .delete_object()
        .bucket(BUCKET)
        .key("gone")
        .send()
        .await
        .unwrap();
    client
        .delete_object()
        .bucket(BUCKET)
        .key("gone")
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(client.get_object().bucket(BUCKET).key("gone").send().await),
        "NoSuchKey"
    );
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, [BUCKET]);
}

#[tokio::test]
async fn a_conditional_get_is_answered_by_its_condition() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "known", b"bytes").await;
    let head = client
        .head_object()
        .bucket(BUCKET)
        .key("known")
        .send()
        .await
        .unwrap();
    let e_tag = head.e_tag().unwrap();
    let ask = || client.get_object().bucket(BUCKET).key("known");
    let unchanged = ask().if_none_match(e_tag).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    assert_eq!(
        code(ask().if_match("\"other\"").send().await),
        "PreconditionFailed"
    );
    assert_eq!(code(ask().if_match(e_tag).send().await), "accepted");
}

#[tokio::test]
async fn keys_that_the_folder_cannot_hold_are_the_clients_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    put(&client, "a/b", b"deep").await;
    let refused = |key: String| {
        let body = ByteStream::from_static(b"x");
        let put = client.put_object().bucket(BUCKET).key(key).body(body);
        async move { code(put.send().await) }
    };
    assert_eq!(refused("a".to_owned()).await, "InvalidArgument");
    assert_eq!(refused("a/b/c".to_owned()).await, "InvalidArgument");
    assert_eq!(refused("k".repeat(200)).await, "KeyTooLongError");
    assert_eq!(get(&client, "a/b").await, b"deep");
}

#[tokio::test]
async fn faults_are_switched_while_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (server, client) = endpoint(folder.path()).await;
    put(&client, "object", b"bytes").await;
    let ask = || client.head_bucket().bucket(BUCKET).send();

    server.faults().fail_next(2);
    assert!(ask().await.is_err() && ask().await.is_err() && ask().await.is_ok());
    server.faults().set_error_rate(1.0);
    assert_eq!(
        code(
            client
                .get_object()
                .bucket(BUCKET)
                .key("object")
                .send()
                .await
        ),
        "InternalError"
    );
    assert_eq!(server.faults().refused(), 3);
    server.faults().clear();

    let delay = Duration::from_millis(80);
    server.faults().set_delay(delay);
    let started = Instant::now();
    assert_eq!(get(&client, "object").await, b"bytes");
    assert!(started.elapsed() >= delay, "a delay is a lower bound");
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_a_restart_keeps_the_objects() {
    let folder = tempfile::tempdir().unwrap();
    let (server, good) = endpoint(folder.path()).await;
    put(&good, "kept", b"bytes").await;
    let stranger = client(&server, "guessed")
        .get_object()
        .bucket(BUCKET)
        .key("kept")
        .send()
        .await;
    assert_eq!(code(stranger), "SignatureDoesNotMatch");
    let mut options = S3Options::sandbox(folder.path(), BUCKET);
    options.listen = server.address();
    server.stop().await;
    let server = LocalS3::start(options).await.unwrap();
    assert_eq!(
        get(&client(&server, "sandbox-secret"), "kept").await,
        b"bytes"
    );
}
