//! Redis flushed, killed, absent: nothing of it needs a restart of the process.

use std::time::Duration;

use common::queue::{Lane, Pusher, QueueError};

use super::ground::{DEADLINE, Ground, NAME, becomes_healthy, jobs, options, recorder, wakes};

#[tokio::test(flavor = "multi_thread")]
async fn flushall_needs_no_restart() {
    let ground = Ground::private().await;
    let (handler, mut arrivals) = recorder();
    let serving = ground.queue.serve(options(10, 10), handler).await;
    for _ in 0..3 {
        ground.push(&wakes(100)).await;
        arrivals.take(1).await;
        redis::cmd("FLUSHALL")
            .exec_async(&mut ground.redis().await)
            .await
            .unwrap();
        let pushed = wakes(50);
        ground.push(&pushed).await;
        arrivals.take_all_of(&pushed).await;
        ground
            .depth_becomes(|depth| depth.waiting + depth.inflight == 0)
            .await;
    }
    serving.stop(DEADLINE).await;
    assert_eq!(ground.depth().await.workers, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn flushed_scripts_are_loaded_again() {
    let ground = Ground::private().await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(5, 5), handler).await;
    for _ in 0..3 {
        let pushed = wakes(20);
        ground.push(&pushed).await;
        assert_eq!(jobs(&arrivals.take(20).await), jobs(&pushed));
        ground.depth_becomes(|depth| depth.done == 20).await;
        redis::cmd("SCRIPT")
            .arg("FLUSH")
            .exec_async(&mut ground.redis().await)
            .await
            .unwrap();
        assert_eq!(ground.queue.sweep_finished(NAME, 100).await.unwrap(), 20);
    }
    assert!(
        ground
            .workers()
            .await
            .iter()
            .all(|name| name.ends_with("-0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_redis_comes_back_without_losing_what_was_appended() {
    let ground = Ground::private().await;
    let waiting = wakes(500);
    ground.push(&waiting).await;
    ground.server.restart();
    ground.depth_becomes(|depth| depth.waiting == 500).await;

    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(10, 10), handler).await;
    arrivals.take_all_of(&waiting).await;
    // Once more, with a worker in the middle of it.
    let waiting = wakes(2_000);
    ground.push(&waiting).await;
    ground.server.restart();
    arrivals.take_all_of(&waiting).await;
    ground
        .depth_becomes(|depth| depth.waiting + depth.inflight == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_redis_is_an_error_to_push_and_no_reason_to_end() {
    let ground = Ground::private().await;
    let (handler, mut arrivals) = recorder();
    ground.server.kill();
    let serving = ground.queue.serve(options(5, 5), handler).await;
    let pushed = wakes(10);
    let refused = ground.queue.push(NAME, Lane::Fast, &pushed).await;
    assert!(
        matches!(refused, Err(QueueError::Unreachable(_))),
        "{refused:?}"
    );
    assert!(ground.queue.ping().await.is_err());
    assert!(!serving.is_healthy());

    ground.server.restart();
    let accepted = tokio::time::timeout(DEADLINE, async {
        while ground.queue.push(NAME, Lane::Fast, &pushed).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    accepted.await.expect("Redis is found again");
    assert_eq!(jobs(&arrivals.take(10).await), jobs(&pushed));
    becomes_healthy(&serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_seconds_without_redis_end_nothing() {
    let ground = Ground::private().await;
    let (handler, mut arrivals) = recorder();
    let serving = ground.queue.serve(options(5, 5), handler).await;
    let before = wakes(10);
    ground.push(&before).await;
    arrivals.take_all_of(&before).await;
    ground.server.kill();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(!serving.is_healthy());

    ground.server.restart();
    becomes_healthy(&serving).await;
    let after = wakes(10);
    ground.push(&after).await;
    arrivals.take_all_of(&after).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pusher_counts_what_an_absent_redis_did_not_take() {
    let ground = Ground::private().await;
    let pusher = Pusher::start(ground.queue.clone());
    ground.server.kill();
    for wake in wakes(2_000) {
        pusher.wake(NAME, Lane::Fast, wake);
    }
    let counted = tokio::time::timeout(DEADLINE, async {
        while pusher.dropped_total() < 2_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    counted.await.expect("all of them are counted");
}
