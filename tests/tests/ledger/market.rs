//! A market in a database of its own, with a seller, a buyer and a little history.

use common::db::{self, PgConnection, PgPool};
use common::ledger::{self, AccountKind};
use sqlx::Connection as _;
use tests::servers::{Locale, Servers, small_pool};
use uuid::Uuid;

pub(super) const SELLER: Uuid = Uuid::from_u128(0x5e);
pub(super) const BUYER: Uuid = Uuid::from_u128(0x0b);
/// A settled purchase of 10.00.
pub(super) const SALE: Uuid = Uuid::from_u128(0xf001);

/// `market.sql`, run.
#[derive(Debug)]
pub(super) struct Market {
    /// As the services have it.
    pub(super) pool: PgPool,
    /// What the services are given, and what only the tests know.
    services_url: String,
    owner_url: String,
}

impl Market {
    pub(super) async fn open() -> Self {
        let market = Self::without_fixture().await;
        market.run_as_owner(include_str!("market.sql")).await;
        market
    }

    /// The schema as it is migrated.
    pub(super) async fn without_fixture() -> Self {
        let servers = Servers::shared().await;
        let services_url = servers.create_database(Locale::C).await;
        Self {
            pool: db::connect(&small_pool(services_url.clone()))
                .await
                .unwrap(),
            owner_url: servers.owner_url(&services_url),
            services_url,
        }
    }

    /// A connection with all rights.
    pub(super) async fn owner(&self) -> PgConnection {
        PgConnection::connect(&self.owner_url).await.unwrap()
    }

    /// A connection through the very address that the API is given.
    pub(super) async fn service(&self) -> PgConnection {
        PgConnection::connect(&self.services_url).await.unwrap()
    }

    /// Statements in one transaction, with the rights of the schema's owner.
    pub(super) async fn run_as_owner(&self, sql: &'static str) {
        let mut owner = self.owner().await;
        sqlx::raw_sql(sql).execute(&mut owner).await.unwrap();
    }

    /// What can be spent or was earned now.
    pub(super) async fn available(&self, owner: Uuid, kind: AccountKind) -> i64 {
        let balance = ledger::balance(&self.pool, owner, kind, "USD").await;
        balance.unwrap().available_minor()
    }

    /// The number that a statement answers.
    pub(super) async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }
}
