//! Analytics: the uploads, sales and webhooks of the market and of each account, by the hour and by the day.
//!
//! The scheduler that leads counts the facts of an hour from their own rows and writes the result over the last one
//! (`roll_up`), so a fact counts once however often its hour is counted
//! (`roll_ups_are_what_the_rows_say_after_a_busy_market`), and a late one counts in the hour to which it belongs. What
//! leaves no row is counted in memory by each API process (`request_counts`). Reads never look at the facts.

mod late;
mod measures;
mod observe;
mod period;
mod prune;
mod queries;
mod rebuild;
mod request_counts;
mod roll_up;

pub use late::note_late_events;
pub use measures::{ActiveAccounts, Measures, PeriodMeasures, SearchTerm};
pub use observe::retract;
pub use period::{Period, PeriodRange};
pub use prune::{prune_days, prune_hours, prune_request_counts};
pub use queries::{list_active_accounts, list_periods, list_searches_without_results};
pub use rebuild::{Rebuild, count_waiting_hours, rebuild};
pub use request_counts::RequestCounts;
pub use roll_up::roll_up;

/// The scheduler's task that rolls up.
pub const ROLL_UP_TASK: &str = "roll_up_analytics";
