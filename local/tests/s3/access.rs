//! Who gets in: signatures, presigned URLs, faults.

use std::process::Command;
use std::time::{Duration, Instant};

use aws_sdk_s3::presigning::PresigningConfig;
use local::s3::{LocalS3, S3Options};

use crate::client::{BUCKET, client, code, endpoint, get, put, sha256};

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
async fn a_page_of_another_origin_may_put_and_a_request_that_is_signed_twice_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, client) = endpoint(folder.path()).await;
    let put = client.put_object().bucket(BUCKET).key("staging/one");
    let put = put.presigned(an_hour()).await.unwrap();
    let origin = ["--header", "Origin: https://console.example"];
    let asking = |method: &'static str| {
        let method = format!("Access-Control-Request-Method: {method}");
        let headers = "Access-Control-Request-Headers: x-amz-checksum-sha256";
        let arguments = [
            "--include",
            "--request",
            "OPTIONS",
            "--header",
            headers,
            "--header",
        ];
        [
            arguments.map(str::to_owned).to_vec(),
            vec![method, put.uri().to_owned()],
        ]
        .concat()
    };
    let preflight = asking("PUT");
    let preflight: Vec<&str> = preflight.iter().map(String::as_str).chain(origin).collect();
    let (status, head) = curl(&preflight).await;
    assert_eq!(status, "200", "{head}");
    for line in [
        "access-control-allow-origin: *",
        "access-control-allow-methods: GET, HEAD, PUT",
        "access-control-allow-headers: x-amz-checksum-sha256",
    ] {
        assert!(head.contains(line), "{head}");
    }
    let delete = asking("DELETE");
    let delete: Vec<&str> = delete.iter().map(String::as_str).chain(origin).collect();
    assert_eq!(curl(&delete).await.0, "403");
    let mut upload = vec!["--include", "--upload-file", "Cargo.toml", put.uri()];
    upload.extend(origin);
    let (status, head) = curl(&upload).await;
    assert_eq!(status, "200");
    assert!(
        head.contains("access-control-expose-headers: ETag"),
        "{head}"
    );

    let get = client.get_object().bucket(BUCKET).key("staging/one");
    let get = get.presigned(an_hour()).await.unwrap();
    let (status, body) = curl(&["--header", "Authorization: Bearer a-key", get.uri()]).await;
    assert_eq!(status, "400");
    assert!(body.contains("<Code>InvalidArgument</Code>"), "{body}");
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
