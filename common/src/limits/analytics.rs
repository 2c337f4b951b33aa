//! Analytics.

use std::time::Duration;

/// Between two runs that count the present: so old may the roll-ups of the current hour be.
pub const ROLL_UP_INTERVAL: Duration = Duration::from_secs(300);
/// Hours that began within this time are recounted in each run.
pub const ROLL_UP_RECENT: Duration = Duration::from_hours(2);
/// Hours that began within this time are recounted each hour, for facts that come late: an API process that could not
/// write what it counted, or an upload that an operator ran again within the day in which that is possible.
pub const ROLL_UP_CORRECTED: Duration = Duration::from_hours(48);
/// Hours of a day that one statement recounts, in a transaction of its own.
pub const ROLL_UP_STATEMENT_HOURS: i32 = 6;
/// Statements of one run; the next run is due at once if more hours wait.
pub const ROLL_UP_STATEMENTS_MAX: usize = 100;
/// Days that one rebuild recounts.
pub const REBUILD_DAYS_MAX: i64 = 366;
/// Hours of one answer.
pub const ANALYTICS_HOURS_MAX: i64 = 31 * 24;
/// Days of one answer.
pub const ANALYTICS_DAYS_MAX: i64 = 366;
/// How long an API process keeps an answer about periods that are over.
pub const ANALYTICS_CACHED: Duration = Duration::from_hours(1);
/// Periods in all answers that one API process keeps: some 32 MiB.
pub const ANALYTICS_CACHED_PERIODS_MAX: u64 = 150_000;
/// Between two writes of what an API process counts: so much is lost if it is killed.
pub const REQUEST_COUNT_FLUSH: Duration = Duration::from_secs(5);
/// Packages whose views one API process counts one by one within an hour; views of others count for the market alone.
pub const VIEWED_PACKAGES_MAX: usize = 20_000;
/// Terms of searches without results that one API process counts one by one within an hour; others count as one.
pub const SEARCH_TERMS_PER_HOUR_MAX: usize = 1_000;
/// A term of a search without results; longer ones are cut.
pub const SEARCH_TERM_CHARS_MAX: usize = 64;
/// Accounts of which one API process remembers that it has written them down as active today; of those beyond it each is
/// written down again.
pub const ACTIVE_ACCOUNTS_REMEMBERED_MAX: usize = 100_000;
/// Rows that one statement writes of what was counted.
pub const REQUEST_COUNT_ROWS_MAX: usize = 5_000;
