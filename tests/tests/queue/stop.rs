//! The end of a worker, and who takes its place.

use std::time::Duration;

use common::queue::{Delivery, Queue};
use tokio::sync::mpsc;

use super::ground::{DEADLINE, Ground, jobs, options, recorder, wake, wakes};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_under_load_strands_nothing() {
    let ground = Ground::shared().await;
    let pushed = wakes(6_000);
    ground.push(&pushed).await;
    let (handler, mut arrivals) = recorder();
    let mut seen = Vec::new();
    for round in 0..15 {
        let serving = ground.queue.serve(options(10, 10), handler.clone()).await;
        seen.extend(arrivals.take(20 + 7 * round).await);
        serving.stop(DEADLINE).await;
        let depth = ground.depth().await;
        assert_eq!((depth.inflight, depth.workers), (0, 0), "round {round}");
        assert_eq!(depth.waiting + depth.done, 6_000, "round {round}");
    }
    let _serving = ground.queue.serve(options(50, 50), handler).await;
    seen.extend(arrivals.take(6_000 - seen.len()).await);
    assert_eq!(jobs(&seen), jobs(&pushed));
    ground.depth_becomes(|depth| depth.done == 6_000).await;
    assert_eq!(arrivals.left(), 0, "each was executed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_the_same_name_serves_at_once() {
    let ground = Ground::shared().await;
    let mut names = std::collections::HashSet::new();
    for _ in 0..5 {
        let (handler, mut arrivals) = recorder();
        let serving = ground.queue.serve(options(1, 1), handler).await;
        let pushed = wake();
        ground.push(std::slice::from_ref(&pushed)).await;
        assert_eq!(arrivals.next_wake().await, pushed);
        names.extend(ground.workers().await);
        serving.stop(DEADLINE).await;
        assert_eq!(ground.depth().await.workers, 0);
    }
    assert_eq!(names.len(), 5, "each had a name of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handler_that_outlasts_the_grace_is_ended_and_its_job_given_back() {
    struct Ending(mpsc::UnboundedSender<()>);
    impl Drop for Ending {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let ground = Ground::shared().await;
    let (starts, mut started) = mpsc::unbounded_channel();
    let (ends, mut ended) = mpsc::unbounded_channel();
    let handler = move |_: Delivery| {
        let (starts, ending) = (starts.clone(), Ending(ends.clone()));
        async move {
            let _ = starts.send(());
            std::future::pending::<()>().await;
            drop(ending);
        }
    };
    let serving = ground.queue.serve(options(3, 3), handler).await;
    let pushed = wakes(5);
    ground.push(&pushed).await;
    for _ in 0..3 {
        started.recv().await.unwrap();
    }
    serving.stop(Duration::from_millis(100)).await;
    for _ in 0..3 {
        ended
            .try_recv()
            .expect("every handler was ended before the stop returned");
    }
    let depth = ground.depth().await;
    assert_eq!((depth.waiting, depth.inflight, depth.done), (5, 0, 0));

    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(3, 3), handler).await;
    assert_eq!(jobs(&arrivals.take(5).await), jobs(&pushed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphaned_batch_is_rescued() {
    let ground = Ground::shared().await;
    let pushed = wakes(30);
    ground.push(&pushed).await;
    let (url, prefix) = (ground.server.url(), ground.prefix().to_owned());
    let (starts, mut started) = mpsc::unbounded_channel();
    // A runtime that vanishes with all its tasks is a killed process, as far as Redis can tell.
    let doomed = tokio::runtime::Runtime::new().unwrap();
    doomed.spawn(async move {
        let queue = Queue::connect(&url, &prefix).await.unwrap();
        let handler = move |_: Delivery| {
            let _ = starts.send(());
            std::future::pending::<()>()
        };
        let _serving = queue.serve(options(30, 30), handler).await;
        std::future::pending::<()>().await;
    });
    for _ in 0..30 {
        tokio::time::timeout(DEADLINE, started.recv())
            .await
            .unwrap();
    }
    doomed.shutdown_background();
    let depth = ground.depth().await;
    assert_eq!((depth.waiting, depth.inflight), (0, 30));

    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(30, 30), handler).await;
    assert_eq!(jobs(&arrivals.take(30).await), jobs(&pushed));
    ground
        .depth_becomes(|depth| depth.done == 30 && depth.workers == 1)
        .await;
    assert_eq!(ground.workers().await.len(), 1, "the dead one is forgotten");
}
