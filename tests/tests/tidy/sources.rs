//! Rules for single files: their length, their first line, their name, and what they must not say.

use super::tree::{assert_none, read, rust_files, text_files};

/// Lines of a file that is read in one sitting.
const LINES_MAX: usize = 400;
/// Files that are longer, each with the length it must not outgrow and the reason.
const LONGER: [(&str, usize, &str); 0] = [];
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "helper", "helpers", "misc", "types", "shared",
];
/// Folders of one machine. In two pieces, so that this file does not name them itself.
const FOLDERS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_module_says_what_it_is() {
    let faults: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| file.path)
        .collect();
    assert_none(&faults, "a Rust file opens with //!");
}

#[test]
fn every_file_is_read_in_one_sitting() {
    let max = |path: &str| {
        let longer = LONGER.iter().find(|(long, ..)| *long == path);
        longer.map_or(LINES_MAX, |(_, lines, _)| *lines)
    };
    let faults: Vec<String> = rust_files()
        .into_iter()
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, path)| *lines > max(path))
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    assert_none(&faults, "split at a second noun");
}

#[test]
fn every_file_is_named_after_what_it_owns() {
    let is_empty = |path: &str| {
        path.split(['/', '.'])
            .any(|part| EMPTY_NAMES.contains(&part))
    };
    let faults: Vec<String> = rust_files()
        .into_iter()
        .map(|file| file.path)
        .filter(|path| is_empty(path))
        .collect();
    assert_none(&faults, "a name says what is inside");
}

/// Benchmarks may measure the bare statement as their floor.
#[test]
fn sql_is_written_in_common_alone() {
    let query = concat!("sqlx::", "query");
    let may = ["common/", "tests/", "loadtest/"];
    let is_elsewhere = |path: &str| !may.iter().any(|folder| path.starts_with(folder));
    let faults: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| is_elsewhere(&file.path) && file.text.contains(query))
        .map(|file| file.path)
        .collect();
    assert_none(&faults, "SQL lives beside its domain");
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let mut faults = Vec::new();
    for file in text_files() {
        let lines = file.text.lines().enumerate();
        let named = lines.filter(|(_, line)| FOLDERS.iter().any(|folder| names(line, folder)));
        faults.extend(named.map(|(at, line)| format!("{}:{}: {line}", file.path, at + 1)));
    }
    assert_none(&faults, "paths of one machine do not belong in the tree");
}

/// Whether an absolute path in the line begins with the folder: `a/home/b` is somebody else's.
fn names(line: &str, folder: &str) -> bool {
    let mut found = line.match_indices(folder);
    found.any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "._-~}".contains(before))
    })
}

#[test]
fn every_crate_comes_from_the_public_registry() {
    let faults: Vec<String> = read("Cargo.lock")
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .map(|source| source.trim_matches('"').to_owned())
        .filter(|source| source != CRATES_IO)
        .collect();
    assert_none(&faults, "Cargo.lock names crates.io alone");
}

/// One function makes entity tags, of all that is shown; an error names the version that was expected.
#[test]
fn entity_tags_are_made_in_one_place() {
    let header = concat!("header::", "ETAG");
    let may = [
        "middleware/observe.rs",
        "middleware/compress.rs",
        "error.rs",
    ]
    .map(|file| format!("api/src/{file}"));
    let faults: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("api/") && file.text.contains(header))
        .map(|file| file.path)
        .filter(|path| !may.contains(path))
        .collect();
    assert_none(&faults, "ask for a tag with `Tagged`");
}

#[test]
fn work_that_outlives_its_request_holds_its_place() {
    let faults: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| file.path.starts_with("api/src/routes/"))
        .filter(|file| file.text.contains("tokio::spawn("))
        .map(|file| file.path)
        .collect();
    assert_none(&faults, "handlers start tasks with crate::places::spawn");
}

/// Whoever reads a code in an answer finds what it means.
#[test]
fn each_code_of_a_verdict_is_explained() {
    let page = read("docs/codes.md");
    let source = read("package/src/refusal.rs");
    let (_, codes) = source.split_once("pub enum Code {").unwrap();
    let (codes, _) = codes.split_once("\n}").unwrap();
    let variants = codes
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','));
    let missing: Vec<String> = variants
        .map(|variant| {
            let spaced = variant.chars().enumerate().flat_map(|(at, letter)| {
                let gap = (at > 0 && letter.is_uppercase()).then_some('_');
                gap.into_iter().chain(letter.to_uppercase())
            });
            spaced.collect::<String>()
        })
        .filter(|code| !page.contains(&format!("| `{code}` |")))
        .collect();
    assert_none(&missing, "docs/codes.md explains each code");
}
