//! A key comes to be in one place, which proves that it is no wider than its maker.

use super::tree::{assert_none, rust_files};

#[test]
fn only_a_grant_writes_a_key() {
    let home = "common/src/identity/commands/grant.rs";
    let is_product = |path: &str| !path.starts_with("tests/") && !path.starts_with("loadtest/");
    let writers: Vec<String> = rust_files()
        .into_iter()
        .filter(|file| is_product(&file.path) && file.text.contains("insert into api_keys"))
        .map(|file| file.path)
        .collect();
    assert!(writers.contains(&home.to_owned()), "{writers:?}");
    let others: Vec<String> = writers.into_iter().filter(|path| path != home).collect();
    assert_none(&others, "a key is written by its grant alone");
}
