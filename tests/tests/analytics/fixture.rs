//! A market to be counted, and two ways to count it: the roll-ups, and the rows that others keep of the same facts.

use chrono::{DateTime, Utc};
use common::analytics::{self, Measures, Period, PeriodMeasures, PeriodRange};
use common::config::RetentionConfig;
use common::ids::UserId;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tests::World;
use tests::market::User;
use tests::sample::{Expected, Sample};
use tests::world::Plan;

/// A market whose roll-ups the test alone makes, and whose accounts are five days old.
pub async fn world() -> World {
    let world = World::planned(Plan {
        scheduler: false,
        ..Plan::default()
    })
    .await;
    world
        .force("update users set created_at = now() - interval '5 days'")
        .await;
    world
}

/// Counts all that is due.
pub async fn roll_up(world: &World) {
    while analytics::roll_up(&world.pool, RetentionConfig::default())
        .await
        .unwrap()
    {}
}

/// The time that lies between two runs that look at the last two days.
pub async fn let_an_hour_pass(world: &World) {
    world
        .force("update roll_ups set counted_at = counted_at - interval '61 minutes'")
        .await;
}

/// The periods of the last five days and today, of an account or of the market.
pub async fn periods(
    world: &World,
    account: Option<UserId>,
    period: Period,
) -> Vec<PeriodMeasures> {
    let now = Utc::now();
    let from = now - chrono::TimeDelta::days(5);
    let range = PeriodRange::new(period, Some(from), None, now).unwrap();
    analytics::list_periods(&world.pool, account, &range)
        .await
        .unwrap()
}

/// All of them together, which is the same by the hour and by the day.
pub async fn total(world: &World, account: Option<UserId>) -> Measures {
    let sum = async |period| -> Measures {
        let periods = periods(world, account, period).await;
        periods.iter().map(|it| it.measures).sum()
    };
    let (by_hour, by_day) = (sum(Period::Hour).await, sum(Period::Day).await);
    assert_eq!(by_hour, by_day, "{account:?}");
    by_hour
}

/// The hour in which a time is.
pub async fn hour_of(world: &World, account: Option<UserId>, at: DateTime<Utc>) -> Measures {
    let start = Period::Hour.start_of(at);
    let hours = periods(world, account, Period::Hour).await;
    let mut hours = hours.into_iter();
    hours.find(|hour| hour.starts_at == start).unwrap().measures
}

/// The same figures from elsewhere: the log of events, the ledger, the counters of the packages, the log of deliveries.
pub async fn truth(world: &World, account: Option<UserId>) -> Measures {
    let rows = Rows { world, account };
    Measures {
        uploads_completed: rows.ended("completed").await,
        uploads_failed: rows.ended("failed").await,
        purchases: rows.transfers("settlement").await,
        revenue_minor: rows.moved("settlement", "buyer_credits").await,
        fees_minor: rows.moved("settlement", "platform_fees").await,
        refunds: rows.transfers("refund").await,
        refunded_minor: rows.moved("refund", "buyer_credits").await,
        refunded_fees_minor: rows.moved("refund", "platform_fees").await,
        downloads: rows.downloads().await,
        webhook_attempts_succeeded: rows.delivered().await,
        ..Measures::default()
    }
}

/// The rows about an account, or about all.
struct Rows<'a> {
    world: &'a World,
    account: Option<UserId>,
}

impl Rows<'_> {
    async fn count(&self, sql: &str) -> i64 {
        let found: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .bind(self.account)
            .fetch_one(&self.world.pool)
            .await
            .unwrap();
        found.unwrap_or_default()
    }

    async fn ended(&self, how: &str) -> i64 {
        self.count(&format!(
            "select count(*)
             from events
             join uploads on uploads.id = stream
             where event_type = 'upload.{how}'
               and ($1::uuid is null or owner_id = $1)"
        ))
        .await
    }

    async fn transfers(&self, kind: &str) -> i64 {
        self.count(&format!(
            "select count(*)
             from transfers
             join purchases on purchases.id = subject
             where kind = '{kind}'
               and ($1::uuid is null or seller_id = $1)"
        ))
        .await
    }

    /// What these accounts gained or lost by these transfers.
    async fn moved(&self, kind: &str, whose: &str) -> i64 {
        self.count(&format!(
            "select abs(sum(amount_minor))::bigint
             from transfers
             join purchases on purchases.id = subject
             join entries on transfer_id = transfers.id
             join accounts on accounts.id = account_id
             where transfers.kind = '{kind}'
               and accounts.kind = '{whose}'
               and ($1::uuid is null or seller_id = $1)"
        ))
        .await
    }

    async fn downloads(&self) -> i64 {
        self.count(
            "select sum(counters.downloads)::bigint
             from (
                 select id as package_id, downloads from packages
                 union all
                 select package_id, downloads from package_deltas
             ) as counters
             join packages on packages.id = package_id
             where ($1::uuid is null or owner_id = $1)",
        )
        .await
    }

    async fn delivered(&self) -> i64 {
        self.count(
            "select sum(attempts)::bigint
             from webhook_deliveries
             where state = 'delivered'
               and ($1::uuid is null or owner_id = $1)",
        )
        .await
    }
}

/// Uploads a package and waits for its end: its id, if it was accepted.
pub async fn publish(
    world: &World,
    seller: &User,
    number: u64,
    expected: Expected,
) -> Option<String> {
    let mut body = Sample::new(number, expected).body(Some(&world.webhook_url()));
    body["price"] = json!(1.25 + number as f64);
    let answer = seller.client.upload(&body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    let status = seller.client.ended(&answer.upload_id()).await;
    status["packageId"].as_str().map(str::to_owned)
}

/// Buys a package: the id of the purchase.
pub async fn buy(buyer: &User, package: &str) -> String {
    let bought = buyer.client.buy(package).await;
    assert_eq!(bought.status, 200, "{}", bought.text);
    text(&bought.data()["purchaseId"])
}

/// Asks for a quote.
pub async fn quote(buyer: &User, package: &str) {
    let request = json!({ "packageType": "vector", "packageId": package });
    let answer = buyer.client.post("/api/ai/quotes", &request).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// Hands a purchase back.
pub async fn refund(buyer: &User, purchase: &str) {
    let path = format!("/api/ai/purchases/{purchase}/refund");
    let answer = buyer
        .client
        .post(&path, &json!({ "reason": "not needed" }))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Downloads a package.
pub async fn download(buyer: &User, package: &str) {
    let path = format!("/api/ai/download-package?packageType=vector&packageId={package}");
    let answer = buyer.client.get(&path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Once all webhooks are sent.
pub async fn all_is_sent(world: &World) {
    tests::eventually("all webhooks to be sent", || async {
        let left = "select (select count(*) from webhook_deliveries where state = 'pending')
                        + (select count(*) from jobs where state in ('ready', 'running') and name <> 'deliver_webhook')";
        (world.count(left).await == 0).then_some(())
    })
    .await;
}
