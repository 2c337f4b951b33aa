//! What is stored: whole objects, with their own checksums, or nothing.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};

use crate::client::{BUCKET, code, endpoint, get, put, sha256};

const PART_BYTES: usize = 5 * 1024 * 1024;

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
    let again = client
        .copy_object()
        .bucket(BUCKET)
        .key("packages/x")
        .copy_source("awareness/staging/x")
        .if_none_match("*");
    assert_eq!(code(again.send().await), "PreconditionFailed");
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
