//! Rows of content-addressed objects, and the sweep of those that nobody refers to.

use std::time::Duration;

use sqlx::PgPool;

/// Whether bytes may be written under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The key is ours to write; the sweep leaves it alone for its grace time.
    Granted,
    /// The sweep is taking the same bytes away this moment; try again soon.
    BeingDeleted,
}

/// Writes the row before the bytes are written.
pub async fn claim_object(
    pool: &PgPool,
    key: &str,
    sha256: &[u8],
    size_bytes: i64,
) -> Result<Claim, sqlx::Error> {
    let claimed = sqlx::query(
        "insert into objects (key, sha256, size_bytes)
         values ($1, $2, $3)
         on conflict (key) do update
         set touched_at = now()
         where objects.state = 'live'",
    )
    .bind(key)
    .bind(sha256)
    .bind(size_bytes)
    .execute(pool)
    .await?;
    Ok(if claimed.rows_affected() == 1 {
        Claim::Granted
    } else {
        Claim::BeingDeleted
    })
}

/// An object to be taken away.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct OrphanObject {
    pub key: String,
}

/// Marks objects that no package refers to and nobody touched within the grace time; none of them
/// can be claimed until it is forgotten. Those already marked are answered again, so a sweep that
/// died is finished by the next.
pub async fn condemn_orphans(
    pool: &PgPool,
    grace: Duration,
) -> Result<Vec<OrphanObject>, sqlx::Error> {
    sqlx::query(
        "update objects
         set state = 'deleting'
         where state = 'live'
           and touched_at < now() - make_interval(secs => $1)
           and not exists (select 1 from packages where package_key = objects.key)
           and not exists (select 1 from packages where w_matrix_key = objects.key)",
    )
    .bind(grace.as_secs_f64())
    .execute(pool)
    .await?;
    sqlx::query_as("select key from objects where state = 'deleting' order by key limit 1000")
        .fetch_all(pool)
        .await
}

/// The bytes are gone.
pub async fn forget_object(pool: &PgPool, key: &str) -> Result<(), sqlx::Error> {
    sqlx::query("delete from objects where key = $1 and state = 'deleting'")
        .bind(key)
        .execute(pool)
        .await?;
    Ok(())
}

/// Marks objects that were found in the store and have no row, so that they are swept like the rest.
/// Their digest is their name.
pub async fn condemn_unknown(pool: &PgPool, keys: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into objects (key, sha256, size_bytes, state)
         select key, decode(right(key, 64), 'hex'), 1, 'deleting'
         from unnest($1::text[]) as found (key)
         where key ~ '/[0-9a-f]{64}$'
         on conflict (key) do nothing",
    )
    .bind(keys)
    .execute(pool)
    .await?;
    Ok(())
}
