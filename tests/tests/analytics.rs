//! Analytics: each fact counts once, in its hour, for its account and for the market, whatever happens to those who count.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod analytics {
    mod fixture;
    mod kept;
    mod market;
    mod rebuild;
    mod requests;
    mod routes;
}
