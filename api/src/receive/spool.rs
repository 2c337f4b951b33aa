//! Packages that wait for a verdict in nameless files: so many of them cost no memory, and what a client
//! that is gone has sent goes with it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::admission::Place;
use common::storage::Blob;

/// The bytes of one package; clones share them. The place that it takes is given back with the last.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    files: Mutex<Files>,
    _place: Place,
}

#[derive(Debug)]
struct Files {
    package: File,
    w_matrix: File,
}

impl Files {
    fn of(&mut self, blob: Blob) -> &mut File {
        match blob {
            Blob::Package => &mut self.package,
            Blob::WMatrix => &mut self.w_matrix,
        }
    }
}

impl Spool {
    /// Two empty files in the system's folder for such things.
    pub fn new(place: Place) -> io::Result<Self> {
        let files = Files {
            package: tempfile::tempfile()?,
            w_matrix: tempfile::tempfile()?,
        };
        Ok(Self(Arc::new(Inner {
            files: Mutex::new(files),
            _place: place,
        })))
    }

    /// Appends; blocks while the file is written.
    pub fn append(&self, blob: Blob, bytes: &[u8]) -> io::Result<()> {
        self.files().of(blob).write_all(bytes)
    }

    /// The package and the W-matrix, read from their beginnings; blocks.
    pub fn read(&self) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut files = self.files();
        Ok((
            read(files.of(Blob::Package))?,
            read(files.of(Blob::WMatrix))?,
        ))
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(file: &mut File) -> io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}
