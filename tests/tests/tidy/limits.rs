//! The page of limits is written from the code: `AWARENESS_BLESS=1 cargo test -p tests --test tidy limits`.

use std::fmt::Write as _;

use super::tree::{SourceFile, assert_none, read, root, text_files};

const PAGE: &str = "docs/limits.md";
const HEAD: &str = "# Limits\n\nEvery maximum, deadline and share of the product, from `common/src/limits`. \
                    A test holds this page to the code.\n";

/// A named limit.
struct Limit {
    name: String,
    value: String,
    meaning: String,
}

/// The limits of a file, in its order.
fn limits(text: &str) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut meaning: Vec<&str> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(doc) = line.strip_prefix("///") {
            meaning.push(doc.trim());
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let mut declaration = rest.to_owned();
            while !declaration.ends_with(';') {
                let next = lines.next().expect("a declaration ends");
                declaration = format!("{declaration} {}", next.trim());
            }
            let (name, rest) = declaration.split_once(':').expect("a constant has a type");
            let (_, value) = rest.split_once('=').expect("a constant has a value");
            limits.push(Limit {
                name: name.to_owned(),
                value: value.trim().trim_end_matches(';').to_owned(),
                meaning: without_links(&meaning.join(" ")),
            });
            meaning.clear();
        } else if !line.trim_start().starts_with("#[") {
            meaning.clear();
        }
    }
    limits
}

/// `` [`NAME`] `` and `` [`NAME`](path) `` as `` `NAME` ``.
fn without_links(text: &str) -> String {
    text.replace("[`", "`")
        .replace("`]", "`")
        .replace("`crate::limits::", "`")
}

/// What a file says of itself in its first line.
fn title(file: &SourceFile) -> &str {
    let first = file.text.lines().next().unwrap_or_default();
    first.trim_start_matches("//!").trim().trim_end_matches('.')
}

fn files() -> Vec<SourceFile> {
    let is_limits = |file: &SourceFile| {
        file.path == "common/src/limits.rs" || file.path.starts_with("common/src/limits/")
    };
    text_files().into_iter().filter(is_limits).collect()
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for file in files() {
        let limits = limits(&file.text);
        if limits.is_empty() {
            continue;
        }
        let _ = write!(page, "\n## {}\n\n", title(&file));
        page += "| Limit | Value | Meaning |\n|---|---|---|\n";
        for limit in limits {
            let (name, value) = (limit.name, limit.value.replace('|', "\\|"));
            let _ = writeln!(page, "| `{name}` | `{value}` | {} |", limit.meaning);
        }
    }
    page
}

#[test]
fn each_limit_has_a_reason_and_stands_in_the_page_of_limits() {
    let unexplained: Vec<String> = files()
        .iter()
        .flat_map(|file| limits(&file.text))
        .filter(|limit| limit.meaning.is_empty())
        .map(|limit| limit.name)
        .collect();
    assert_none(&unexplained, "a limit says what it bounds and why");
    let page = page();
    if std::env::var_os("AWARENESS_BLESS").is_some() {
        std::fs::write(root().join(PAGE), &page).unwrap();
    }
    assert!(
        read(PAGE) == page,
        "{PAGE} is not what the code says; AWARENESS_BLESS=1 writes it anew"
    );
}

/// Webhooks have periods of their own in the configuration, whose defaults are limits.
#[test]
fn each_period_of_retention_is_swept() {
    let sweeps = [
        "scheduler/src/sweeps/retention.rs",
        "common/src/config/sections.rs",
        "common/src/webhooks/upkeep.rs",
    ]
    .map(read)
    .concat();
    let periods = limits(&read("common/src/limits/retention.rs"));
    assert!(periods.len() > 10);
    let unused: Vec<String> = periods
        .into_iter()
        .map(|limit| limit.name)
        .filter(|name| !sweeps.contains(name.as_str()))
        .collect();
    assert_none(&unused, "a period of retention is swept by");
}
