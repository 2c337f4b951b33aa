//! The folder of one stack: its layout, its lock, and what it remembers between runs.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::accounts::ApiKeys;
use crate::postgres::{PrivatePostgres, unreachable_for_server};
use crate::process::Signal;
use crate::redis::PrivateRedis;
use crate::{leftovers, private_file};

/// The services in the order in which they start.
pub(super) const SERVICES: [&str; 3] = ["api", "worker", "scheduler"];
/// What the card sandbox keeps.
pub(super) const CARD_BOOK: &str = "cards.json";
/// Where root's PostgreSQL data goes when its user cannot reach the stack's own folder.
const OUTSIDE: &str = "/var/lib/awareness-local";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error(
        "already serving from {folder} (process {pid}); stop that one first, or use its stack.env"
    )]
    Serving { folder: PathBuf, pid: String },
    #[error("{path} cannot be used")]
    Folder { path: PathBuf, source: io::Error },
    #[error("{path} is damaged; `--fresh` starts anew")]
    State {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// Ports on 127.0.0.1; 0 is not chosen yet.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ports {
    pub(super) api: u16,
    pub(super) api_ops: u16,
    pub(super) worker_ops: u16,
    pub(super) scheduler_ops: u16,
    pub(super) receiver: u16,
    pub(super) cards: u16,
    pub(super) github: u16,
    pub(super) s3: u16,
    pub(super) postgres: u16,
    pub(super) redis: u16,
}

/// What a second run needs to be the same stack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Memory {
    pub(super) ports: Ports,
    pub(super) s3_access_key: String,
    pub(super) s3_secret_key: String,
    pub(super) master_key: String,
    /// Folders from before statements were signed have none, and get one.
    #[serde(default = "private_file::random_hex::<32>")]
    pub(super) signing_key: String,
    pub(super) admin_token: String,
    /// The key of the services at the card sandbox; made anew for a folder from before there was one.
    #[serde(default = "new_card_key")]
    pub(super) card_key: String,
    /// What the card sandbox signs its webhooks with.
    #[serde(default = "new_card_webhook_secret")]
    pub(super) card_webhook_secret: String,
    pub(super) api_keys: Option<ApiKeys>,
}

impl Memory {
    fn new() -> Self {
        Self {
            ports: Ports::default(),
            s3_access_key: private_file::random_hex::<10>(),
            s3_secret_key: private_file::random_hex::<20>(),
            master_key: private_file::random_hex::<32>(),
            signing_key: private_file::random_hex::<32>(),
            admin_token: format!("admin_{}", private_file::random_hex::<24>()),
            card_key: new_card_key(),
            card_webhook_secret: new_card_webhook_secret(),
            api_keys: None,
        }
    }
}

fn new_card_key() -> String {
    format!("sk_test_{}", private_file::random_hex::<24>())
}

fn new_card_webhook_secret() -> String {
    format!("whsec_{}", private_file::random_hex::<24>())
}

/// The folder of one stack, held by its lock until it is dropped.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    _lock: File,
}

impl Home {
    /// Takes the lock, stops what an earlier launcher left running, and forgets the old data if
    /// asked to. True if there was a leftover.
    pub(super) async fn open(folder: &Path, fresh: bool) -> Result<(Self, bool), HomeError> {
        let fail = |source| HomeError::Folder {
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(fail)?;
        let folder = folder.canonicalize().map_err(fail)?;
        // The server's user passes through; what is secret has modes of its own.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o711)).map_err(fail)?;
        let lock = take_lock(&folder)?;
        let home = Self {
            folder,
            _lock: lock,
        };
        let leftover = home.stop_leftovers().await;
        if fresh {
            home.forget().map_err(fail)?;
        }
        for name in ["log", "pids", "s3"] {
            let path = home.folder.join(name);
            let made = private_file::folder(&path);
            made.map_err(|source| HomeError::Folder { path, source })?;
        }
        Ok((home, leftover))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.folder.join("log").join(format!("{name}.log"))
    }

    pub(super) fn pid_file(&self, name: &str) -> PathBuf {
        self.folder.join("pids").join(name)
    }

    /// The folder of PostgreSQL: inside, or below /var/lib (with a link inside) when we are root
    /// and the server's user may not pass the way here, as below /root.
    pub(super) fn postgres_folder(&self) -> Result<PathBuf, HomeError> {
        let inside = self.folder.join("postgres");
        if let Ok(outside) = std::fs::read_link(&inside) {
            return Ok(outside);
        }
        if unreachable_for_server(&inside).is_none() {
            return Ok(inside);
        }
        let digest = Sha256::digest(self.folder.as_os_str().as_encoded_bytes());
        let outside = Path::new(OUTSIDE).join(hex::encode(&digest[..8]));
        let make = || {
            std::fs::create_dir_all(&outside)?;
            std::fs::set_permissions(OUTSIDE, std::fs::Permissions::from_mode(0o711))?;
            std::os::unix::fs::symlink(&outside, &inside)
        };
        make().map_err(|source| HomeError::Folder {
            path: outside.clone(),
            source,
        })?;
        Ok(outside)
    }

    /// What the last run remembered, or new secrets.
    pub(super) fn recall(&self) -> Result<Memory, HomeError> {
        let path = self.folder.join("state.json");
        match std::fs::read(&path) {
            Ok(bytes) => {
                serde_json::from_slice(&bytes).map_err(|source| HomeError::State { path, source })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::new()),
            Err(source) => Err(HomeError::Folder { path, source }),
        }
    }

    pub(super) fn remember(&self, memory: &Memory) -> Result<(), HomeError> {
        let text = serde_json::to_string_pretty(memory).expect("strings and numbers serialize");
        self.write("state.json", &text)
    }

    /// Writes a file of the folder whole, mode 600.
    pub(super) fn write(&self, name: &str, contents: &str) -> Result<(), HomeError> {
        let path = self.folder.join(name);
        private_file::write(&path, contents).map_err(|source| HomeError::Folder { path, source })
    }

    async fn stop_leftovers(&self) -> bool {
        let mut any = false;
        for name in SERVICES.iter().rev() {
            let program = format!("awareness-{name}");
            any |=
                leftovers::stop(&self.pid_file(name), &program, &self.folder, Signal::TERM).await;
        }
        any |= PrivateRedis::stop_leftover(&self.folder.join("redis")).await;
        any |= PrivatePostgres::stop_leftover(&self.folder.join("postgres")).await;
        any
    }

    fn forget(&self) -> io::Result<()> {
        if let Ok(outside) = std::fs::read_link(self.folder.join("postgres"))
            && outside.starts_with(OUTSIDE)
        {
            remove(&outside)?;
        }
        let known = [
            "stack.env",
            "state.json",
            CARD_BOOK,
            "log",
            "pids",
            "postgres",
            "redis",
            "s3",
        ];
        known
            .iter()
            .try_for_each(|name| remove(&self.folder.join(name)))
    }
}

/// Removes a file, a link or a folder; missing is fine.
fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            Ok(())
        } else {
            Err(error)
        }
    })
}

/// The lock ends with the process that holds it, however that ends.
fn take_lock(folder: &Path) -> Result<File, HomeError> {
    let path = folder.join("lock");
    let fail = |source| HomeError::Folder {
        path: path.clone(),
        source,
    };
    let opened = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut lock = opened.map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            lock.read_to_string(&mut pid).map_err(fail)?;
            return Err(HomeError::Serving {
                folder: folder.to_owned(),
                pid: pid.trim().to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    lock.set_len(0).map_err(fail)?;
    writeln!(lock, "{}", std::process::id()).map_err(fail)?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_from_before_there_was_a_card_sandbox_is_recalled() {
        let mut old = serde_json::to_value(Memory::new()).unwrap();
        old["ports"]["api"] = 8080.into();
        old["ports"].as_object_mut().unwrap().remove("cards");
        let fields = old.as_object_mut().unwrap();
        fields.remove("card_key").unwrap();
        fields.remove("card_webhook_secret").unwrap();
        let memory: Memory = serde_json::from_value(old).unwrap();
        assert_eq!((memory.ports.api, memory.ports.cards), (8080, 0));
        assert!(memory.card_key.starts_with("sk_test_"));
        assert!(memory.card_webhook_secret.starts_with("whsec_"));
    }
}
