//! The source tree as tests read it: what is checked in, without what a build leaves.

use std::fs;
use std::path::{Path, PathBuf};

/// A text file: its path from the root, with `/` between the parts, and what stands in it.
#[derive(Debug)]
pub struct SourceFile {
    pub path: String,
    pub text: String,
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// One file that must be there.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All text files, in the order of their paths.
pub fn text_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    collect(&root(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 100, "the tree was not found: {}", files.len());
    files
}

/// All Rust files, but for those of fuzz targets, which are programs of a few lines.
pub fn rust_files() -> Vec<SourceFile> {
    let is_rust = |file: &SourceFile| file.path.ends_with(".rs") && !file.path.contains("fuzz/");
    text_files().into_iter().filter(is_rust).collect()
}

/// Fails with all faults at once.
pub fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n  {}", faults.join("\n  "));
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let is_ours = !name.starts_with('.') || name == ".ci";
            let is_left_over = ["target", "node_modules", "__pycache__"].contains(&name.as_str());
            if is_ours && !is_left_over {
                collect(&path, files);
            }
        } else if ![".env", ".git"].contains(&name.as_str())
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root()).unwrap();
            let path = path.to_string_lossy().replace('\\', "/");
            files.push(SourceFile { path, text });
        }
    }
}
