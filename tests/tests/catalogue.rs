//! The market as buyers see it: the seed's contract, versions of the API, browsing, search, reviews, batches.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod catalogue {
    mod batch;
    mod browse;
    mod cache;
    mod contract;
    mod cost;
    mod dry_run;
    mod evidence;
    mod full_redis;
    mod hidden;
    mod packages;
    mod relevance;
    mod reputation;
    mod reviews;
    mod scripts;
    mod shelf;
    mod tags;
    mod versions;
}
