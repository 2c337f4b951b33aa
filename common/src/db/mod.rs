//! PostgreSQL: the pool, the migrations, and what its errors mean.

mod bounded;
mod constraint;
mod guard;
mod lock;
mod login;
mod writer;

pub use bounded::{begin_with, is_lock_timeout, is_timeout};
pub use constraint::{constraint_of, copy_of, is_ours_to_fix};
pub use guard::{HeldLease, current_lease, is_lease_lost, under_lease};
pub use lock::LockConnection;
pub use login::{LoginError, ensure_login};
pub use sqlx::{Error, PgConnection, PgPool};
pub use writer::{Writer, writer};

use std::str::FromStr as _;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use secrecy::ExposeSecret as _;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Postgres, Transaction};
use tokio::task::JoinHandle;

use crate::config::DatabaseConfig;
use crate::telemetry::metrics;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// A connection that idled longer is asked whether it still lives before it is lent.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);

/// Opens the pool; three tries, one second apart and doubling, before it gives up. Warns when the login
/// may do more than the services need.
pub async fn connect(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    let pool = connect_with(config, "on").await?;
    if login::is_more_than_a_service(&pool).await? {
        tracing::warn!(
            "The login of DATABASE_URL may do more than the services need: it is a superuser, makes roles, or \
             owns tables. Give it a login of its own, and the owner's to `awareness migrate` as \
             MIGRATION_DATABASE_URL"
        );
    }
    Ok(pool)
}

/// Opens a small pool whose commits do not wait for the disk, for leases and heartbeats: what a
/// crash of PostgreSQL forgets of them only makes a job run again.
pub async fn connect_relaxed(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    let small = DatabaseConfig {
        pool_min: 1,
        pool_max: 3,
        ..config.clone()
    };
    connect_with(&small, "off").await
}

async fn connect_with(
    config: &DatabaseConfig,
    synchronous_commit: &str,
) -> Result<PgPool, sqlx::Error> {
    let options = PgConnectOptions::from_str(config.url.expose_secret())?.options([
        ("synchronous_commit", synchronous_commit),
        ("statement_timeout", "30s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "5s"),
        ("tcp_user_timeout", "10000"),
    ]);
    let pool = PgPoolOptions::new()
        .min_connections(config.pool_min)
        .max_connections(config.pool_max)
        .idle_timeout(config.idle_timeout)
        .acquire_timeout(config.connection_timeout)
        .max_lifetime(Duration::from_secs(1800))
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(act_as_services(connection)))
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > PING_AFTER_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    let open = || pool.clone().connect_with(options.clone());
    open.retry(ExponentialBuilder::new().with_min_delay(Duration::from_secs(1)).with_max_times(3).with_jitter())
        .notify(|error, delay| tracing::warn!(%error, retry_seconds = delay.as_secs_f32(), "PostgreSQL is away"))
        .await
}

/// A login with rights of its own gives them up: the services act as the role that cannot rewrite the
/// ledger. (It could take them back. So the services are better given a login that has no others.)
async fn act_as_services(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "select set_config('role', rolname, false)
         from pg_roles
         where rolname = 'awareness_app'
           and rolname <> session_user
           and pg_has_role(session_user, oid, 'member')",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Opens one connection with all the rights of the login that owns the schema.
pub async fn connect_as_owner(config: &DatabaseConfig) -> Result<PgPool, sqlx::Error> {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(config.connection_timeout)
        .connect(config.url.expose_secret())
        .await
}

/// Brings the schema up to date, with the rights of the login, which must own it. Any number of
/// processes may call it at once.
pub async fn migrate(pool: &PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    let login = PgPoolOptions::new()
        .max_connections(1)
        .connect_with((*pool.connect_options()).clone())
        .await?;
    MIGRATOR.run(&login).await?;
    login.close().await;
    Ok(())
}

/// Whether the schema is at least as new as this program.
pub async fn is_migrated(pool: &PgPool) -> Result<bool, sqlx::Error> {
    let newest = MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0);
    let applied: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations where success")
            .fetch_one(pool)
            .await?;
    Ok(applied.is_some_and(|version| version >= newest))
}

/// Opens a transaction, in a task of its own: a caller that is cancelled halfway must not leave one open
/// in the pool (sqlx 0.9.0 would). For writes that enqueue nothing; others open one of the outbox. Under a lease
/// it holds that, or fails ([`is_lease_lost`]).
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one that cannot leak"
)]
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let pool = pool.clone();
    let lease = current_lease();
    to_its_end(tokio::spawn(async move {
        let mut transaction = pool.begin().await?;
        if let Some(lease) = lease {
            lease.hold_in_tx(&mut transaction).await?;
        }
        Ok(transaction)
    }))
    .await
}

/// Commits a transaction, to the end also if the caller is cancelled.
pub async fn commit(transaction: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    to_its_end(tokio::spawn(async move { transaction.commit().await })).await
}

/// What a task came to that runs to its end whether somebody waits or not. If it panics, so does whoever
/// waits: a defect is no outage. It is cancelled only with the runtime, and then nobody waits any more.
pub async fn to_its_end<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

/// How long a trivial statement takes.
pub async fn ping(pool: &PgPool) -> Result<Duration, sqlx::Error> {
    let start = std::time::Instant::now();
    sqlx::query("select 1").execute(pool).await?;
    Ok(start.elapsed())
}

/// Writes the pool's state into its gauges.
pub fn observe_pool(pool: &PgPool) {
    let idle = i64::try_from(pool.num_idle()).unwrap_or(i64::MAX);
    let gauges = &metrics().db_pool_connections;
    let max = i64::from(pool.options().get_max_connections());
    gauges.with_label_values(&["max"]).set(max);
    gauges.with_label_values(&["idle"]).set(idle);
    gauges
        .with_label_values(&["used"])
        .set(i64::from(pool.size()) - idle);
}
