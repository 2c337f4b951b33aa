//! Discovery: who can do it, for how much, how well and how soon.

mod browse;
mod recommend;

pub use browse::{CapabilitySummary, Cursor, Filters, Match, Page, Sort, capabilities, list};
pub use recommend::{Recommendation, Wanted, Why, recommend};
