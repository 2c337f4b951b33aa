//! One `Idempotency-Key`, one upload: repeated, raced, misused, and used by somebody else.

use tests::{Sample, World, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_gets_the_first_answer_and_makes_no_second_upload() {
    let world = World::only_api().await;
    let request = Sample::vector(71).request();
    let first = world.seller.upload_once("key-1", &request).await;
    assert_eq!(first.status, 202, "{}", first.text);
    assert_eq!(first.header("idempotent-replayed"), "");
    let again = world.seller.upload_once("key-1", &request).await;
    assert_eq!((again.status, again.json()), (202, first.json()));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(world.count("select count(*) from uploads").await, 1);
    assert_eq!(world.objects("staging/").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_with_another_body_is_a_conflict() {
    let world = World::only_api().await;
    let request = Sample::vector(72).request();
    let first = world.seller.upload_once("key-2", &request).await;
    assert_eq!(first.status, 202, "{}", first.text);
    let mut dearer = request.clone();
    dearer["price"] = 10.into();
    let other_bytes = Sample::vector(73).request();
    for other in [&dearer, &other_bytes] {
        let refused = world.seller.upload_once("key-2", other).await;
        let conflict = (422, "IDEMPOTENCY_CONFLICT".to_owned());
        assert_eq!(refused.fault(), conflict);
    }
    assert_eq!(world.count("select count(*) from uploads").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_at_once_with_one_key_are_one_upload_and_leave_nothing_staged_twice() {
    let world = World::only_api().await;
    let request = Sample::vector(74).request();
    let uploads = (0..10).map(|_| world.seller.upload_once("key-3", &request));
    let answers = futures::future::join_all(uploads).await;
    let first = answers[0].upload_id();
    for answer in &answers {
        assert_eq!(answer.status, 202, "{}", answer.text);
        assert_eq!(answer.upload_id(), first);
    }
    let replayed = |answer: &&tests::Answer| answer.header("idempotent-replayed") == "true";
    assert_eq!(answers.iter().filter(replayed).count(), 9);
    assert_eq!(world.count("select count(*) from uploads").await, 1);
    assert_eq!(world.count("select count(*) from jobs").await, 1);
    eventually("the two objects of the one upload", || async {
        (world.objects("staging/").await.len() == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_its_user_alone() {
    let world = World::only_api().await;
    let request = Sample::vector(75).request();
    let mine = world.seller.upload_once("key-4", &request).await;
    let theirs = world.stranger.upload_once("key-4", &request).await;
    assert_eq!((mine.status, theirs.status), (202, 202));
    assert_ne!(mine.upload_id(), theirs.upload_id());
    assert_eq!(theirs.header("idempotent-replayed"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_does_not_use_up_its_key() {
    let world = World::only_api().await;
    let request = Sample::vector(76).request();
    let mut faulty = request.clone();
    faulty["name"] = "x".into();
    let refused = world.seller.upload_once("key-5", &faulty).await;
    assert_eq!(refused.status, 400);
    let mended = world.seller.upload_once("key-5", &request).await;
    assert_eq!(mended.status, 202, "{}", mended.text);
    let long = "k".repeat(256);
    let refused = world.seller.upload_once(&long, &request).await;
    assert_eq!(refused.fault(), (400, "INVALID_INPUT".to_owned()));
    assert!(refused.details()["Idempotency-Key"].is_string());
}
