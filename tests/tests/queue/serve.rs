//! Being served: woken, handed over, limited, paused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::queue::{Delivery, ServeOptions, Wake};
use tokio::sync::{Semaphore, mpsc, watch};

use super::ground::{DEADLINE, Ground, NAME, NEVER, jobs, options, recorder, wake, wakes};

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_wakes_on_a_push() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let options = ServeOptions {
        fallback_tick: NEVER,
        ..options(4, 4)
    };
    let _serving = ground.queue.serve(options, handler).await;
    // Each push comes while the worker acknowledges the one before and fetches in vain, so that
    // a message lost to a fetch under way would show.
    for _ in 0..1_000 {
        let pushed = wake();
        ground.push(std::slice::from_ref(&pushed)).await;
        assert_eq!(arrivals.next_wake().await, pushed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_payload_among_good_ones_is_handed_over_alone() {
    let ground = Ground::shared().await;
    let pushed = wakes(10);
    ground.push(&pushed[..5]).await;
    ground
        .push_foreign("somebody-elses", b"\xff not json")
        .await;
    ground.push(&pushed[5..]).await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(11, 11), handler).await;

    let mut good = Vec::new();
    let mut bad = Vec::new();
    for _ in 0..11 {
        match arrivals.next().await {
            Delivery::Wake(wake) => good.push(wake),
            Delivery::Undecodable {
                bytes,
                error,
                task_id,
            } => bad.push((bytes, error, task_id)),
        }
    }
    assert_eq!(jobs(&good), jobs(&pushed));
    assert_eq!(bad.len(), 1);
    assert_eq!(
        (bad[0].0.as_slice(), bad[0].2.as_str()),
        (&b"\xff not json"[..], "somebody-elses")
    );
    assert!(!bad[0].1.is_empty());
    // All were acknowledged by the worker that took them.
    let depth = ground.depth_becomes(|depth| depth.done == 11).await;
    assert_eq!((depth.waiting, depth.inflight, depth.dead), (0, 0, 0));
    assert!(
        ground
            .workers()
            .await
            .iter()
            .all(|name| name.ends_with("-0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_apalis_reads_as_numbers_stop_nothing() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(4, 4), handler).await;
    ground.push_foreign("007", b"{}").await;
    let pushed = wakes(50);
    ground.push(&pushed).await;
    let mut missing = jobs(&pushed);
    while !missing.is_empty() {
        if let Delivery::Wake(wake) = arrivals.next().await {
            missing.remove(&wake.job);
        }
    }
    // Each is finished in the end, and the number is gone rather than fetched for ever.
    ground
        .depth_becomes(|depth| depth.done == 50 && depth.waiting + depth.inflight == 0)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_id_without_data_stops_nothing() {
    let ground = Ground::shared().await;
    let pushed = wakes(10);
    ground.push(&pushed).await;
    redis::cmd("HDEL")
        .arg(ground.key("data"))
        .arg(pushed[3].task_id())
        .exec_async(&mut ground.redis().await)
        .await
        .unwrap();
    let (handler, mut arrivals) = recorder();
    let _serving = ground.queue.serve(options(10, 10), handler).await;
    let rest = [&pushed[..3], &pushed[4..]].concat();
    arrivals.take_all_of(&rest).await;
    ground
        .depth_becomes(|depth| depth.done == 9 && depth.waiting + depth.inflight == 0)
        .await;
    assert_eq!(
        ground.push(&pushed[3..4]).await,
        1,
        "it can be pushed again"
    );
    assert_eq!(arrivals.next_wake().await, pushed[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_leaves_the_worker_serving() {
    let ground = Ground::shared().await;
    let (panics, mut panicked) = mpsc::unbounded_channel();
    let (handler, mut arrivals) = recorder();
    let options = ServeOptions {
        on_panic: Some(Arc::new(move |wake: Wake, message| {
            let _ = panics.send((wake.job, message));
        })),
        ..options(5, 5)
    };
    let handler = move |delivery: Delivery| {
        let Delivery::Wake(wake) = &delivery else {
            unreachable!("only wake-up calls are pushed here")
        };
        assert!(wake.fence != 13, "unlucky {}", wake.fence);
        handler(delivery)
    };
    let _serving = ground.queue.serve(options, handler).await;
    ground.push(&wakes(1)).await;
    arrivals.take(1).await;
    let workers = ground.workers().await;

    let unlucky: Vec<Wake> = wakes(8)
        .into_iter()
        .map(|wake| Wake { fence: 13, ..wake })
        .collect();
    let lucky = wakes(8);
    ground
        .push(&[unlucky.clone(), lucky.clone()].concat())
        .await;
    assert_eq!(jobs(&arrivals.take(8).await), jobs(&lucky));
    for _ in 0..8 {
        let told = tokio::time::timeout(DEADLINE, panicked.recv())
            .await
            .unwrap();
        let (job, message) = told.unwrap();
        assert!(jobs(&unlucky).contains(&job));
        assert_eq!(message, "unlucky 13");
    }
    ground.depth_becomes(|depth| depth.done == 17).await;
    assert_eq!(
        ground.workers().await,
        workers,
        "it is still the same worker"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_handlers_run_than_there_are_slots() {
    let ground = Ground::private().await;
    let running = Arc::new(AtomicUsize::new(0));
    let (starts, mut started) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let handler = {
        let gate = gate.clone();
        move |_| {
            let (running, starts, gate) = (running.clone(), starts.clone(), gate.clone());
            async move {
                let _ = starts.send(running.fetch_add(1, Ordering::SeqCst) + 1);
                gate.acquire().await.unwrap().forget();
                running.fetch_sub(1, Ordering::SeqCst);
            }
        }
    };
    let serving = ground.queue.serve(options(3, 3), handler).await;
    ground.push(&wakes(3)).await;
    for _ in 0..3 {
        assert!(started.recv().await.unwrap() <= 3);
    }
    // The first to end cannot be acknowledged, which ends the worker. The other two outlive it,
    // and its successor has one slot.
    redis::cmd("FLUSHALL")
        .exec_async(&mut ground.redis().await)
        .await
        .unwrap();
    ground.push(&wakes(40)).await;
    for _ in 0..40 {
        gate.add_permits(1);
        let at_once = tokio::time::timeout(DEADLINE, started.recv())
            .await
            .unwrap();
        assert!(at_once.unwrap() <= 3);
    }
    gate.add_permits(3);
    ground.depth_becomes(|depth| depth.done == 40).await;
    assert_eq!(serving.running(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_and_resume() {
    let ground = Ground::shared().await;
    let (handler, mut arrivals) = recorder();
    let serving = ground.queue.serve(options(5, 5), handler).await;
    ground.push(&wakes(5)).await;
    arrivals.take(5).await;

    serving.pause();
    ground.depth_becomes(|depth| depth.workers == 0).await;
    let pushed = wakes(20);
    ground.push(&pushed).await;
    assert_eq!(ground.depth().await.waiting, 20);
    assert!(serving.is_healthy());

    serving.resume();
    assert_eq!(jobs(&arrivals.take(20).await), jobs(&pushed));
    serving.stop(DEADLINE).await;
    assert_eq!(ground.depth().await.workers, 0);
}

/// Apalis sends no heartbeat while fetched jobs wait for a slot.
#[tokio::test(flavor = "multi_thread")]
async fn buffered_jobs_do_not_make_a_busy_worker_look_dead() {
    let ground = Ground::shared().await;
    let (record, mut arrivals) = recorder();
    let (open, gate) = watch::channel(false);
    let handler = move |delivery: Delivery| {
        let passes = matches!(&delivery, Delivery::Wake(wake) if wake.fence == 1);
        let mut gate = gate.clone();
        drop(record(delivery));
        async move {
            if !passes {
                let _ = gate.wait_for(|open| *open).await;
            }
        }
    };
    let serving = ground.queue.serve(options(2, 2), handler).await;
    // One blocks, one passes and frees a slot for the next batch, whose second must wait.
    let mut pushed = wakes(4);
    pushed[1].fence = 1;
    ground.push(&pushed).await;
    arrivals.take(3).await;
    ground.depth_becomes(|depth| depth.waiting == 0).await;
    assert_eq!(serving.running(), 2);

    let began = tokio::time::Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        assert_eq!(ground.queue.rescue_orphans(NAME).await.unwrap(), 0);
        assert!(serving.is_healthy());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    open.send(true).unwrap();
    arrivals.take(1).await;
    ground.depth_becomes(|depth| depth.done == 4).await;
    assert_eq!(arrivals.left(), 0, "each was executed once");
}
