//! Search, lists, reviews and figures.

use std::time::Duration;

/// A page of a client's list.
pub const CLIENT_PAGE_ROWS_MAX: i64 = 50;
/// Counts of sales and downloads that one statement folds into the packages.
pub const COUNTER_FOLD_ROWS_MAX: i64 = 10_000;
/// Results of a search that pages reach.
pub const SEARCH_RESULTS_MAX: i64 = 200;
/// A review, and the answer to one.
pub const REVIEW_CHARS_MAX: usize = 2000;
/// Terms of one search; what follows is left out.
pub const SEARCH_TERMS_MAX: i64 = 12;
/// Terms of one search that are corrected if they are misspelt: each costs as much as a search.
pub const SEARCH_CORRECTED_TERMS_MAX: usize = 3;
/// Characters of a word that is corrected: shorter ones are like everything, longer ones cost a comparison of
/// each of their trigrams.
pub const SEARCH_CORRECTED_WORD_CHARS: (i32, i32) = (4, 24);
/// Words that a misspelt one is compared with, of those that share enough trigrams with it.
pub const SEARCH_CANDIDATE_WORDS_MAX: i64 = 1_000;
/// Packages that a search looks through of those that the index finds, beside the most popular ones.
pub const SEARCH_ROWS_MAX: i64 = 5_000;
/// Units that each corrected term takes of the client's rate windows, beside the one of the request.
pub const SEARCH_CORRECTION_UNITS: i64 = 2;
/// Searches that one API process works out at once: PostgreSQL has other things to do, on two cores.
pub const SEARCHES_MAX: usize = 3;
/// Of those, for one network or account.
pub const SEARCHES_PER_CLIENT_MAX: usize = 1;
/// Searches that wait for their turn in one API process.
pub const SEARCHES_WAITING_MAX: usize = 256;
/// Of those, for one network or account: a page that asks for several things at once.
pub const SEARCHES_WAITING_PER_CLIENT_MAX: usize = 16;
/// How long a search waits for its turn before its client is told to come back.
pub const SEARCH_TURN_MAX: Duration = Duration::from_secs(1);
/// Bytes of answers about the market that one API process keeps until the market changes: some 2,000 pages of
/// ten packages, each in three versions of the API.
pub const CATALOGUE_KEPT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of answers about the market that one API process gives without looking whether they are old.
pub const CATALOGUE_FRESH_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Questions about the market that one API process remembers: what is asked once is not kept.
pub const CATALOGUE_QUESTIONS_MAX: u64 = 65_536;
/// Days that trending looks back; within them an account counts once for a package.
pub const TRENDING_DAYS: i32 = 7;
/// Words that one round of the sweep takes from those that spelling is corrected by.
pub const WORDS_SWEPT_MAX: i64 = 10_000;
