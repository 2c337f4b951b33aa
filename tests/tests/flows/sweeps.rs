//! What nobody needs goes, what somebody needs stays; each sweep is run here by hand.

use std::time::Duration;

use common::catalog::{self, Claim};
use common::ids::UploadId;
use common::storage::{Blob, content_key, staging_key};
use scheduler::sweeps::{sweep_objects, sweep_staging};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tests::{Sample, World};

const NO_GRACE: Duration = Duration::ZERO;
const AN_HOUR: Duration = Duration::from_secs(3600);

async fn write(world: &World, key: &str, bytes: &[u8]) {
    let digest = Sha256::digest(bytes);
    let bytes = bytes.to_vec().into();
    world.storage.put(key, bytes, &digest).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn staged_bytes_of_ended_uploads_go_and_those_of_living_ones_stay() {
    let mut world = World::only_api().await;
    let refused = Sample::declared_only(121, 0.2).request();
    let id = world.seller.upload(&refused).await.upload_id();
    world.start_worker().await;
    assert_eq!(world.seller.ended(&id).await["status"], "failed");
    world.stop_worker().await;
    assert_eq!(world.objects("staging/").await.len(), 2);
    let living = world.seller.upload(&Sample::vector(122).request()).await;
    assert_eq!(living.status, 202);

    sweep_staging(&world.pool, &world.storage, NO_GRACE)
        .await
        .unwrap();
    let left = world.objects("staging/").await;
    let owner: UploadId = sqlx::query_scalar("select id from uploads where status = 'pending'")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    let mut expected: Vec<String> = Blob::ALL.map(|blob| staging_key(owner, blob, 0)).into();
    expected.sort();
    assert_eq!(left, expected);
    let again = sweep_staging(&world.pool, &world.storage, NO_GRACE).await;
    assert_eq!(again.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_sweep_takes_the_staged_bytes_of_all_uploads_that_ended() {
    let mut world = World::only_api().await;
    let refused = Sample::declared_only(124, 0.2).request();
    let id = world.seller.upload(&refused).await.upload_id();
    world.start_worker().await;
    assert_eq!(world.seller.ended(&id).await["status"], "failed");
    sqlx::query(
        "insert into uploads
         select (jsonb_populate_record(uploads, jsonb_build_object(
                    'id', gen_random_uuid(), 'public_id', uploads.public_id || '_' || n, 'staging_swept_at', null
                ))).*
         from uploads, generate_series(1, 700) n",
    )
    .execute(&world.pool)
    .await
    .unwrap();
    let swept = sweep_staging(&world.pool, &world.storage, NO_GRACE).await;
    assert!(swept.unwrap() >= 2 * 700);
    let left: i64 =
        sqlx::query_scalar("select count(*) from uploads where staging_swept_at is null")
            .fetch_one(&world.pool)
            .await
            .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_of_a_request_that_never_became_an_upload_go_after_the_grace_time() {
    let world = World::only_api().await;
    let key = staging_key(UploadId::new(), Blob::Package, 0);
    write(&world, &key, b"abandoned").await;
    let swept = sweep_staging(&world.pool, &world.storage, AN_HOUR).await;
    assert_eq!(swept.unwrap(), 0);
    assert_eq!(world.objects("staging/").await, [key]);
    let swept = sweep_staging(&world.pool, &world.storage, NO_GRACE).await;
    assert_eq!(swept.unwrap(), 1);
    assert!(world.objects("staging/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_object_stays_while_a_package_names_it_and_others_go_after_the_grace_time() {
    let world = World::start().await;
    let ended = world.publish(&Sample::vector(123).request()).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    let named = world.objects("packages/").await;
    let (orphan, unknown) = (
        b"claimed, never published".as_slice(),
        b"without a row".as_slice(),
    );
    let digest = Sha256::digest(orphan);
    let orphan_key = content_key(&digest);
    let size = orphan.len() as i64;
    let claim = catalog::claim_object(&world.pool, &orphan_key, &digest, size).await;
    assert_eq!(claim.unwrap(), Claim::Granted);
    write(&world, &orphan_key, orphan).await;
    write(&world, &content_key(&Sha256::digest(unknown)), unknown).await;

    let swept = sweep_objects(&world.pool, &world.storage, AN_HOUR).await;
    assert_eq!(swept.unwrap(), 0);
    assert_eq!(world.objects("packages/").await.len(), named.len() + 2);
    let swept = sweep_objects(&world.pool, &world.storage, NO_GRACE).await;
    assert_eq!(swept.unwrap(), 2);
    assert_eq!(world.objects("packages/").await, named);
    assert_eq!(world.count("select count(*) from objects").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_being_swept_are_not_claimed_until_the_sweep_is_through() {
    let mut world = World::only_api().await;
    let sample = Sample::vector(124);
    let digest = Sha256::digest(&sample.package);
    let key = content_key(&digest);
    let size = sample.package.len() as i64;
    let claim = async || {
        catalog::claim_object(&world.pool, &key, &digest, size)
            .await
            .unwrap()
    };
    assert_eq!(claim().await, Claim::Granted);
    write(&world, &key, &sample.package).await;
    // A sweep that died between its mark and its deletion.
    let condemned = catalog::condemn_orphans(&world.pool, NO_GRACE)
        .await
        .unwrap();
    assert_eq!(condemned.len(), 1);
    assert_eq!(claim().await, Claim::BeingDeleted);

    let id = world.seller.upload(&sample.request()).await.upload_id();
    world.start_worker().await;
    world.start_scheduler().await;
    tests::eventually("a publication that waits", || async {
        let snoozed = "select count(*) from jobs where name = 'publish_upload' and snoozes > 0";
        (world.count(snoozed).await == 1).then_some(())
    })
    .await;
    let swept = sweep_objects(&world.pool, &world.storage, AN_HOUR).await;
    assert_eq!(swept.unwrap(), 1);
    let ended = world.seller.ended(&id).await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(world.object(&key).await, sample.package);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_committed_expires() {
    let world = World::only_api().await;
    let mut request = Sample::vector(125).request();
    let fields = request.as_object_mut().unwrap();
    fields.remove("vectorData");
    fields.remove("wMatrixData");
    for name in ["package", "wMatrix"] {
        fields.insert(format!("{name}SizeBytes"), 8.into());
        fields.insert(format!("{name}Sha256"), "0".repeat(64).into());
    }
    let opened = world.seller.post("/api/ai/uploads", &request).await;
    let id = opened.upload_id();
    let sweep = || sweep_staging(&world.pool, &world.storage, AN_HOUR);
    sweep().await.unwrap();
    assert_eq!(world.seller.status(&id).await.data()["status"], "pending");

    sqlx::query("update uploads set created_at = now() - interval '61 minutes'")
        .execute(&world.pool)
        .await
        .unwrap();
    sweep().await.unwrap();
    let expired = world.seller.status(&id).await.data();
    assert_eq!(expired["status"], "failed");
    assert_eq!(expired["error"], "the bytes were not committed in time");
    let commit = opened.data()["commitUrl"].as_str().unwrap().to_owned();
    let late = world.seller.post(&commit, &json!({})).await;
    assert_eq!(late.fault(), (409, "CONFLICT".to_owned()));
}
