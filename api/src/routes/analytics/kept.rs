//! A cache of one hour for periods that are over and were counted since. So a late fact is shown an hour late at most.

use std::sync::Arc;

use common::analytics::{self, PeriodMeasures, PeriodRange};
use common::db::{Error, PgPool};
use common::ids::UserId;
use common::limits::{ANALYTICS_CACHED, ANALYTICS_CACHED_PERIODS_MAX};
use moka::future::Cache as Memory;

use super::view::Analytics;

/// Whose, and of which time. The market is nobody's.
type Question = (Option<UserId>, PeriodRange);

/// The cache of a process; clones share it.
#[derive(Debug, Clone)]
pub struct KeptAnalytics(Memory<Question, Arc<Analytics>>);

impl Default for KeptAnalytics {
    fn default() -> Self {
        let memory = Memory::builder()
            .weigher(|(_, range): &Question, _| range.count().try_into().unwrap_or(u32::MAX))
            .max_capacity(ANALYTICS_CACHED_PERIODS_MAX)
            .time_to_live(ANALYTICS_CACHED)
            .build();
        Self(memory)
    }
}

impl KeptAnalytics {
    /// The analytics of an account, or of the market.
    pub async fn find(
        &self,
        pool: &PgPool,
        account: Option<UserId>,
        range: PeriodRange,
    ) -> Result<Arc<Analytics>, Error> {
        if let Some(kept) = self.0.get(&(account, range)).await {
            return Ok(kept);
        }
        let periods = analytics::list_periods(pool, account, &range).await?;
        let found = Arc::new(Analytics::new(&range, &periods));
        if periods.iter().all(|period| is_over(period, &range)) {
            self.0.insert((account, range), Arc::clone(&found)).await;
        }
        Ok(found)
    }
}

/// Whether a period was counted after its end.
fn is_over(period: &PeriodMeasures, range: &PeriodRange) -> bool {
    let end = period.starts_at + range.period.length();
    period
        .counted_at
        .is_some_and(|counted_at| counted_at >= end)
}
