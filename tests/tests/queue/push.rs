//! Putting calls on the list, and what remains of them.

use common::queue::{Lane, Pusher, ServeOptions, Wake};

use super::ground::{Ground, NAME, becomes_healthy, jobs, options, recorder, wake, wakes};

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_due_jobs_do_not_wedge_the_workers() {
    let ground = Ground::shared().await;
    let pushed = wakes(10_000);
    assert_eq!(ground.push(&pushed).await, 10_000);
    let (handler, mut arrivals) = recorder();
    let first = ground.queue.serve(options(50, 50), handler.clone()).await;
    let second = ground.queue.serve(options(50, 50), handler).await;

    assert_eq!(jobs(&arrivals.take(10_000).await), jobs(&pushed));
    let depth = ground.depth_becomes(|depth| depth.done == 10_000).await;
    assert_eq!((depth.waiting, depth.inflight), (0, 0));
    assert_eq!(arrivals.left(), 0);
    becomes_healthy(&first).await;
    becomes_healthy(&second).await;
}

#[tokio::test]
async fn a_repeated_push_is_one_job() {
    let ground = Ground::shared().await;
    let pushed = wakes(700);
    let twice = [pushed.clone(), pushed.clone()].concat();
    assert_eq!(ground.push(&twice).await, 700);
    assert_eq!(ground.push(&pushed).await, 0);
    assert_eq!(ground.depth().await.waiting, 700);

    let next_lease = Wake {
        fence: 1,
        ..pushed[0].clone()
    };
    assert_eq!(
        ground.push(&[next_lease]).await,
        1,
        "a new fence is a new call"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_not_pushed_again() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let handler = move |delivery| {
        drop(handler(delivery));
        std::future::pending()
    };
    let _serving = ground.queue.serve(options(1, 1), handler).await;
    let pushed = [wake()];
    ground.push(&pushed).await;
    arrivals.next_wake().await;
    assert_eq!(ground.push(&pushed).await, 0);
    assert_eq!(ground.depth().await.waiting, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_id_can_be_pushed_again() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(4, 4), handler).await;
    let pushed = wakes(20);
    for _ in 0..3 {
        assert_eq!(ground.push(&pushed).await, 20);
        assert_eq!(jobs(&arrivals.take(20).await), jobs(&pushed));
        ground.depth_becomes(|depth| depth.done == 20).await;
    }
    assert_eq!(ground.queue.sweep_finished(NAME, 1000).await.unwrap(), 20);
    assert_eq!(ground.push(&pushed).await, 20);
    assert_eq!(jobs(&arrivals.take(20).await), jobs(&pushed));
}

#[tokio::test(flavor = "multi_thread")]
async fn finished_jobs_leave_nothing_behind() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(10, 10), handler).await;
    // What remains of the first job is what remains of any number: the worker's own keys.
    ground.push(&wakes(1)).await;
    ground.depth_becomes(|depth| depth.done == 1).await;
    assert_eq!(ground.queue.sweep_finished(NAME, 600).await.unwrap(), 1);
    let before = ground.keys().await;

    ground.push(&wakes(1_300)).await;
    arrivals.take(1_301).await;
    ground.depth_becomes(|depth| depth.done == 1_300).await;
    assert!(ground.keys().await.len() > before.len());
    assert_eq!(ground.queue.sweep_finished(NAME, 600).await.unwrap(), 600);
    assert_eq!(
        ground.queue.sweep_finished(NAME, 10_000).await.unwrap(),
        700
    );
    assert_eq!(ground.keys().await.symmetric_difference(&before).count(), 0);
}

/// Commands that Redis executes, scripts' own included, for a thousand jobs at this backlog.
async fn commands_per_thousand(backlog: usize) -> (usize, Vec<String>) {
    let ground = Ground::private().await;
    ground.push(&wakes(backlog)).await;
    let mut redis = ground.redis().await;
    redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .exec_async(&mut redis)
        .await
        .unwrap();
    let (handler, mut arrivals) = recorder();
    let serving = ground.queue.serve(options(50, 50), handler).await;
    arrivals.take(1_000).await;
    serving.stop(super::ground::DEADLINE).await;

    let info: String = redis::cmd("INFO")
        .arg("commandstats")
        .query_async(&mut redis)
        .await
        .unwrap();
    let done = ground.depth().await.done;
    let stats: Vec<(String, usize)> = info
        .lines()
        .filter_map(|line| {
            let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), figures.split(',').next()?.parse().ok()?))
        })
        .collect();
    let calls: usize = stats.iter().map(|(_, calls)| calls).sum();
    (
        calls * 1_000 / done,
        stats.into_iter().map(|(name, _)| name).collect(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_backlog_costs_constant_redis_time_per_job() {
    let (small, _) = commands_per_thousand(2_000).await;
    let (large, names) = commands_per_thousand(40_000).await;
    assert!(
        large < small * 2,
        "{large} commands per 1000 jobs, {small} with a small backlog"
    );
    // What walks a whole list or set, however often it is called.
    for linear in ["lrem", "lpos", "linsert", "hkeys", "keys"] {
        assert!(
            !names.iter().any(|name| name == linear),
            "{linear} was called"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_load_does_not_delay_the_fast_lane() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let _fast = ground.queue.serve(options(1, 1), handler).await;
    let bulk = wakes(500);
    ground.queue.push(NAME, Lane::Bulk, &bulk).await.unwrap();
    let urgent = wake();
    ground.push(std::slice::from_ref(&urgent)).await;
    assert_eq!(arrivals.next_wake().await, urgent);
    let depth = ground.depth().await;
    assert_eq!((depth.waiting, depth.waiting_bulk), (500, 500));

    let (handler, mut arrivals) = recorder();
    let options = ServeOptions::new(NAME, Lane::Bulk, "bulk-worker");
    let _bulk = ground.queue.serve(options, handler).await;
    assert_eq!(jobs(&arrivals.take(500).await), jobs(&bulk));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pusher_delivers_what_it_is_given() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(20, 20), handler).await;
    let pusher = Pusher::start(ground.queue.clone());
    let pushed = wakes(3_000);
    for wake in &pushed {
        pusher.wake(NAME, Lane::Fast, wake.clone());
    }
    assert_eq!(jobs(&arrivals.take(3_000).await), jobs(&pushed));
    assert_eq!(pusher.dropped_total(), 0);
}
