//! Reads of the ledger: balances now and then, and statements.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{AccountKind, Balance, TransferKind};
use crate::limits::STATEMENT_ROWS_MAX;

/// A line of a statement: what one transfer did to the account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StatementLine {
    /// [`TransferKind`], as its name.
    pub kind: String,
    /// The purchase, payment, payout, dispute or adjustment.
    pub subject: Uuid,
    pub amount_minor: i64,
    /// Known of guarded accounts.
    pub balance_after_minor: Option<i64>,
    pub at: DateTime<Utc>,
}

/// A place in a statement, by what is public of a transfer: `<kind>.<subject>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementCursor {
    pub kind: TransferKind,
    pub subject: Uuid,
}

impl fmt::Display for StatementCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind.as_str(), self.subject)
    }
}

impl FromStr for StatementCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, subject) = text.split_once('.').ok_or(())?;
        Ok(Self {
            kind: kind.parse()?,
            subject: subject.parse().map_err(|_| ())?,
        })
    }
}

/// A page of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub lines: Vec<StatementLine>,
    /// Where the next page begins; none if this one is the last.
    pub next: Option<StatementCursor>,
}

/// What an account holds now, deltas included. An account that was never used holds nothing.
pub async fn balance(
    executor: impl PgExecutor<'_>,
    owner: Uuid,
    kind: AccountKind,
    currency: &str,
) -> Result<Balance, sqlx::Error> {
    let balance = sqlx::query_as(
        "select balance_minor + coalesce((
                    select sum(amount_minor)
                    from account_deltas
                    where account_id = accounts.id
                ), 0)::bigint as posted_minor,
                held_minor
         from accounts
         where owner_id = $1
           and kind = $2
           and currency = $3",
    )
    .bind(owner)
    .bind(kind.as_str())
    .bind(currency)
    .fetch_optional(executor)
    .await?;
    Ok(balance.unwrap_or_default())
}

/// What an account held at a time, from its history. Reads all of it: a million entries take a
/// fraction of a second.
pub async fn balance_as_of(
    executor: impl PgExecutor<'_>,
    owner: Uuid,
    kind: AccountKind,
    currency: &str,
    at: DateTime<Utc>,
) -> Result<Balance, sqlx::Error> {
    let balance = sqlx::query_as(
        "select coalesce((
                    select sum(amount_minor)
                    from entries
                    where account_id = accounts.id
                      and at <= $4
                ), 0)::bigint as posted_minor,
                coalesce((
                    select sum(amount_minor)
                    from holds
                    where account_id = accounts.id
                      and created_at <= $4
                      and (resolved_at is null or resolved_at > $4)
                ), 0)::bigint as held_minor
         from accounts
         where owner_id = $1
           and kind = $2
           and currency = $3",
    )
    .bind(owner)
    .bind(kind.as_str())
    .bind(currency)
    .bind(at)
    .fetch_optional(executor)
    .await?;
    Ok(balance.unwrap_or_default())
}

/// Newest first, those before the cursor, at most [`STATEMENT_ROWS_MAX`]. A guarded account's lines
/// come in the order in which its balance moved; an appended one's may appear a little late behind
/// younger ones, because nothing makes its transfers wait for each other.
pub async fn statement(
    pool: &PgPool,
    owner: Uuid,
    kind: AccountKind,
    currency: &str,
    before: Option<StatementCursor>,
    limit: i64,
) -> Result<Statement, sqlx::Error> {
    let limit = limit.clamp(1, STATEMENT_ROWS_MAX);
    let mut lines: Vec<StatementLine> = sqlx::query_as(
        "select transfers.kind, transfers.subject, entries.amount_minor, entries.balance_after_minor, entries.at
         from accounts
         join entries on entries.account_id = accounts.id
         join transfers on transfers.id = entries.transfer_id
         where accounts.owner_id = $1
           and accounts.kind = $2
           and accounts.currency = $3
           and ($4::text is null or entries.transfer_id < (
                   select id
                   from transfers
                   where kind = $4
                     and subject = $5
               ))
         order by entries.transfer_id desc
         limit $6",
    )
    .bind(owner)
    .bind(kind.as_str())
    .bind(currency)
    .bind(before.map(|before| before.kind.as_str()))
    .bind(before.map(|before| before.subject))
    .bind(limit + 1)
    .fetch_all(pool)
    .await?;
    let is_last = i64::try_from(lines.len()).is_ok_and(|count| count <= limit);
    if !is_last {
        lines.pop();
    }
    let next = lines.last().filter(|_| !is_last).and_then(|line| {
        Some(StatementCursor {
            kind: line.kind.parse().ok()?,
            subject: line.subject,
        })
    });
    Ok(Statement { lines, next })
}

/// Deltas that wait to be folded, counted up to `most`.
pub async fn count_deltas(pool: &PgPool, most: i64) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("select count(*) from (select from account_deltas limit $1) as waiting")
        .bind(most)
        .fetch_one(pool)
        .await
}
