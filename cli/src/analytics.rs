//! `awareness analytics`: show the market by the hour and by the day, and rebuild the past.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use clap::{Args, Subcommand, ValueEnum};
use common::money::decimal_text;
use serde::{Deserialize, Serialize};

use crate::api::{Api, ApiArgs, read};
use crate::failure::Failure;
use crate::output::Output;
use crate::table::Table;

/// Between two looks at a rebuild.
const LOOK: Duration = Duration::from_secs(1);

/// Show the market by the hour and by the day, and rebuild the past.
#[derive(Debug, Args)]
pub struct AnalyticsArgs {
    #[command(flatten)]
    api: ApiArgs,
    #[command(subcommand)]
    command: AnalyticsCommand,
}

#[derive(Debug, Subcommand)]
enum AnalyticsCommand {
    /// Show the market by the hour or by the day.
    #[command(after_help = "Example: awareness analytics show --period hour")]
    Show {
        #[arg(long, value_enum, default_value_t = Period::Day)]
        period: Period,
        /// First day, in UTC.
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<NaiveDate>,
        /// The day after the last one.
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<NaiveDate>,
        /// Show one account instead of the market.
        #[arg(long)]
        user_id: Option<String>,
    },
    /// Recount whole days from the rows of their facts, and wait for the end.
    #[command(
        after_help = "Example: awareness analytics rebuild --from 2026-11-01 --to 2026-12-01"
    )]
    Rebuild {
        /// First day, in UTC.
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: NaiveDate,
        /// The day after the last one.
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: NaiveDate,
        /// How many seconds to wait for the end; the rebuild is not affected.
        #[arg(long, default_value_t = 600)]
        wait: u64,
    },
}

/// How long a period is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Period {
    Hour,
    Day,
}

#[derive(Debug, Deserialize)]
struct Analytics {
    currency: String,
    periods: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    starts_at: DateTime<Utc>,
    uploads_completed: i64,
    uploads_failed: i64,
    views: i64,
    quotes: i64,
    purchases: i64,
    revenue_minor: i64,
    fees_minor: i64,
    refunds: i64,
    downloads: i64,
}

#[derive(Debug, Serialize)]
struct RebuildRequest {
    from: String,
    to: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    hours_waiting: i64,
}

/// Runs the command.
pub async fn run(args: AnalyticsArgs) -> Result<Output, Failure> {
    let api = Api::new(args.api)?;
    match args.command {
        AnalyticsCommand::Show {
            period,
            from,
            to,
            user_id,
        } => {
            let period = match period {
                Period::Hour => "hour",
                Period::Day => "day",
            };
            let query = [
                ("period", Some(period.to_owned())),
                ("from", from.map(midnight)),
                ("to", to.map(midnight)),
                ("userId", user_id),
            ];
            let data = api.get(&["analytics"], &query).await?;
            api.show(data, |analytics: Analytics| list(&analytics))
        }
        AnalyticsCommand::Rebuild { from, to, wait } => {
            let request = RebuildRequest {
                from: midnight(from),
                to: midnight(to),
            };
            let request = serde_json::to_value(request).expect("two texts are JSON");
            api.post(&["analytics", "rebuild"], &request).await?;
            let wait = Duration::from_secs(wait);
            match tokio::time::timeout(wait, rebuilt(&api)).await {
                Ok(ended) => {
                    ended?;
                    Ok(Output::new("All hours are counted.\n".to_owned()))
                }
                Err(_) => Ok(not_ended(wait)),
            }
        }
    }
}

/// Once no hour waits to be counted.
async fn rebuilt(api: &Api) -> Result<(), Failure> {
    loop {
        let data = api.get(&["analytics", "rebuild"], &[]).await?;
        let Progress { hours_waiting } = read(data)?;
        if hours_waiting == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn not_ended(wait: Duration) -> Output {
    let remark = format!(
        "awareness: the rebuild is requested, but has not ended within {wait:?}; does a scheduler lead?\n"
    );
    Output::new(String::new()).remark(remark).complete(false)
}

/// As the API reads it.
fn midnight(day: NaiveDate) -> String {
    let at = day.and_time(NaiveTime::MIN).and_utc();
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn list(analytics: &Analytics) -> String {
    let mut table = Table::new([
        "FROM",
        "UPLOADS",
        "FAILED",
        "VIEWS",
        "QUOTES",
        "SALES",
        "REVENUE",
        "FEES",
        "REFUNDS",
        "DOWNLOADS",
    ]);
    for row in &analytics.periods {
        let money = |minor| format!("{} {}", decimal_text(minor), analytics.currency);
        table.row([
            row.starts_at.format("%Y-%m-%d %H:%M").to_string(),
            row.uploads_completed.to_string(),
            row.uploads_failed.to_string(),
            row.views.to_string(),
            row.quotes.to_string(),
            row.purchases.to_string(),
            money(row.revenue_minor),
            money(row.fees_minor),
            row.refunds.to_string(),
            row.downloads.to_string(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_utc() {
        let day: NaiveDate = "2026-11-01".parse().unwrap();
        assert_eq!(midnight(day), "2026-11-01T00:00:00Z");
    }
}
