//! Who may call: accounts, sessions, keys, GitHub, operators, and how often.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access {
    mod accounts;
    mod authority;
    mod github;
    mod keys;
    mod lasting;
    mod leaks;
    mod operators;
    mod permissions;
    mod rates;
    mod sessions;
}
