//! The rules of the house that no compiler holds, read from the source tree itself.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod tidy {
    use tests::tree;

    mod crates;
    mod credentials;
    mod imports;
    mod limits;
    mod operations;
    mod sources;
    mod variables;
}
