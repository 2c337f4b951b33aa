//! One life of a worker: an apalis worker under a name of its own, its beat, and its estate.
//!
//! Guarantees that a beat is sent whatever the worker does, that a panic stays inside its handler,
//! and that what the worker held is given back after its end, by itself or by whoever beats next.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use apalis::layers::limit::GlobalConcurrencyLimitLayer;
use apalis_core::{
    backend::ext::BackendExt as _,
    error::WorkerError,
    task::task_id::TaskId,
    worker::{builder::WorkerBuilder, ext::parallelize::ParallelizeExt as _},
};
use apalis_redis::{Config, RedisStorage};
use futures::{FutureExt as _, future::BoxFuture};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    codec::{Envelope, LenientJson},
    limits::{APALIS_HEARTBEAT, BEAT, RELEASE_TIMEOUT, RESCUE_BEATS},
    scripts,
    serve::Post,
    signal::{CountedConnection, WakeSignal},
    wake::Delivery,
};

pub(super) struct Life {
    post: Arc<Post>,
    name: String,
    stop_fetching: CancellationToken,
    worker: JoinHandle<Result<(), WorkerError>>,
    outcome: Option<String>,
    beat: AbortOnDropHandle<()>,
}

impl Life {
    pub(super) fn start<H, F>(post: Arc<Post>, name: String, handler: H) -> Self
    where
        H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let stop_fetching = CancellationToken::new();
        let worker = tokio::spawn(run(
            post.clone(),
            name.clone(),
            handler,
            stop_fetching.clone(),
        ));
        let beat = AbortOnDropHandle::new(tokio::spawn(beat(post.clone(), name.clone())));
        Self {
            post,
            name,
            stop_fetching,
            worker,
            outcome: None,
            beat,
        }
    }

    /// Lets the running handlers end; buffered calls are given back.
    pub(super) fn stop_fetching(&self) {
        self.stop_fetching.cancel();
    }

    /// Resolves when the worker has ended. Safe to cancel and to call again.
    pub(super) async fn ended(&mut self) {
        if self.outcome.is_none() {
            let outcome = match (&mut self.worker).await {
                Ok(Ok(())) => "stopped".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            self.outcome = Some(outcome);
        }
    }

    /// Waits for the end, or brings it about when the post is given up, then gives back
    /// whatever is still held.
    pub(super) async fn finish(mut self) {
        let give_up = self.post.give_up.clone();
        if give_up.run_until_cancelled(self.ended()).await.is_none() {
            // The worker before its handlers, so that no abandoned job is acknowledged.
            self.worker.abort();
            self.ended().await;
            self.post.abandon.cancel();
            let _blocked = timeout(RELEASE_TIMEOUT, self.post.handlers.wait()).await;
        }
        tracing::info!(
            worker.name = self.name,
            worker.outcome = self.outcome,
            "a worker ended"
        );
        self.beat.abort();
        let _aborted = self.beat.await;
        let release = self.post.queue.release_worker(&self.post.key, &self.name);
        if !matches!(timeout(RELEASE_TIMEOUT, release).await, Ok(Ok(_))) {
            tracing::warn!(
                worker.name = self.name,
                "what the worker held is left to be rescued"
            );
        }
    }
}

fn run<H, F>(
    post: Arc<Post>,
    name: String,
    handler: H,
    stop_fetching: CancellationToken,
) -> BoxFuture<'static, Result<(), WorkerError>>
where
    H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let options = &post.options;
    let config = Config::default()
        .queue(post.key.as_str())
        .batch_size(options.batch.clamp(1, options.concurrency.max(1)))
        .lock_tasks(false)
        .persist_results(true)
        .emit_events(false)
        .heartbeat_interval(APALIS_HEARTBEAT);
    let connection = CountedConnection::new(post.queue.connection());
    let messages = post.queue.bus().subscribe(post.key.wake_channel());
    let signal = WakeSignal::new(messages, options.fallback_tick, &connection);
    let backend = RedisStorage::<Envelope, _>::new(connection)
        .with_config(config)
        .with_codec(LenientJson)
        .poll_with_strategy(signal);
    // The slot is taken inside the spawned task: a handler that outlives its worker keeps it.
    let worker = WorkerBuilder::new(name)
        .backend(backend)
        .parallelize(tokio::spawn)
        .layer(GlobalConcurrencyLimitLayer::with_semaphore(
            post.slots.clone(),
        ))
        .build({
            let post = post.clone();
            move |envelope: Envelope, task_id: TaskId| {
                let delivery = delivery(envelope, &task_id);
                let work = handle(post.clone(), handler.clone(), delivery);
                post.handlers.track_future(work)
            }
        });
    worker
        .run_until(stop_fetching.cancelled_owned().map(Ok::<(), WorkerError>))
        .boxed()
}

fn delivery(envelope: Envelope, task_id: &TaskId) -> Delivery {
    match envelope {
        Envelope::Wake(wake) => Delivery::Wake(wake),
        Envelope::Undecodable { bytes, error } => Delivery::Undecodable {
            bytes,
            error,
            task_id: task_id.to_string(),
        },
    }
}

async fn handle<H, F>(post: Arc<Post>, handler: H, delivery: Delivery)
where
    H: Fn(Delivery) -> F,
    F: Future<Output = ()>,
{
    let wake = match &delivery {
        Delivery::Wake(wake) => Some(wake.clone()),
        Delivery::Undecodable { .. } => None,
    };
    let work = AssertUnwindSafe(async move { handler(delivery).await }).catch_unwind();
    let Some(Err(panic)) = post.abandon.run_until_cancelled(work).await else {
        return;
    };
    let message = panic_message(&*panic);
    tracing::error!(
        queue.name = post.key.as_str(),
        job.id = wake.as_ref().map(|wake| wake.job.to_string()),
        panic.message = message,
        "a handler panicked"
    );
    if let (Some(hook), Some(wake)) = (&post.options.on_panic, wake) {
        hook(wake, message);
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Says again and again that the worker lives, and looks for others that no longer do.
async fn beat(post: Arc<Post>, name: String) {
    let mut tick = interval(BEAT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for beat in 1_u32.. {
        tick.tick().await;
        let sent = scripts::BEAT
            .key(post.key.as_str())
            .arg(&name)
            .invoke_async::<()>(&mut post.queue.connection())
            .await;
        if sent.is_ok() {
            post.note_beat();
            if beat.is_multiple_of(RESCUE_BEATS) {
                // A failure is this worker's own next failure too, and reported there.
                let _ = post.queue.rescue_lane(&post.key).await;
            }
        }
    }
}
