//! What a seller has earned, and how much of it can still be taken back.
//!
//! Only what no refund and no dispute can take any more is drawn, so what is left covers all that can be:
//! earnings never fall below zero (`no_refund_or_dispute_takes_a_seller_below_zero`; the schema refuses it).
//! A share that an operator refunds after it was drawn is borne by the platform.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use super::Purchase;
use crate::ids::UserId;
use crate::limits::PAYOUT_MATURITY_SECONDS;

/// What a seller has, in minor units.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Earnings {
    /// All that was earned, not drawn and not frozen by a dispute.
    pub posted_minor: i64,
    /// Of sales that may still be refunded or disputed.
    pub maturing_minor: i64,
}

impl Earnings {
    /// What can be drawn now.
    pub fn available_minor(self) -> i64 {
        (self.posted_minor - self.maturing_minor).max(0)
    }

    /// How much of a share the earnings still have beside what matures; the rest was drawn.
    fn part_of(self, net_minor: i64) -> i64 {
        self.available_minor().min(net_minor)
    }
}

/// The next share that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct NextShare {
    pub at: DateTime<Utc>,
    pub amount_minor: i64,
}

/// Sales of that seller and currency whose share cannot be drawn yet; `$3` is how long that takes.
macro_rules! maturing {
    () => {
        "from purchases
         where purchases.seller_id = $1
           and purchases.currency = $2
           and state = 'settled'
           and settled_at > now() - make_interval(secs => $3)"
    };
}

const EARNINGS: &str = concat!(
    "select balance_minor + coalesce((
                select sum(amount_minor)
                from account_deltas
                where account_id = accounts.id
            ), 0)::bigint as posted_minor,
            coalesce((select sum(net_minor) ",
    maturing!(),
    "), 0)::bigint as maturing_minor
     from accounts
     where owner_id = $1
       and kind = 'seller_earnings'
       and currency = $2"
);

const NEXT_SHARE: &str = concat!(
    "select settled_at + make_interval(secs => $3) as at, net_minor as amount_minor ",
    maturing!(),
    "  and net_minor > 0
     order by settled_at
     limit 1"
);

/// What a seller has, and the next share to come.
pub async fn find_earnings(
    pool: &PgPool,
    seller: UserId,
    currency: &str,
) -> Result<(Earnings, Option<NextShare>), sqlx::Error> {
    let earnings = sqlx::query_as(EARNINGS)
        .bind(seller)
        .bind(currency)
        .bind(PAYOUT_MATURITY_SECONDS as f64)
        .fetch_optional(pool)
        .await?;
    let next = sqlx::query_as(NEXT_SHARE)
        .bind(seller)
        .bind(currency)
        .bind(PAYOUT_MATURITY_SECONDS as f64)
        .fetch_optional(pool)
        .await?;
    Ok((earnings.unwrap_or_default(), next))
}

/// What a seller has, from which nobody else draws until the end of the transaction. Sales and refunds
/// may commit meanwhile, so both figures come from one statement: a refund between two would be earned
/// still and maturing no more.
pub async fn lock_earnings_in_tx(
    conn: &mut PgConnection,
    seller: UserId,
    currency: &str,
) -> Result<Earnings, sqlx::Error> {
    sqlx::query("select lock_earnings($1, $2)")
        .bind(seller)
        .bind(currency)
        .execute(&mut *conn)
        .await?;
    sqlx::query_as(EARNINGS)
        .bind(seller)
        .bind(currency)
        .bind(PAYOUT_MATURITY_SECONDS as f64)
        .fetch_one(conn)
        .await
}

/// How much of a sale's share its seller still has. The sale is not settled any more in this transaction,
/// so what matures are the others; from here on the earnings are locked, so ask late.
pub async fn lock_share_in_tx(
    conn: &mut PgConnection,
    purchase: &Purchase,
) -> Result<i64, sqlx::Error> {
    let (seller, currency) = (purchase.seller_id, &purchase.currency);
    let earnings = lock_earnings_in_tx(conn, seller, currency).await?;
    Ok(earnings.part_of(purchase.net_minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn earnings(posted_minor: i64, maturing_minor: i64) -> Earnings {
        Earnings {
            posted_minor,
            maturing_minor,
        }
    }

    #[test]
    fn a_seller_draws_what_is_earned_for_good_and_never_less_than_nothing() {
        let available = |posted, maturing| earnings(posted, maturing).available_minor();
        assert_eq!(available(1_000, 0), 1_000);
        assert_eq!(available(1_000, 400), 600);
        assert_eq!(available(400, 400), 0);
        assert_eq!(available(-100, 0), 0);
        assert_eq!(available(300, 400), 0);
    }

    #[test]
    fn a_share_is_taken_from_what_is_left_beside_the_shares_of_others() {
        let part = |posted, maturing_of_others| earnings(posted, maturing_of_others).part_of(850);
        // It is there, alone or beside another that matures.
        assert_eq!(part(850, 0), 850);
        assert_eq!(part(1_700, 850), 850);
        assert_eq!(part(5_000, 850), 850);
        // It was drawn, or in part.
        assert_eq!(part(0, 0), 0);
        assert_eq!(part(850, 850), 0);
        assert_eq!(part(1_000, 850), 150);
        // Books of an earlier time.
        assert_eq!(part(-500, 850), 0);
    }
}
