//! Keys are written in one place, which proves that none is wider than its maker, and answers are
//! repeated in one place, which knows to whom.

use super::tree::{assert_none, rust_files};

/// The files of the product that say one of these, but for those that may.
fn said_elsewhere(texts: &[&str], home: &str) -> Vec<String> {
    let (at_home, elsewhere): (Vec<String>, Vec<String>) = rust_files()
        .into_iter()
        .filter(|file| !file.path.starts_with("tests/") && !file.path.starts_with("loadtest/"))
        .filter(|file| texts.iter().any(|text| file.text.contains(text)))
        .map(|file| file.path)
        .partition(|path| path.starts_with(home));
    assert!(!at_home.is_empty(), "{home} says none of {texts:?}");
    elsewhere
}

#[test]
fn only_a_grant_writes_a_key() {
    let others = said_elsewhere(
        &["insert into api_keys"],
        "common/src/identity/commands/grant.rs",
    );
    assert_none(&others, "a key is written by its grant alone");
    let others = said_elsewhere(
        &["update api_keys", "delete from api_keys"],
        "common/src/identity/",
    );
    assert_none(&others, "a key is changed by its domain alone");
}

#[test]
fn answers_are_repeated_in_one_place() {
    let others = said_elsewhere(&["idempotency_keys"], "common/src/idempotency.rs");
    assert_none(&others, "whose answer it is, is checked where it is found");
}
