//! What PostgreSQL holds at the end: plain data, all that the judge knows of the system.

use std::collections::BTreeMap;

use common::events;
use common::ids::{ChargebackId, DisputeId, PackageId, PaymentId, PayoutId, PurchaseId, UserId};
use common::ledger::audit::audit;
use common::purchases::PurchaseState;
use sqlx::PgPool;
use uuid::Uuid;

use super::tasks::{TASKS, TaskRow};

/// A purchase with everything that must agree with it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PurchaseRow {
    pub id: PurchaseId,
    pub listing: PackageId,
    pub listing_version: i64,
    pub buyer: UserId,
    pub seller: UserId,
    pub price_minor: i64,
    pub request_id: String,
    pub state: PurchaseState,
    pub is_by_card: bool,
    pub hold: Option<String>,
    pub settlements: i64,
    pub refunds: i64,
    pub completed_events: i64,
    pub failed_events: i64,
    pub refunded_events: i64,
    pub downloads: i64,
}

impl PurchaseRow {
    /// Whether it was paid, be it handed back later.
    pub fn is_settled(&self) -> bool {
        self.state.is_granted() || self.state == PurchaseState::Refunded
    }

    /// Whether it takes a license.
    pub fn is_live(&self) -> bool {
        !matches!(self.state, PurchaseState::Failed | PurchaseState::Refunded)
    }
}

/// A listing and its counters.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ListingRow {
    pub id: PackageId,
    pub supply: Option<i32>,
    pub taken: i32,
    /// The counters of the package.
    pub sales: i64,
    pub downloads: i64,
}

/// A payment by card.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PaymentRow {
    pub id: PaymentId,
    pub user: UserId,
    pub purchase: Option<PurchaseId>,
    pub amount_minor: i64,
    pub state: String,
}

/// A dispute about a purchase.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct DisputeRow {
    pub id: DisputeId,
    pub purchase: PurchaseId,
    pub state: String,
}

/// Earnings that a seller asked for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PayoutRow {
    pub id: PayoutId,
    pub seller: UserId,
    pub amount_minor: i64,
    pub state: String,
}

/// What an account holds.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AccountRow {
    pub owner: Uuid,
    pub kind: String,
    pub posted_minor: i64,
    pub held_minor: i64,
}

/// Everything the judge compares.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub purchases: Vec<PurchaseRow>,
    pub listings: Vec<ListingRow>,
    pub accounts: Vec<AccountRow>,
    pub payments: Vec<PaymentRow>,
    pub disputes: Vec<DisputeRow>,
    pub payouts: Vec<PayoutRow>,
    pub chargebacks: Vec<ChargebackRow>,
    pub tasks: Vec<TaskRow>,
    /// The price of each version of a listing.
    pub prices: BTreeMap<(PackageId, i64), i64>,
    /// The purchase that each idempotency key of a buyer stands for.
    pub keys: BTreeMap<(UserId, String), PurchaseId>,
    /// How many adjustments were posted for each id.
    pub adjustments: BTreeMap<Uuid, i64>,
    /// Jobs that did not end as done, what an audit of the ledger found, and rows that are not what their events say.
    pub leftovers: Vec<String>,
    pub audit: Vec<String>,
    pub unexplained: Vec<String>,
}

impl Books {
    /// Reads them. Nothing may move any more.
    pub async fn read(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let found = audit(pool).await?.findings.into_iter();
        let broken = found.filter(|finding| finding.violations > 0);
        let (_, differences) = events::verify(pool, None).await?;
        let unexplained = differences.iter();
        Ok(Self {
            purchases: sqlx::query_as(PURCHASES).fetch_all(pool).await?,
            listings: sqlx::query_as(LISTINGS).fetch_all(pool).await?,
            accounts: sqlx::query_as(ACCOUNTS).fetch_all(pool).await?,
            payments: sqlx::query_as(PAYMENTS).fetch_all(pool).await?,
            disputes: sqlx::query_as("select id, purchase_id as purchase, state from disputes")
                .fetch_all(pool)
                .await?,
            payouts: sqlx::query_as(PAYOUTS).fetch_all(pool).await?,
            chargebacks: sqlx::query_as(CHARGEBACKS).fetch_all(pool).await?,
            tasks: sqlx::query_as(TASKS).fetch_all(pool).await?,
            prices: prices(pool).await?,
            keys: keys(pool).await?,
            adjustments: adjustments(pool).await?,
            leftovers: sqlx::query_scalar(LEFTOVERS).fetch_all(pool).await?,
            audit: broken.map(|finding| format!("{finding:?}")).collect(),
            unexplained: unexplained.map(|found| format!("{found:?}")).collect(),
        })
    }
}

/// Money that a card asks back.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ChargebackRow {
    pub id: ChargebackId,
    pub user: UserId,
    pub amount_minor: i64,
    /// What is left to be paid of it.
    pub owed_minor: i64,
    pub state: String,
}

const PURCHASES: &str =
    "select purchases.id, package_id as listing, listing_version, buyer_id as buyer, seller_id as seller, price_minor,
            request_id, purchases.state, payment_method = 'stripe' as is_by_card, holds.state as hold,
            (select count(*) from transfers where subject = purchases.id and kind = 'settlement') as settlements,
            (select count(*) from transfers where subject = purchases.id and kind = 'refund') as refunds,
            (select count(*) from events where stream = purchases.id and event_type = 'purchase.completed')
                as completed_events,
            (select count(*) from events where stream = purchases.id and event_type = 'purchase.failed') as failed_events,
            (select count(*) from events where stream = purchases.id and event_type = 'purchase.refunded')
                as refunded_events,
            (select count(*) from downloads where purchase_id = purchases.id) as downloads
     from purchases
     left join holds on holds.id = purchases.id";

const LISTINGS: &str = "select listings.package_id as id, supply, taken,
            (packages.sales + coalesce(sum(package_deltas.sales), 0))::bigint as sales,
            (packages.downloads + coalesce(sum(package_deltas.downloads), 0))::bigint as downloads
     from listings
     join packages on packages.id = listings.package_id
     left join package_deltas on package_deltas.package_id = packages.id
     group by listings.package_id, packages.id";

const ACCOUNTS: &str = "select owner_id as owner, kind, balance_minor + coalesce((
                select sum(amount_minor)
                from account_deltas
                where account_id = accounts.id
            ), 0)::bigint as posted_minor, held_minor
     from accounts";

const PAYMENTS: &str =
    "select id, user_id as \"user\", purchase_id as purchase, amount_minor, state
     from payments";

const PAYOUTS: &str = "select id, seller_id as seller, amount_minor, state
     from payouts";

const CHARGEBACKS: &str = "select id, user_id as \"user\", amount_minor, owed_minor, state
     from chargebacks";

const LEFTOVERS: &str = "select concat_ws(' ', name, state, subject, reason)
     from jobs
     where state <> 'done'";

async fn prices(pool: &PgPool) -> Result<BTreeMap<(PackageId, i64), i64>, sqlx::Error> {
    let rows: Vec<(PackageId, i64, i64)> =
        sqlx::query_as("select package_id, version, price_minor from listing_versions")
            .fetch_all(pool)
            .await?;
    let pairs = rows
        .into_iter()
        .map(|(listing, version, price)| ((listing, version), price));
    Ok(pairs.collect())
}

async fn keys(pool: &PgPool) -> Result<BTreeMap<(UserId, String), PurchaseId>, sqlx::Error> {
    let rows: Vec<(UserId, String, String)> = sqlx::query_as(
        "select user_id, key, body ->> 'purchaseId'
         from idempotency_keys
         where endpoint = 'purchase-package'",
    )
    .fetch_all(pool)
    .await?;
    let pairs = rows
        .into_iter()
        .filter_map(|(user, key, id)| Some(((user, key), PurchaseId::parse(&id)?)));
    Ok(pairs.collect())
}

async fn adjustments(pool: &PgPool) -> Result<BTreeMap<Uuid, i64>, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select subject, count(*)
         from transfers
         where kind = 'adjustment'
         group by subject",
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().collect())
}
