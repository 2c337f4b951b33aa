//! The shape of analytics.

use axum::http::{HeaderValue, header};
use chrono::{DateTime, Utc};
use common::analytics::{Measures, Period, PeriodMeasures, PeriodRange};
use common::ids::UserId;
use common::money::DEFAULT_CURRENCY;
use common::wire::Currency;
use schemars::JsonSchema;
use serde::Serialize;

use crate::contract::{Answer, Cacheable};
use crate::entity_tag::Tagged;
use crate::error::ApiError;
use crate::state::ApiState;

/// A series of periods.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Analytics {
    period: Period,
    /// When the first period begins.
    from: DateTime<Utc>,
    /// When the last period ends.
    to: DateTime<Utc>,
    currency: Currency,
    periods: Vec<AnalyticsPeriod>,
    /// All periods together.
    total: AnalyticsFigures,
}

/// An hour or a day.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AnalyticsPeriod {
    /// When it begins.
    starts_at: DateTime<Utc>,
    /// When it was last counted; null while it waits to be.
    counted_at: Option<DateTime<Utc>>,
    /// How many accounts bought something in it.
    buyers: i64,
    #[serde(flatten)]
    figures: AnalyticsFigures,
}

/// What was counted, and what follows from it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct AnalyticsFigures {
    #[serde(flatten)]
    measures: Measures,
    /// The share of uploads that ended as packages; null without uploads.
    upload_success_rate: Option<f64>,
    /// Quotes for each view of a package; null without views.
    quotes_per_view: Option<f64>,
    /// Purchases for each view of a package; null without views.
    purchases_per_view: Option<f64>,
    /// The mean of what was paid for a package, in minor units; null without purchases.
    average_price_minor: Option<i64>,
}

impl From<Measures> for AnalyticsFigures {
    fn from(measures: Measures) -> Self {
        Self {
            upload_success_rate: measures.upload_success_rate(),
            quotes_per_view: measures.quotes_per_view(),
            purchases_per_view: measures.purchases_per_view(),
            average_price_minor: measures.average_price_minor(),
            measures,
        }
    }
}

impl From<&PeriodMeasures> for AnalyticsPeriod {
    fn from(period: &PeriodMeasures) -> Self {
        Self {
            starts_at: period.starts_at,
            counted_at: period.counted_at,
            buyers: period.buyers,
            figures: period.measures.into(),
        }
    }
}

impl Analytics {
    pub(super) fn new(range: &PeriodRange, periods: &[PeriodMeasures]) -> Self {
        let total: Measures = periods.iter().map(|period| period.measures).sum();
        Self {
            period: range.period,
            from: range.from,
            to: range.to,
            currency: Currency(DEFAULT_CURRENCY.to_owned()),
            periods: periods.iter().map(AnalyticsPeriod::from).collect(),
            total: total.into(),
        }
    }
}

/// The range that a query asks for.
pub fn range(
    period: Period,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
) -> Result<PeriodRange, ApiError> {
    PeriodRange::new(period, from, to, Utc::now()).map_err(|fault| ApiError::fields(&[fault]))
}

/// The analytics of an account, or of the market.
pub async fn answer(
    state: &ApiState,
    account: Option<UserId>,
    range: PeriodRange,
) -> Result<Cacheable<Analytics>, ApiError> {
    let analytics = state.analytics.find(state.pool(), account, range).await?;
    let private = HeaderValue::from_static("private, no-cache");
    let answer = Answer::ok(Analytics::clone(&analytics)).tagged(Tagged::WHOLE);
    Ok(Cacheable(answer.header(header::CACHE_CONTROL, private)))
}
