//! Owns the one subscribed connection of a process: topics fan out from it to any number of
//! receivers, and publishing makes nobody wait.
//!
//! Messages are hints. They may be lost (Redis away, a full backlog), so every receiver must also
//! look by itself now and then. Whenever a topic has been subscribed anew, its receivers get an
//! empty message, because something may have been said while nobody listened.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use futures::StreamExt as _;
use redis::{
    Client, RedisError,
    aio::{ConnectionManager, PubSubSink},
};
use tokio::{
    sync::{broadcast, mpsc, oneshot},
    time::{interval, sleep, timeout},
};

use super::{
    Queue,
    limits::{
        CHANGED_BACKLOG_MAX, CONNECT_TIMEOUT, OUTDATE_TIMEOUT, PUBLISH_BACKLOG_MAX,
        PUBLISH_BATCH_MAX, SUBSCRIBE_DELAY, SUBSCRIBE_PING,
    },
};

impl Queue {
    /// Says that something changed: fire and forget, dropped when Redis is away.
    pub fn publish(&self, topic: &str, id: &str) {
        self.bus()
            .publish(self.topic_channel(topic), id.to_owned(), None);
    }

    /// Says that what was made from a topic is old: raises its epoch ([`crate::cache`]), then tells.
    /// Returns when that is done, or Redis seems to be away; this process knows it in any case.
    pub async fn outdate(&self, topic: &str) {
        let (done, raised) = oneshot::channel();
        let epoch = Epoch {
            key: format!("{}:epoch:{topic}", self.shared.prefix),
            _done: done,
        };
        let channel = self.topic_channel(topic);
        self.bus()
            .publish(channel.clone(), String::new(), Some(epoch));
        let _raised_or_away = timeout(OUTDATE_TIMEOUT, raised).await;
        deliver(&self.bus().channels, &channel, "");
    }

    /// Receives the ids published on a topic. An empty id means "look at everything you wait
    /// for": it comes once this process hears the topic, and again after every reconnection.
    #[must_use]
    pub fn subscribe(&self, topic: &str) -> broadcast::Receiver<String> {
        self.bus().subscribe(self.topic_channel(topic))
    }
}

/// Channel names and their receivers. A channel is never unsubscribed: topics and queues are few.
type Channels = Arc<Mutex<HashMap<String, broadcast::Sender<String>>>>;

#[derive(Debug)]
pub(super) struct Bus {
    channels: Channels,
    wanted: mpsc::UnboundedSender<String>,
    outgoing: mpsc::Sender<Announcement>,
}

/// A message, its channel, and the epoch that it raises.
#[derive(Debug)]
struct Announcement {
    channel: String,
    message: String,
    epoch: Option<Epoch>,
}

/// An epoch to raise, and who waits for it: until this is dropped.
#[derive(Debug)]
struct Epoch {
    key: String,
    _done: oneshot::Sender<()>,
}

impl Bus {
    /// Starts both background tasks; they end with the bus.
    pub(super) fn start(client: Client, connection: ConnectionManager) -> Self {
        let channels = Channels::default();
        let (wanted, new_channels) = mpsc::unbounded_channel();
        let (outgoing, messages) = mpsc::channel(PUBLISH_BACKLOG_MAX);
        tokio::spawn(listen(client, channels.clone(), new_channels));
        tokio::spawn(publish_all(connection, messages));
        Self {
            channels,
            wanted,
            outgoing,
        }
    }

    fn publish(&self, channel: String, message: String, epoch: Option<Epoch>) {
        let announcement = Announcement {
            channel,
            message,
            epoch,
        };
        if self.outgoing.try_send(announcement).is_err() {
            tracing::debug!("a change was not announced: the backlog is full");
        }
    }

    pub(super) fn subscribe(&self, channel: String) -> broadcast::Receiver<String> {
        let mut channels = lock(&self.channels);
        if let Some(sender) = channels.get(&channel) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(CHANGED_BACKLOG_MAX);
        channels.insert(channel.clone(), sender);
        // An error means that the runtime is shutting down.
        let _ = self.wanted.send(channel);
        receiver
    }
}

fn lock(
    channels: &Channels,
) -> std::sync::MutexGuard<'_, HashMap<String, broadcast::Sender<String>>> {
    channels.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deliver(channels: &Channels, channel: &str, message: &str) {
    if let Some(sender) = lock(channels).get(channel) {
        // An error means that nobody receives at the moment.
        let _ = sender.send(message.to_owned());
    }
}

async fn publish_all(
    mut connection: ConnectionManager,
    mut messages: mpsc::Receiver<Announcement>,
) {
    let mut batch = Vec::with_capacity(PUBLISH_BATCH_MAX);
    while messages.recv_many(&mut batch, PUBLISH_BATCH_MAX).await > 0 {
        let mut pipeline = redis::pipe();
        let mut published = HashSet::new();
        for announcement in &batch {
            if announcement.epoch.is_none()
                && !published.insert((&announcement.channel, &announcement.message))
            {
                continue;
            }
            if let Some(epoch) = &announcement.epoch {
                pipeline.incr(&epoch.key, 1).ignore();
            }
            pipeline
                .publish(&announcement.channel, &announcement.message)
                .ignore();
        }
        if let Err(error) = pipeline.exec_async(&mut connection).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "changes were not announced"
            );
        }
        batch.clear();
    }
}

/// Connects when the first channel is wanted, and again whenever the connection is lost.
async fn listen(client: Client, channels: Channels, mut wanted: mpsc::UnboundedReceiver<String>) {
    if wanted.recv().await.is_none() {
        return;
    }
    let mut was_connected = true;
    while let Err(error) = listen_once(&client, &channels, &mut wanted, &mut was_connected).await {
        if was_connected {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "wake-up messages stopped; workers look by themselves until they are back"
            );
        }
        was_connected = false;
        sleep(SUBSCRIBE_DELAY).await;
    }
}

/// Returns `Ok` when the bus is gone.
async fn listen_once(
    client: &Client,
    channels: &Channels,
    wanted: &mut mpsc::UnboundedReceiver<String>,
    was_connected: &mut bool,
) -> Result<(), RedisError> {
    let (mut sink, mut messages) = within(client.get_async_pubsub()).await?.split();
    let mut known: HashSet<String> = lock(channels).keys().cloned().collect();
    subscribe_and_nudge(&mut sink, channels, &known).await?;
    *was_connected = true;
    let mut ping = interval(SUBSCRIBE_PING);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) => {
                    let text: String = message.get_payload().unwrap_or_default();
                    deliver(channels, message.get_channel_name(), &text);
                }
                None => return Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()),
            },
            channel = wanted.recv() => match channel {
                Some(channel) => {
                    if known.insert(channel.clone()) {
                        subscribe_and_nudge(&mut sink, channels, &HashSet::from([channel])).await?;
                    }
                }
                None => return Ok(()),
            },
            _ = ping.tick() => within(sink.ping::<redis::Value>()).await.map(drop)?,
        }
    }
}

async fn subscribe_and_nudge(
    sink: &mut PubSubSink,
    channels: &Channels,
    names: &HashSet<String>,
) -> Result<(), RedisError> {
    within(sink.subscribe(names)).await?;
    for name in names {
        deliver(channels, name, "");
    }
    Ok(())
}

async fn within<T>(exchange: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    timeout(CONNECT_TIMEOUT, exchange)
        .await
        .unwrap_or_else(|elapsed| Err(std::io::Error::from(elapsed).into()))
}
