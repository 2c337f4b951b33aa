//! The end of the log in memory: one reader for all who wait in a process.
//!
//! It reads what has got a position when the scheduler announces it, and each second in case that was lost, as long as
//! anybody listens. Who waits holds a cursor and nothing else; who is further behind than the memory reaches reads
//! PostgreSQL, a few at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::PgPool;
use thiserror::Error;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Notify, Semaphore, broadcast, watch};
use tokio::time::timeout;

use super::log::{self, Head, LoggedEvent};
use super::{Cursor, NUMBERED, TypeFilter};
use crate::ids::UserId;
use crate::limits::{
    EVENT_READERS_MAX, EVENTS_IN_MEMORY, EVENTS_NUMBERED_EVERY, EVENTS_NUMBERED_MAX,
    EVENTS_READ_MAX,
};
use crate::queue::Queue;

/// Which events somebody wants. Nothing said means all that they may see.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub types: Vec<TypeFilter>,
    /// Names of streams, or what follows the hyphen in them.
    pub ids: Vec<String>,
}

impl Filter {
    fn passes(&self, event: &LoggedEvent) -> bool {
        let is_of_type = self.types.is_empty()
            || self
                .types
                .iter()
                .any(|filter| filter.matches(&event.event_type));
        is_of_type && (self.ids.is_empty() || self.names(event))
    }

    fn names(&self, event: &LoggedEvent) -> bool {
        let Some(name) = event.stream_name.as_deref() else {
            return false;
        };
        let subject = name.split_once('-').map(|(_, subject)| subject);
        self.ids
            .iter()
            .any(|id| id == name || Some(id.as_str()) == subject)
    }
}

/// Events, and the place after them.
#[derive(Debug, Clone)]
pub struct Page {
    pub events: Vec<Arc<LoggedEvent>>,
    pub cursor: Cursor,
    /// Whether there was more to look at.
    pub has_more: bool,
}

/// Why nothing can be read from a cursor.
#[derive(Debug, Error)]
pub enum TailError {
    /// It belongs to another log, or lies beyond the end of this one.
    #[error("the cursor is not of this event log")]
    Foreign,
    /// What came next is no longer kept.
    #[error("events up to {0} are no longer kept")]
    Pruned(Cursor),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Reads the log for all who wait in this process; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tail(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    pool: PgPool,
    memory: Mutex<Memory>,
    listeners: Mutex<HashMap<UserId, watch::Sender<i64>>>,
    listened: Notify,
    readers: Semaphore,
}

/// The newest events, without a gap.
#[derive(Debug, Default)]
struct Memory {
    /// Where the log was when it was looked at last; none before the first look.
    head: Option<Head>,
    /// All after this position, up to the head, are in `events`.
    start: i64,
    events: VecDeque<Arc<LoggedEvent>>,
}

impl Tail {
    /// Begins to read, as soon as somebody listens.
    pub fn start(pool: PgPool, queue: &Queue) -> Self {
        let tail = Self(Arc::new(Shared {
            pool,
            memory: Mutex::default(),
            listeners: Mutex::default(),
            listened: Notify::new(),
            readers: Semaphore::new(EVENT_READERS_MAX),
        }));
        let hints = queue.subscribe(NUMBERED);
        tokio::spawn(follow(Arc::downgrade(&tail.0), hints));
        tail
    }

    /// Hears of events that a user may see.
    pub fn listen(&self, user: UserId) -> Listener {
        let mut listeners = lock(&self.0.listeners);
        let sender = listeners.entry(user).or_insert_with(|| watch::channel(0).0);
        let receiver = sender.subscribe();
        drop(listeners);
        self.0.listened.notify_one();
        Listener {
            tail: self.clone(),
            user,
            receiver,
        }
    }

    /// The place after the newest event.
    pub async fn end(&self) -> Result<Cursor, TailError> {
        let head = log::head(&self.0.pool).await?;
        Ok(head.cursor(head.last))
    }

    /// The place before the oldest event that is kept.
    pub async fn beginning(&self) -> Result<Cursor, TailError> {
        let head = log::head(&self.0.pool).await?;
        Ok(head.cursor(head.feed_floor))
    }

    /// What a user may see after a cursor.
    pub async fn read(
        &self,
        user: UserId,
        after: Cursor,
        filter: &Filter,
        limit: usize,
    ) -> Result<Page, TailError> {
        if let Some(page) = lock(&self.0.memory).read(user, after, filter, limit) {
            return Ok(page);
        }
        let _place = self.0.readers.acquire().await;
        let pool = &self.0.pool;
        let head = log::head(pool).await?;
        if after.epoch != head.epoch || after.position > head.last {
            return Err(TailError::Foreign);
        }
        let rows = log::read_feed(pool, user, after.position, head.last, EVENTS_READ_MAX).await?;
        // Asked after the rows, because those that are deleted while they are read are missing in them.
        let floor = log::head(pool).await?.feed_floor;
        if after.position < floor {
            return Err(TailError::Pruned(head.cursor(floor)));
        }
        let is_end = (rows.len() as i64) < EVENTS_READ_MAX;
        let events = rows.into_iter().map(Arc::new);
        Ok(page(events, head, filter, limit, is_end))
    }
}

/// Those that pass, up to a limit, and the place after the last one that was looked at.
fn page(
    events: impl Iterator<Item = Arc<LoggedEvent>>,
    head: Head,
    filter: &Filter,
    limit: usize,
    is_end: bool,
) -> Page {
    let mut found = Vec::new();
    let mut seen = head.last;
    let mut is_cut = !is_end;
    for event in events {
        if found.len() == limit {
            is_cut = true;
            break;
        }
        seen = event.position;
        if filter.passes(&event) {
            found.push(event);
        }
    }
    Page {
        events: found,
        cursor: head.cursor(if is_cut { seen } else { head.last }),
        has_more: is_cut,
    }
}

impl Memory {
    /// A page, if the memory reaches back to the cursor.
    fn read(&self, user: UserId, after: Cursor, filter: &Filter, limit: usize) -> Option<Page> {
        let head = self.head?;
        let is_covered = after.epoch == head.epoch
            && after.position >= self.start
            && after.position <= head.last;
        if !is_covered {
            return None;
        }
        let first = self
            .events
            .partition_point(|event| event.position <= after.position);
        let newer = self.events.range(first..);
        let seen = newer
            .filter(|event| event.audience.contains(&user))
            .cloned();
        Some(page(seen, head, filter, limit, true))
    }

    /// Takes in what comes next, and forgets the oldest of too many.
    fn push(&mut self, events: impl IntoIterator<Item = Arc<LoggedEvent>>) {
        self.events.extend(events);
        while self.events.len() > EVENTS_IN_MEMORY
            && let Some(oldest) = self.events.pop_front()
        {
            self.start = oldest.position;
        }
        if let (Some(head), Some(newest)) = (&mut self.head, self.events.back()) {
            head.last = head.last.max(newest.position);
        }
    }
}

/// Hears when there is something new for one user.
#[derive(Debug)]
pub struct Listener {
    tail: Tail,
    user: UserId,
    receiver: watch::Receiver<i64>,
}

impl Listener {
    /// Returns when a newer event of the user is in memory than at the last return. Dropped and called again it misses
    /// nothing.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The tail outlives those who listen to it.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut listeners = lock(&self.tail.0.listeners);
        if listeners
            .get(&self.user)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            listeners.remove(&self.user);
        }
    }
}

/// Reads on as long as there is a tail and somebody listens.
async fn follow(tail: std::sync::Weak<Shared>, mut hints: broadcast::Receiver<String>) {
    loop {
        let Some(shared) = tail.upgrade() else {
            return;
        };
        if lock(&shared.listeners).is_empty() {
            // What is written meanwhile is not read; whoever comes next begins at the end.
            *lock(&shared.memory) = Memory::default();
            let _ = timeout(EVENTS_NUMBERED_EVERY, shared.listened.notified()).await;
            continue;
        }
        if let Err(error) = shared.read_on().await {
            tracing::warn!(%error, "The end of the event log could not be read");
        }
        drop(shared);
        match timeout(EVENTS_NUMBERED_EVERY, hints.recv()).await {
            Ok(Err(RecvError::Closed)) => tokio::time::sleep(EVENTS_NUMBERED_EVERY).await,
            // One look is enough for all that was announced until now.
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => while hints.try_recv().is_ok() {},
            Err(_elapsed) => {}
        }
    }
}

impl Shared {
    /// Reads up to the end of the log, and wakes those whom the events concern.
    async fn read_on(&self) -> Result<(), sqlx::Error> {
        let known = lock(&self.memory).head;
        let Some(known) = known else {
            let head = log::head(&self.pool).await?;
            let mut memory = lock(&self.memory);
            memory.start = head.last;
            memory.head = Some(head);
            drop(memory);
            self.wake_all(head.last);
            return Ok(());
        };
        let mut last = known.last;
        loop {
            let rows = log::read_after(&self.pool, last, i64::from(EVENTS_NUMBERED_MAX)).await?;
            let Some(newest) = rows.last() else {
                return Ok(());
            };
            last = newest.position;
            let events: Vec<Arc<LoggedEvent>> = rows.into_iter().map(Arc::new).collect();
            lock(&self.memory).push(events.iter().cloned());
            self.wake(&events);
        }
    }

    fn wake(&self, events: &[Arc<LoggedEvent>]) {
        let listeners = lock(&self.listeners);
        for event in events {
            for viewer in &event.audience {
                if let Some(sender) = listeners.get(viewer) {
                    sender.send_replace(event.position);
                }
            }
        }
    }

    /// What was written before this look may be for anybody.
    fn wake_all(&self, position: i64) {
        for sender in lock(&self.listeners).values() {
            sender.send_replace(position);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
