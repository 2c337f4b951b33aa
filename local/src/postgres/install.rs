//! Finds the PostgreSQL programs of this machine and the user that may run them.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::PostgresError;
use crate::process::Owner;

/// Users that may run a server when we are root, best first.
const UNPRIVILEGED_USERS: [&str; 2] = ["postgres", "nobody"];

/// One installed version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    pub(super) folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The newest version, or that of existing data.
    pub(super) fn find(data_major: Option<u32>) -> Result<Self, PostgresError> {
        let found = candidates().into_iter().filter_map(Self::inspect);
        let found = found.filter(|programs| data_major.is_none_or(|major| programs.major == major));
        // Of equals the first is kept: a versioned folder holds programs, a search path wrappers.
        let newest = found.reduce(|best, next| if next.major > best.major { next } else { best });
        newest.ok_or(PostgresError::NotInstalled { data_major })
    }

    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.folder.join(program)
    }

    fn inspect(folder: PathBuf) -> Option<Self> {
        if !["initdb", "postgres", "psql"]
            .iter()
            .all(|program| folder.join(program).is_file())
        {
            return None;
        }
        let output = Command::new(folder.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder, major })
    }
}

/// The major version in `postgres (PostgreSQL) 15.10 (Debian 15.10-0)`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

/// Debian's and Ubuntu's versioned folders, Homebrew's, and the search path.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for versions in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let entries = std::fs::read_dir(versions).into_iter().flatten().flatten();
        let named = entries.filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with("postgresql") || name.starts_with(|c: char| c.is_ascii_digit())
        });
        folders.extend(named.map(|entry| entry.path().join("bin")));
    }
    folders.extend(
        std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths),
    );
    folders
}

/// The user for the server: none if we are not root and it may be ourselves.
pub(super) fn owner() -> Result<Option<Owner>, PostgresError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let owner = UNPRIVILEGED_USERS
        .iter()
        .find_map(|name| find_user(&users, name));
    owner.map(Some).ok_or(PostgresError::NoUnprivilegedUser)
}

fn find_user(passwd: &str, name: &str) -> Option<Owner> {
    let fields = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let mut users = fields.filter(|fields| fields.first() == Some(&name));
    let fields = users.next()?;
    Some(Owner {
        user_id: fields.get(2)?.parse().ok()?,
        group_id: fields.get(3)?.parse().ok()?,
    })
}

/// The first folder on the way to `folder` that `owner` may not pass, if any.
pub(super) fn barrier(folder: &Path, owner: Owner) -> Option<PathBuf> {
    let passes = |path: &Path| {
        path.metadata().is_ok_and(|metadata| {
            let needed = if metadata.uid() == owner.user_id {
                0o100
            } else if metadata.gid() == owner.group_id {
                0o010
            } else {
                0o001
            };
            metadata.mode() & needed != 0
        })
    };
    folder
        .ancestors()
        .skip(1)
        .find(|path| !passes(path))
        .map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_any_packaging() {
        assert_eq!(
            parse_major("postgres (PostgreSQL) 15.10 (Debian 15.10-0+deb12u1)\n"),
            Some(15)
        );
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_major("no number"), None);
    }

    #[test]
    fn a_user_is_found_by_whole_name() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(
            find_user(passwd, "postgres"),
            Some(Owner {
                user_id: 101,
                group_id: 104
            })
        );
        assert_eq!(find_user(passwd, "nobody"), None);
    }
}
