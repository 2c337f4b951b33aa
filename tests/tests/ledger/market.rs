//! A market in a database of its own, with a seller, a buyer and a little history.

use common::db::{self, PgConnection, PgPool};
use common::ledger::{self, AccountKind};
use sqlx::Connection as _;
use tests::servers::{Servers, small_pool};
use uuid::Uuid;

pub(super) const SELLER: Uuid = Uuid::from_u128(0x5e);
pub(super) const BUYER: Uuid = Uuid::from_u128(0x0b);
/// A settled purchase of 10.00.
pub(super) const SALE: Uuid = Uuid::from_u128(0xf001);

/// `market.sql`, run.
#[derive(Debug)]
pub(super) struct Market {
    /// What the services have: the role awareness_app.
    pub(super) pool: PgPool,
}

impl Market {
    pub(super) async fn open() -> Self {
        let config = small_pool(Servers::shared().await.create_database().await);
        let market = Self {
            pool: db::connect(&config).await.unwrap(),
        };
        market.run_as_owner(include_str!("market.sql")).await;
        market
    }

    /// A connection with all the rights of the login that owns the schema.
    pub(super) async fn owner(&self) -> PgConnection {
        PgConnection::connect_with(&self.pool.connect_options())
            .await
            .unwrap()
    }

    /// A connection as the services have them.
    pub(super) async fn service(&self) -> PgConnection {
        let mut connection = self.owner().await;
        sqlx::query("set role awareness_app")
            .execute(&mut connection)
            .await
            .unwrap();
        connection
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
