//! Putting wake-up calls on a list: [`Queue::push`] for the sweep, [`Pusher`] for the hot path.
//!
//! Guarantees that a call is on its list at most once (`a_repeated_push_is_one_job`) and that
//! whoever waits on the lane is woken (`an_idle_worker_wakes_on_a_push`). Does not guarantee that
//! a call arrives: what PostgreSQL holds and Redis lost is pushed again by the sweep.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::{Semaphore, mpsc};

use super::{
    Queue, QueueError,
    limits::{PUSH_BATCH_MAX, PUSHER_BACKLOG_MAX, PUSHER_BATCH_MAX, PUSHER_IN_FLIGHT_MAX},
    scripts,
    wake::{Lane, Wake},
};

impl Queue {
    /// Puts wake-up calls on a list and returns how many were not waiting or running already.
    ///
    /// Cheap to repeat: one round trip for every 500, about 9 us of Redis for each new call.
    pub async fn push(&self, queue: &str, lane: Lane, wakes: &[Wake]) -> Result<usize, QueueError> {
        let key = self.lane_key(queue, lane);
        let mut pushed = 0;
        for batch in wakes.chunks(PUSH_BATCH_MAX) {
            let mut call = scripts::PUSH.prepare_invoke();
            call.key(key.as_str());
            for wake in batch {
                let payload = serde_json::to_vec(wake).expect("ids and strings always encode");
                call.arg(wake.task_id()).arg(payload);
            }
            pushed += call.invoke_async::<usize>(&mut self.connection()).await?;
        }
        Ok(pushed)
    }
}

struct Order {
    queue: String,
    lane: Lane,
    wake: Wake,
}

/// Sends wake-up calls right after a commit without making the caller wait.
///
/// What cannot be sent is dropped and counted: the sweep finds it. Calls that arrive while a
/// batch is under way go together in the next one.
#[derive(Debug, Clone)]
pub struct Pusher {
    orders: mpsc::Sender<Order>,
    dropped: Arc<AtomicU64>,
}

impl Pusher {
    /// Starts the background task; it ends when the last clone is gone and all is sent.
    #[must_use]
    pub fn start(queue: Queue) -> Self {
        let (orders, incoming) = mpsc::channel(PUSHER_BACKLOG_MAX);
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(send_all(queue, incoming, dropped.clone()));
        Self { orders, dropped }
    }

    /// Hands over one call. Never waits, never fails.
    pub fn wake(&self, queue: &str, lane: Lane, wake: Wake) {
        let order = Order {
            queue: queue.to_owned(),
            lane,
            wake,
        };
        if self.orders.try_send(order).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many calls were left to the sweep since the start.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

async fn send_all(queue: Queue, mut incoming: mpsc::Receiver<Order>, dropped: Arc<AtomicU64>) {
    let in_flight = Arc::new(Semaphore::new(PUSHER_IN_FLIGHT_MAX));
    let mut orders = Vec::with_capacity(PUSHER_BATCH_MAX);
    loop {
        // The slot comes first: what arrives while all are taken makes the next batch larger.
        let slot = in_flight
            .clone()
            .acquire_owned()
            .await
            .expect("this semaphore is never closed");
        if incoming.recv_many(&mut orders, PUSHER_BATCH_MAX).await == 0 {
            return;
        }
        let mut batches: HashMap<(String, Lane), Vec<Wake>> = HashMap::new();
        for order in orders.drain(..) {
            batches
                .entry((order.queue, order.lane))
                .or_default()
                .push(order.wake);
        }
        let (queue, dropped) = (queue.clone(), dropped.clone());
        tokio::spawn(async move {
            for ((name, lane), wakes) in batches {
                if let Err(error) = queue.push(&name, lane, &wakes).await {
                    dropped.fetch_add(wakes.len() as u64, Ordering::Relaxed);
                    tracing::warn!(
                        queue.name = name,
                        queue.dropped = wakes.len(),
                        error = &error as &dyn std::error::Error,
                        "wake-up calls are left to the sweep"
                    );
                }
            }
            drop(slot);
        });
    }
}
