//! Renews the right to download, as often as its owner asks.

use crate::events;
use crate::ids::{PurchaseId, UserId};
use crate::limits::{GRANT_FRESH_SECONDS, GRANT_SECONDS};
use crate::outbox::Outbox;
use crate::purchases::{CHANGED, PurchaseError, PurchaseState};

/// Gives the grant its seven days again, unless it still has more than six: so a repeat changes
/// nothing.
pub async fn renew(
    outbox: &Outbox,
    id: PurchaseId,
    buyer: UserId,
    trace: &str,
) -> Result<(), PurchaseError> {
    let state: Option<PurchaseState> =
        sqlx::query_scalar("select state from purchases where id = $1 and buyer_id = $2")
            .bind(id)
            .bind(buyer)
            .fetch_optional(outbox.pool())
            .await?;
    let state = state.ok_or(PurchaseError::NotFound)?;
    if !state.is_granted() {
        return Err(PurchaseError::NotGranted(state));
    }
    let mut tx = outbox.begin().await?;
    let renewed = sqlx::query(
        "update purchases
         set grant_expires_at = now() + make_interval(secs => $2), version = version + 1
         where id = $1
           and state in ('settled', 'disputed')
           and grant_expires_at < now() + make_interval(secs => $3)",
    )
    .bind(id)
    .bind(GRANT_SECONDS as f64)
    .bind(GRANT_FRESH_SECONDS as f64)
    .execute(&mut *tx)
    .await?;
    if renewed.rows_affected() == 1 {
        events::append_in_tx(
            &mut tx,
            id.0,
            "purchase.renewed",
            trace,
            serde_json::json!({}),
        )
        .await?;
        tx.announce(CHANGED, id.to_string());
    }
    tx.commit().await?;
    Ok(())
}
