//! When an idle worker fetches: on a wake-up message and on a slow tick.
//!
//! Guarantees that no message is lost to a fetch under way. apalis polls for tasks in one task;
//! a message that arrives while a fetch is in flight may be newer than the answer, so it stays
//! owed until a fetch has been started after it. To know that, the worker's connection counts its
//! open requests.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use apalis_core::backend::ext::poll_strategy::{PollSnapshot, PollStrategy};
use futures::{Stream, StreamExt as _};
use redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, ConnectionManager},
};
use tokio::{
    sync::broadcast,
    time::{Interval, MissedTickBehavior, interval},
};
use tokio_stream::wrappers::BroadcastStream;

/// A connection that knows how many of its requests have not been answered.
#[derive(Clone)]
pub(super) struct CountedConnection {
    connection: ConnectionManager,
    open: Arc<AtomicUsize>,
}

impl CountedConnection {
    pub(super) fn new(connection: ConnectionManager) -> Self {
        Self {
            connection,
            open: Arc::default(),
        }
    }

    fn count(&self) -> Open {
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(self.open.clone())
    }
}

struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ConnectionLike for CountedConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        let open = self.count();
        Box::pin(async move {
            let answer = self.connection.req_packed_command(command).await;
            drop(open);
            answer
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let open = self.count();
        Box::pin(async move {
            let answer = self
                .connection
                .req_packed_commands(pipeline, offset, count)
                .await;
            drop(open);
            answer
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// Wakes the worker that polls it.
pub(super) struct WakeSignal {
    messages: Pin<Box<dyn Stream<Item = ()> + Send + Sync>>,
    tick: Interval,
    open: Arc<AtomicUsize>,
    /// A message has come and no fetch has been started since.
    owed: bool,
    waker: Option<Waker>,
}

impl WakeSignal {
    pub(super) fn new(
        messages: broadcast::Receiver<String>,
        tick: Duration,
        connection: &CountedConnection,
    ) -> Self {
        let mut tick = interval(tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            messages: Box::pin(BroadcastStream::new(messages).map(drop)),
            tick,
            open: connection.open.clone(),
            owed: false,
            waker: None,
        }
    }
}

impl PollStrategy for WakeSignal {
    /// Called right before apalis polls for a task. Both sources are drained until they are
    /// pending, so that a waker is registered with each.
    fn poll_drive(&mut self, context: &mut Context<'_>, _: &PollSnapshot) -> Poll<Option<()>> {
        while let Poll::Ready(Some(())) = self.messages.poll_next_unpin(context) {
            self.owed = true;
        }
        while self.tick.poll_tick(context).is_ready() {
            self.owed = true;
        }
        if self.open.load(Ordering::SeqCst) == 0 {
            // No fetch is under way: the poll that follows starts one.
            self.owed = false;
        }
        self.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Called right after. If the fetch that hid a message has just ended, one more is due.
    fn on_poll(&mut self, _: &PollSnapshot) {
        if self.owed
            && self.open.load(Ordering::SeqCst) == 0
            && let Some(waker) = &self.waker
        {
            waker.wake_by_ref();
        }
    }
}
