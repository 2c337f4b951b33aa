//! The book on disk: one JSON file, replaced whole. Many changes share one write.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::book::Book;
use super::{SandboxError, lock};
use crate::private_file;

/// The book of an earlier run, or an empty one.
pub(super) fn load(path: &Path) -> Result<Book, SandboxError> {
    let damaged = |source| SandboxError::Damaged {
        path: path.to_owned(),
        source,
    };
    match std::fs::read(path) {
        Ok(bytes) => {
            let mut book: Book = serde_json::from_slice(&bytes).map_err(damaged)?;
            book.prune();
            Ok(book)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Book::default()),
        Err(source) => Err(SandboxError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Which change was written last, and what was wrong with that write.
#[derive(Debug, Clone, Default)]
struct Written {
    change: u64,
    fault: Option<String>,
}

/// Writes the book whenever somebody waits for that.
#[derive(Debug)]
pub(super) struct Saver {
    changes: watch::Sender<u64>,
    written: watch::Receiver<Written>,
}

impl Saver {
    /// Writes in the background until it is dropped.
    pub(super) fn start(path: PathBuf, book: Arc<Mutex<Book>>) -> Self {
        let (changes, wanted) = watch::channel(0);
        let (done, written) = watch::channel(Written::default());
        tokio::spawn(run(path, book, wanted, done));
        Self { changes, written }
    }

    /// Returns when the book as it is now, or a later one, is on disk.
    pub(super) async fn save(&self) -> io::Result<()> {
        let mut own = 0;
        self.changes.send_modify(|change| {
            *change += 1;
            own = *change;
        });
        let mut written = self.written.clone();
        let written = written.wait_for(|written| written.change >= own).await;
        let written = written.map_err(|_| io::Error::other("the sandbox has stopped"))?;
        match &written.fault {
            None => Ok(()),
            Some(fault) => Err(io::Error::other(fault.clone())),
        }
    }
}

async fn run(
    path: PathBuf,
    book: Arc<Mutex<Book>>,
    mut wanted: watch::Receiver<u64>,
    done: watch::Sender<Written>,
) {
    while wanted.changed().await.is_ok() {
        // Before the book is read: what changes from here on is of the next round.
        let change = *wanted.borrow_and_update();
        let (path, book) = (path.clone(), book.clone());
        let write = move || {
            let text = serde_json::to_string(&*lock(&book)).map_err(io::Error::other)?;
            private_file::write(&path, &text)
        };
        let result = tokio::task::spawn_blocking(write).await;
        let result = result.map_err(io::Error::other).and_then(|result| result);
        done.send_replace(Written {
            change,
            fault: result.err().map(|error| error.to_string()),
        });
    }
}
