//! The business metrics, from the roll-ups, in the process of the scheduler that leads.

use chrono::{TimeDelta, Utc};
use sqlx::PgPool;

use super::{Measures, Period, PeriodRange, list_active_accounts, list_periods};
use crate::telemetry::metrics;

/// Shows the last 24 hours, and the active accounts of the last day that is over.
pub(super) async fn show(pool: &PgPool) -> Result<(), sqlx::Error> {
    let now = Utc::now();
    let range = PeriodRange::new(Period::Hour, None, None, now);
    let range = range.expect("the last 24 hours are a range");
    let hours = list_periods(pool, None, &range).await?;
    let today = now.date_naive();
    let active = list_active_accounts(pool, today - TimeDelta::days(1), today).await?;
    retract();
    let market: Measures = hours.iter().map(|hour| hour.measures).sum();
    let metrics = metrics();
    let average_price = market.average_price_minor().map(|minor| minor as f64);
    for (gauge, value) in [
        (&metrics.upload_success_rate, market.upload_success_rate()),
        (
            &metrics.purchase_conversion_rate,
            market.purchases_per_view(),
        ),
        (&metrics.average_package_price_minor, average_price),
    ] {
        if let Some(value) = value {
            gauge.with_label_values(&[] as &[&str]).set(value);
        }
    }
    if let Some(day) = active.first() {
        let users = &metrics.daily_active_users;
        users.with_label_values(&["person"]).set(day.people_day);
        users.with_label_values(&["agent"]).set(day.agents_day);
    }
    Ok(())
}

/// Takes them out of the metrics: what is not known has no value, and another process leads.
pub fn retract() {
    let metrics = metrics();
    metrics.upload_success_rate.reset();
    metrics.purchase_conversion_rate.reset();
    metrics.average_package_price_minor.reset();
    metrics.daily_active_users.reset();
}
