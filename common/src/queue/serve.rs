//! Serving a lane: a supervisor that keeps one worker alive and replaces it when it ends.
//!
//! A *life* (`life.rs`) is one apalis worker under one name. It ends by itself on any Redis error,
//! and on request for a pause or a stop. The supervisor outlives them all, and so do the slots
//! (`concurrency`) and the running handlers: an outage of Redis ends no handler.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use super::{
    Queue,
    life::Life,
    limits::{FALLBACK_TICK, LIFE_IS_LONG, RESTART_DELAY_MAX, RESTART_DELAY_MIN, SILENCE_MAX},
    wake::{Delivery, Lane, LaneKey, Wake},
};

/// Told of a handler that panicked, with the panic's message, so that it can be recorded.
pub type PanicHook = Arc<dyn Fn(Wake, String) + Send + Sync>;

/// What to serve, and how much of it at once.
#[derive(Clone)]
pub struct ServeOptions {
    /// The queue, one word.
    pub queue: String,
    /// Which of its lists.
    pub lane: Lane,
    /// How many handlers run at once, across outages of Redis too.
    pub concurrency: usize,
    /// How many calls are fetched at once, at most `concurrency`. Calls wait in this process until
    /// a slot is free, so 1 for jobs that take seconds, and `concurrency` for many short ones.
    pub batch: usize,
    /// Names this process among the workers; a unique suffix is added for every life.
    pub worker_name_prefix: String,
    /// How often an idle worker looks although nothing woke it.
    pub fallback_tick: Duration,
    /// Called when a handler panicked.
    pub on_panic: Option<PanicHook>,
}

impl ServeOptions {
    /// One slot, one call at a time, a tick of five seconds.
    #[must_use]
    pub fn new(queue: &str, lane: Lane, worker_name_prefix: &str) -> Self {
        Self {
            queue: queue.to_owned(),
            lane,
            concurrency: 1,
            batch: 1,
            worker_name_prefix: worker_name_prefix.to_owned(),
            fallback_tick: FALLBACK_TICK,
            on_panic: None,
        }
    }
}

impl fmt::Debug for ServeOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServeOptions")
            .field("queue", &self.queue)
            .field("lane", &self.lane)
            .field("concurrency", &self.concurrency)
            .field("batch", &self.batch)
            .field("worker_name_prefix", &self.worker_name_prefix)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Run,
    Pause,
    Stop { grace: Duration },
}

/// What outlives a life.
pub(super) struct Post {
    pub(super) queue: Queue,
    pub(super) key: LaneKey,
    pub(super) options: ServeOptions,
    pub(super) slots: Arc<Semaphore>,
    pub(super) handlers: TaskTracker,
    /// The grace of a stop is over: ends the lives, which then abandon their handlers.
    pub(super) give_up: CancellationToken,
    /// Ends the handlers.
    pub(super) abandon: CancellationToken,
    started: Instant,
    /// Milliseconds from `started` to the last beat that reached Redis; 0 before the first.
    last_beat_ms: AtomicU64,
}

impl Post {
    pub(super) fn note_beat(&self) {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_beat_ms.store(now_ms.max(1), Ordering::Relaxed);
    }

    fn has_beaten_lately(&self) -> bool {
        let last_beat = Duration::from_millis(self.last_beat_ms.load(Ordering::Relaxed));
        !last_beat.is_zero() && self.started.elapsed().saturating_sub(last_beat) < SILENCE_MAX
    }
}

impl Queue {
    /// Serves a lane until the result is stopped or dropped. Each call is handed over at least
    /// once; the handler's own end is all that is awaited of it.
    pub async fn serve<H, F>(&self, options: ServeOptions, handler: H) -> Serving
    where
        H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let post = Arc::new(Post {
            queue: self.clone(),
            key: self.lane_key(&options.queue, options.lane),
            slots: Arc::new(Semaphore::new(options.concurrency.max(1))),
            handlers: TaskTracker::new(),
            give_up: CancellationToken::new(),
            abandon: CancellationToken::new(),
            started: Instant::now(),
            last_beat_ms: AtomicU64::new(0),
            options,
        });
        let (wanted, wanted_receiver) = watch::channel(Wanted::Run);
        let supervisor = TaskTracker::new();
        supervisor.spawn(supervise(post.clone(), handler, wanted_receiver));
        supervisor.close();
        Serving {
            post,
            wanted,
            supervisor,
        }
    }
}

/// A lane being served. Dropping it stops at once; [`Serving::stop`] stops gently.
pub struct Serving {
    post: Arc<Post>,
    wanted: watch::Sender<Wanted>,
    supervisor: TaskTracker,
}

impl fmt::Debug for Serving {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Serving")
            .field("options", &self.post.options)
            .field("wanted", &*self.wanted.borrow())
            .field("running", &self.running())
            .finish_non_exhaustive()
    }
}

impl Serving {
    /// Fetches no more, waits for the running handlers for at most `grace`, ends those that
    /// remain, and gives everything unfinished back to the list.
    pub async fn stop(&self, grace: Duration) {
        self.wanted.send_replace(Wanted::Stop { grace });
        self.supervisor.wait().await;
    }

    /// Fetches no more and gives back what is buffered; running handlers go on.
    pub fn pause(&self) {
        self.want(Wanted::Pause);
    }

    /// Ends a pause.
    pub fn resume(&self) {
        self.want(Wanted::Run);
    }

    /// A stop is final: neither a pause nor its end takes it back.
    fn want(&self, next: Wanted) {
        self.wanted.send_if_modified(|wanted| {
            let changes = *wanted != next && !matches!(wanted, Wanted::Stop { .. });
            if changes {
                *wanted = next;
            }
            changes
        });
    }

    /// Whether Redis heard of this worker within the last 4.5 s, or it is paused.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        *self.wanted.borrow() == Wanted::Pause || self.post.has_beaten_lately()
    }

    /// How many handlers run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.post.handlers.len()
    }
}

async fn supervise<H, F>(post: Arc<Post>, handler: H, mut wanted: watch::Receiver<Wanted>)
where
    H: Fn(Delivery) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let boot = Uuid::new_v4().simple();
    let mut endings = JoinSet::new();
    let mut delay = RESTART_DELAY_MIN;
    for number in 0_u64.. {
        while endings.try_join_next().is_some() {}
        if while_wanted(&mut wanted, Wanted::Pause).await != Some(Wanted::Run) {
            break;
        }
        let name = format!("{}-{boot}-{number}", post.options.worker_name_prefix);
        let mut life = Life::start(post.clone(), name, handler.clone());
        let began = Instant::now();
        let ended_by_itself = tokio::select! {
            () = life.ended() => true,
            _ = while_wanted(&mut wanted, Wanted::Run) => false,
        };
        life.stop_fetching();
        endings.spawn(life.finish());
        if ended_by_itself {
            if began.elapsed() > LIFE_IS_LONG {
                delay = RESTART_DELAY_MIN;
            }
            sleep(delay).await;
            delay = (delay * 2).min(RESTART_DELAY_MAX);
        }
    }
    let grace = match *wanted.borrow() {
        Wanted::Stop { grace } => grace,
        Wanted::Run | Wanted::Pause => Duration::ZERO,
    };
    wind_down(&post, endings, grace).await;
}

/// Waits until something else is wanted; `None` when nobody is left to want anything.
async fn while_wanted(receiver: &mut watch::Receiver<Wanted>, wanted: Wanted) -> Option<Wanted> {
    let next = receiver.wait_for(|next| *next != wanted).await;
    next.ok().map(|next| *next)
}

/// Waits for lives and handlers that still run, and ends them when the grace is over.
async fn wind_down(post: &Post, mut endings: JoinSet<()>, grace: Duration) {
    post.handlers.close();
    let gentle = async {
        while endings.join_next().await.is_some() {}
        post.handlers.wait().await;
    };
    if timeout(grace, gentle).await.is_ok() {
        return;
    }
    tracing::warn!(
        queue.name = post.key.as_str(),
        queue.abandoned = post.handlers.len(),
        "handlers outlasted the grace of the stop and are ended"
    );
    post.give_up.cancel();
    while endings.join_next().await.is_some() {}
    post.abandon.cancel();
}
