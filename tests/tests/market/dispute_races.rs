//! Disputes that are opened, measured and decided twice, late, or by several at once.

use common::ids::DisputeId;
use common::jobs::{Cost, JobName, NewJob};
use futures::future::join_all;
use serde_json::json;
use tests::{World, eventually};

use super::claims::{decide, id_of, opened, resolved};
use super::sales::{Sale, assert_books_balance, events, reserve, run_as_owner, transfers};

#[tokio::test(flavor = "multi_thread")]
async fn a_decided_dispute_stays_decided_whatever_comes_late() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    let url = opened(&sale, "epsilon_too_high").await;
    // The operator does not wait for the measurement, which would have released it.
    for _ in 0..2 {
        assert_eq!(decide(&world, &url, "refund").await.status, 200);
    }
    let other = decide(&world, &url, "release").await;
    assert_eq!(other.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(other.details()["status"], "resolved_refund");
    world.start_worker().await;
    eventually("the end of the late job", || async {
        let ended = "select count(*) from jobs where name = 'remeasure_package' and state = 'done'";
        (world.count(ended).await == 1).then_some(())
    })
    .await;
    let closed = sale.buyer.client.get(&url).await.data();
    assert_eq!(closed["status"], "resolved_refund");
    assert!(closed["finding"].is_null());
    assert_eq!(events(&world, "dispute.measured").await, 0);
    assert_eq!(events(&world, "dispute.resolved").await, 1);
    assert_eq!(transfers(&world, "refund").await, 1);
    assert_eq!(transfers(&world, "dispute_release").await, 0);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purchase_is_disputed_once_for_ever() {
    let world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    let answers = join_all((0..5).map(|_| sale.dispute("corrupt"))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (1, 4));
    let url = made[0].header("location").to_owned();
    for answer in refused {
        assert_eq!(answer.fault(), (409, "CONFLICT".to_owned()));
        assert_eq!(answer.details()["disputeId"], id_of(&url));
    }
    assert_eq!(resolved(&sale, &url).await["status"], "resolved_release");
    let again = sale.dispute("other").await;
    assert_eq!(again.fault(), (409, "CONFLICT".to_owned()));
    assert_eq!(again.details()["reason"], "DISPUTED_BEFORE");
    assert_eq!(transfers(&world, "dispute_freeze").await, 1);
    assert_eq!(events(&world, "dispute.opened").await, 1);
    // The days to hand it back are not used up by a dispute that was lost.
    assert_eq!(sale.refund().await.status, 200);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_refund_and_a_dispute_at_once_one_happens() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let mut sales = Vec::new();
    for number in 0..8 {
        sales.push(Sale::to(&world, &package, &format!("buyer-{number}"), 5.0).await);
    }
    // Nothing may decide a dispute before the refund is answered.
    world.stop_worker().await;
    for sale in &sales {
        let (refund, dispute) = tokio::join!(sale.refund(), sale.dispute("corrupt"));
        let status = sale.shown().await["status"].clone();
        if refund.status == 200 {
            assert_eq!(dispute.details()["reason"], "PURCHASE_NOT_SETTLED");
            assert_eq!(status, "refunded");
        } else {
            assert_eq!(refund.details()["reason"], "PURCHASE_DISPUTED");
            assert_eq!(dispute.status, 201, "{}", dispute.text);
            assert_eq!(status, "disputed");
        }
    }
    let ended = transfers(&world, "refund").await + transfers(&world, "dispute_freeze").await;
    assert_eq!(ended, 8);
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_who_decide_at_once_one_does() {
    let mut world = World::start().await;
    let package = world.package_for(5.0).await;
    let mut cases = Vec::new();
    for number in 0..6 {
        cases.push(Sale::to(&world, &package, &format!("buyer-{number}"), 5.0).await);
    }
    world.stop_worker().await;
    let urls = join_all(cases.iter().map(|sale| opened(sale, "corrupt"))).await;
    // The measurement releases; one operator refunds, another releases, a third refunds the purchase.
    world.start_worker().await;
    let deciding = cases.iter().zip(&urls).map(|(sale, url)| {
        let world = &world;
        async move {
            tokio::join!(
                decide(world, url, "refund"),
                decide(world, url, "release"),
                sale.refund_by_operator(world),
            )
        }
    });
    for (refund, release, _) in join_all(deciding).await {
        assert!([200, 409].contains(&refund.status), "{}", refund.text);
        assert!([200, 409].contains(&release.status), "{}", release.text);
        assert!(refund.status == 200 || release.status == 200);
    }
    for (sale, url) in cases.iter().zip(&urls) {
        // Whoever decided, the operator's refund of the purchase comes through in the end.
        let closed = resolved(sale, url).await;
        assert!(closed["decidedBy"].is_string(), "{closed}");
        assert_eq!(sale.shown().await["status"], "refunded");
        assert_eq!(world.credits(sale.buyer.id).await, (500, 0));
    }
    assert_eq!(events(&world, "dispute.resolved").await, 6);
    assert_eq!(transfers(&world, "refund").await, 6);
    assert_eq!((world.earnings().await, reserve(&world).await), (0, 0));
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_measurements_at_once_and_a_third_later_record_one() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    let url = opened(&sale, "other").await;
    let copy = NewJob {
        name: JobName::RemeasurePackage,
        subject: DisputeId::parse(id_of(&url)).unwrap().0,
        tenant: None,
        cost: Cost::UNKNOWN,
        trace: "copy".to_owned(),
        delay: std::time::Duration::ZERO,
    };
    let outbox = world.outbox().await;
    let mut tx = outbox.begin().await.unwrap();
    tx.enqueue(&copy).await.unwrap();
    tx.commit().await.unwrap();
    world.start_worker().await;
    let done = async |count: i64| {
        eventually("measurements", || async {
            let ended =
                "select count(*) from jobs where name = 'remeasure_package' and state = 'done'";
            (world.count(ended).await == count).then_some(())
        })
        .await;
    };
    done(2).await;
    let mut tx = outbox.begin().await.unwrap();
    tx.enqueue(&copy).await.unwrap();
    tx.commit().await.unwrap();
    done(3).await;
    assert_eq!(events(&world, "dispute.measured").await, 1);
    let measured = sale.buyer.client.get(&url).await.data();
    assert_eq!(measured["status"], "measured");
    assert_books_balance(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_cannot_be_measured_leaves_its_dispute_to_an_operator() {
    let mut world = World::start().await;
    let sale = Sale::of(&world, 5.0).await;
    world.stop_worker().await;
    for key in world.objects("packages/").await {
        world.storage.delete(&key).await.unwrap();
    }
    let url = opened(&sale, "corrupt").await;
    let last_try = "update jobs set attempts = 4 where name = 'remeasure_package'";
    assert_eq!(run_as_owner(&world, last_try).await.unwrap(), 1);
    world.start_worker().await;
    let job = eventually("the quarantine", || async {
        let jobs = "/admin/jobs?name=remeasure_package&state=quarantined";
        let job = world.operator.get(jobs).await.data()["jobs"][0].clone();
        job.is_object().then_some(job)
    })
    .await;
    let retry = format!("/admin/jobs/{}/retry", job["id"].as_str().unwrap());
    assert_eq!(sale.buyer.client.get(&url).await.data()["status"], "open");
    assert_eq!(decide(&world, &url, "refund").await.status, 200);
    assert_eq!(sale.shown().await["status"], "refunded");
    let revived = world.operator.post(&retry, &json!({})).await;
    assert_eq!(revived.fault(), (409, "CONFLICT".to_owned()));
    assert_books_balance(&world).await;
}
