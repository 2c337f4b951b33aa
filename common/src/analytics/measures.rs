//! What is measured.

use std::iter::Sum;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// What can be added up over periods. An account has those of its uploads, its sales and its endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Measures {
    /// Uploads that ended as packages.
    pub uploads_completed: i64,
    /// Uploads that failed.
    pub uploads_failed: i64,
    /// Views of the pages of packages.
    pub views: i64,
    /// Searches that found nothing; of an account always 0.
    pub searches_without_results: i64,
    /// Quotes.
    pub quotes: i64,
    /// Purchases that were settled.
    pub purchases: i64,
    /// What was paid for them, in minor units.
    pub revenue_minor: i64,
    /// The platform's share of that, in minor units.
    pub fees_minor: i64,
    /// Purchases that were refunded, whenever they were settled.
    pub refunds: i64,
    /// What was paid back for them, in minor units.
    pub refunded_minor: i64,
    /// The platform's share of that, in minor units.
    pub refunded_fees_minor: i64,
    /// Downloads by buyers.
    pub downloads: i64,
    /// Requests to webhook endpoints that were answered with success.
    pub webhook_attempts_succeeded: i64,
    /// Requests to webhook endpoints that failed.
    pub webhook_attempts_failed: i64,
}

impl Measures {
    /// The share of uploads that ended as packages; none without uploads.
    pub fn upload_success_rate(&self) -> Option<f64> {
        ratio(
            self.uploads_completed,
            self.uploads_completed + self.uploads_failed,
        )
    }

    /// Quotes for each view of a package.
    pub fn quotes_per_view(&self) -> Option<f64> {
        ratio(self.quotes, self.views)
    }

    /// Purchases for each view of a package.
    pub fn purchases_per_view(&self) -> Option<f64> {
        ratio(self.purchases, self.views)
    }

    /// The mean of what was paid for a package, rounded down to a minor unit.
    pub fn average_price_minor(&self) -> Option<i64> {
        (self.purchases > 0).then(|| self.revenue_minor / self.purchases)
    }
}

fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Sum for Measures {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, more| Self {
            uploads_completed: sum.uploads_completed + more.uploads_completed,
            uploads_failed: sum.uploads_failed + more.uploads_failed,
            views: sum.views + more.views,
            searches_without_results: sum.searches_without_results + more.searches_without_results,
            quotes: sum.quotes + more.quotes,
            purchases: sum.purchases + more.purchases,
            revenue_minor: sum.revenue_minor + more.revenue_minor,
            fees_minor: sum.fees_minor + more.fees_minor,
            refunds: sum.refunds + more.refunds,
            refunded_minor: sum.refunded_minor + more.refunded_minor,
            refunded_fees_minor: sum.refunded_fees_minor + more.refunded_fees_minor,
            downloads: sum.downloads + more.downloads,
            webhook_attempts_succeeded: sum.webhook_attempts_succeeded
                + more.webhook_attempts_succeeded,
            webhook_attempts_failed: sum.webhook_attempts_failed + more.webhook_attempts_failed,
        })
    }
}

/// A period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct PeriodMeasures {
    pub starts_at: DateTime<Utc>,
    /// When it was last counted; none while it waits to be.
    pub counted_at: Option<DateTime<Utc>>,
    /// Accounts that bought something in it.
    pub buyers: i64,
    #[sqlx(flatten)]
    pub measures: Measures,
}

/// How many accounts made a request on a day, and within the 7 and 30 days that end with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct ActiveAccounts {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// Accounts of people that were active on the day.
    pub people_day: i64,
    /// Accounts of people that were active within the 7 days.
    pub people_week: i64,
    /// Accounts of people that were active within the 30 days.
    pub people_month: i64,
    /// Accounts of agents that were active on the day.
    pub agents_day: i64,
    /// Accounts of agents that were active within the 7 days.
    pub agents_week: i64,
    /// Accounts of agents that were active within the 30 days.
    pub agents_month: i64,
}

/// A term of searches without results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, sqlx::FromRow)]
pub struct SearchTerm {
    /// The words, in lower case and compatibility form; a long text is cut.
    pub term: String,
    /// How many searches for it found nothing.
    pub searches: i64,
}
