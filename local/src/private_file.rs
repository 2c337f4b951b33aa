//! What only its owner may read: small files, written whole or not at all, and folders.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Replaces `path` by a complete new file.
pub fn write(path: &Path, contents: &str) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    // Temporary files are created with mode 600.
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(contents.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

/// Creates the folder if it is missing and closes it to others.
pub fn folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// The secret in `path`, generated at the first call: 48 hexadecimal digits.
pub fn secret(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(secret) => Ok(secret.trim_end().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = random_hex::<24>();
            write(path, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(error),
    }
}

/// `BYTES` random bytes in hexadecimal.
pub fn random_hex<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes);
    hex::encode(bytes)
}
