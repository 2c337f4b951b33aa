//! What the queue tests stand on: a queue under a prefix of its own, and a record of deliveries.

use std::{collections::HashSet, sync::Arc, time::Duration};

use common::queue::{Delivery, Depth, Lane, Queue, ServeOptions, Serving, Wake};
use redis::aio::MultiplexedConnection;
use tests::redis::RedisServer;
use tokio::{sync::mpsc, time::timeout};
use uuid::Uuid;

/// When a test gives up; far above what anything here takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);
/// For the fallback tick, where only a wake-up message may have woken the worker.
pub const NEVER: Duration = Duration::from_secs(3600);
/// The queue's name.
pub const NAME: &str = "chores";

pub struct Ground {
    pub server: Arc<RedisServer>,
    pub queue: Queue,
    prefix: String,
}

impl Ground {
    /// On the server that all tests share.
    pub async fn shared() -> Self {
        Self::on(RedisServer::shared()).await
    }

    /// On a server of its own, to be flushed, killed or counted.
    pub async fn private() -> Self {
        Self::on(Arc::new(RedisServer::start())).await
    }

    async fn on(server: Arc<RedisServer>) -> Self {
        let prefix = format!("test-{}", Uuid::new_v4().simple());
        let queue = Queue::connect(&server.url(), &prefix).await.unwrap();
        Self {
            server,
            queue,
            prefix,
        }
    }

    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a Redis key of the fast lane.
    pub fn key(&self, part: &str) -> String {
        format!("{}:{NAME}:{part}", self.prefix)
    }

    pub async fn redis(&self) -> MultiplexedConnection {
        let client = self.server.client();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    pub async fn push(&self, wakes: &[Wake]) -> usize {
        self.queue.push(NAME, Lane::Fast, wakes).await.unwrap()
    }

    pub async fn depth(&self) -> Depth {
        self.queue.depth(NAME).await.unwrap()
    }

    /// Waits for Redis to look as it should.
    pub async fn depth_becomes(&self, expected: impl Fn(&Depth) -> bool) -> Depth {
        let mut last = Depth::default();
        let reached = timeout(DEADLINE, async {
            loop {
                // Redis may be away for a while in these tests.
                if let Ok(depth) = self.queue.depth(NAME).await {
                    last = depth;
                    if expected(&depth) {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let reached = reached.await.is_ok();
        assert!(reached, "the depth stayed at {last:?}");
        last
    }

    /// The names of the registered workers of the fast lane.
    pub async fn workers(&self) -> HashSet<String> {
        redis::cmd("ZRANGE")
            .arg(self.key("workers"))
            .arg(0)
            .arg(-1)
            .query_async(&mut self.redis().await)
            .await
            .unwrap()
    }

    /// Every key of this test in Redis.
    pub async fn keys(&self) -> HashSet<String> {
        redis::cmd("KEYS")
            .arg(format!("{}:*", self.prefix))
            .query_async(&mut self.redis().await)
            .await
            .unwrap()
    }

    /// Puts something on the list as a foreign program would.
    pub async fn push_foreign(&self, id: &str, payload: &[u8]) {
        redis::pipe()
            .atomic()
            .hset(self.key("data"), id, payload)
            .hset(self.key(&format!("meta:{id}")), "attempts", 0)
            .hset(self.key(&format!("meta:{id}")), "max_attempts", 1)
            .hset(self.key(&format!("meta:{id}")), "status", "Pending")
            .rpush(self.key("active"), id)
            .exec_async(&mut self.redis().await)
            .await
            .unwrap();
    }
}

/// Waits until Redis has heard of the worker.
pub async fn becomes_healthy(serving: &Serving) {
    let healthy = timeout(DEADLINE, async {
        while !serving.is_healthy() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    healthy.await.expect("a healthy worker");
}

pub fn options(concurrency: usize, batch: usize) -> ServeOptions {
    ServeOptions {
        concurrency,
        batch,
        ..ServeOptions::new(NAME, Lane::Fast, "worker")
    }
}

pub fn wake() -> Wake {
    Wake {
        job: Uuid::now_v7(),
        fence: 0,
        trace: Some("req_test".to_owned()),
    }
}

pub fn wakes(count: usize) -> Vec<Wake> {
    (0..count).map(|_| wake()).collect()
}

pub fn jobs(wakes: &[Wake]) -> HashSet<Uuid> {
    wakes.iter().map(|wake| wake.job).collect()
}

/// A handler that does nothing but tell, and what it told.
pub fn recorder() -> (
    impl Fn(Delivery) -> std::future::Ready<()> + Clone + Send + Sync + 'static,
    Arrivals,
) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let handler = move |delivery| {
        let _ = sender.send(delivery);
        std::future::ready(())
    };
    (handler, Arrivals { receiver })
}

pub struct Arrivals {
    pub receiver: mpsc::UnboundedReceiver<Delivery>,
}

impl Arrivals {
    pub async fn next(&mut self) -> Delivery {
        timeout(DEADLINE, self.receiver.recv())
            .await
            .expect("a delivery before the deadline")
            .expect("a handler that still lives")
    }

    pub async fn next_wake(&mut self) -> Wake {
        match self.next().await {
            Delivery::Wake(wake) => wake,
            other => panic!("expected a wake-up call, got {other:?}"),
        }
    }

    pub async fn take(&mut self, count: usize) -> Vec<Wake> {
        let mut wakes = Vec::with_capacity(count);
        while wakes.len() < count {
            wakes.push(self.next_wake().await);
        }
        wakes
    }

    /// Collects deliveries until every one of `expected` has come at least once.
    pub async fn take_all_of(&mut self, expected: &[Wake]) {
        let mut missing = jobs(expected);
        while !missing.is_empty() {
            missing.remove(&self.next_wake().await.job);
        }
    }

    /// What has arrived and was not looked at.
    pub fn left(&mut self) -> usize {
        let mut count = 0;
        while self.receiver.try_recv().is_ok() {
            count += 1;
        }
        count
    }
}
