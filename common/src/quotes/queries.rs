//! Finding quotes, and forgetting those whose time is long over.

use std::time::Duration;

use sqlx::PgPool;

use super::QuoteError;
use crate::ids::{QuoteId, UserId};
use crate::signatures::{Quote, Verifier};

/// A quote whose signature holds, and whose buyer is the one who shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub id: QuoteId,
    pub claims: Quote,
}

/// The quote that a buyer shows: its id, or the signed token itself.
pub async fn open(
    pool: &PgPool,
    verifier: &Verifier,
    buyer: UserId,
    shown: &str,
) -> Result<Opened, QuoteError> {
    let claims: Quote = match QuoteId::parse(shown) {
        Some(id) => {
            let token = find_token(pool, id, buyer).await?;
            verifier.verify(Quote::TYP, &token.ok_or(QuoteError::NotFound)?)
        }
        None => verifier.verify(Quote::TYP, shown),
    }
    .map_err(QuoteError::NotOurs)?;
    match QuoteId::parse(&claims.quote_id) {
        Some(id) if claims.buyer_id == buyer => Ok(Opened { id, claims }),
        _ => Err(QuoteError::NotFound),
    }
}

async fn find_token(
    pool: &PgPool,
    id: QuoteId,
    buyer: UserId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "select token
         from quotes
         where id = $1
           and buyer_id = $2",
    )
    .bind(id)
    .bind(buyer)
    .fetch_optional(pool)
    .await
}

/// Forgets quotes that ran out before that. Until then an id is answered as expired, and a repeated request is
/// still understood.
pub async fn prune(pool: &PgPool, kept: Duration) -> Result<u64, sqlx::Error> {
    let pruned =
        sqlx::query("delete from quotes where expires_at < now() - make_interval(secs => $1)")
            .bind(kept.as_secs_f64())
            .execute(pool)
            .await?;
    Ok(pruned.rows_affected())
}
