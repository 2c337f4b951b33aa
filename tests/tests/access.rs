//! Who may call: accounts, sessions, keys, GitHub, operators, and how often.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access {
    mod accounts;
    mod addresses;
    mod authority;
    mod canaries;
    mod github;
    mod guesses;
    mod keys;
    mod lasting;
    mod leaks;
    mod operators;
    mod password_changes;
    mod permissions;
    mod rates;
    mod sessions;
}
