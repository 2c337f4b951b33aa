//! Pages of purchases: a buyer's own, a seller's sales; newest first.
//!
//! The cursor is the place of a row, not its number: rows that come or change meanwhile neither
//! repeat nor hide others.

use std::fmt;

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::queries::select_views;
use super::{PurchaseState, PurchaseView};
use crate::ids::{PurchaseId, UserId};
use crate::limits::CLIENT_PAGE_ROWS_MAX;

/// From which side purchases are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// All that the user began, by the time of the request.
    Buyer,
    /// All that the user sold, by the time of the settlement.
    Seller,
}

/// The place of a purchase in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: DateTime<Utc>,
    id: PurchaseId,
}

impl Cursor {
    /// Reads what [`fmt::Display`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (micros, id) = text.split_once('.')?;
        Some(Self {
            at: DateTime::from_timestamp_micros(micros.parse().ok()?)?,
            id: PurchaseId::parse(id)?,
        })
    }

    fn of(side: Side, purchase: &PurchaseView) -> Self {
        let at = match side {
            Side::Buyer => purchase.created_at,
            Side::Seller => purchase.settled_at.unwrap_or(purchase.created_at),
        };
        Self {
            at,
            id: purchase.id,
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_micros(), self.id)
    }
}

/// Which purchases to list.
#[derive(Debug, Clone)]
pub struct PageFilter {
    pub user: UserId,
    pub side: Side,
    pub state: Option<PurchaseState>,
    /// Purchases after this one in the list.
    pub after: Option<Cursor>,
    /// At most [`CLIENT_PAGE_ROWS_MAX`].
    pub limit: i64,
}

/// Part of a list.
#[derive(Debug)]
pub struct Page {
    pub purchases: Vec<PurchaseView>,
    /// Where the next page begins, none after the last.
    pub next: Option<Cursor>,
}

const BOUGHT: &str = select_views!(
    "where buyer_id = $1
       and ($2::text is null or purchases.state = $2)
       and ($3::timestamptz is null or (purchases.created_at, purchases.id) < ($3, $4))
     order by purchases.created_at desc, purchases.id desc
     limit $5"
);

const SOLD: &str = select_views!(
    "where seller_id = $1
       and settled_at is not null
       and ($2::text is null or purchases.state = $2)
       and ($3::timestamptz is null or (settled_at, purchases.id) < ($3, $4))
     order by settled_at desc, purchases.id desc
     limit $5"
);

/// One page.
pub async fn list(pool: &PgPool, filter: &PageFilter) -> Result<Page, sqlx::Error> {
    let limit = filter.limit.clamp(1, CLIENT_PAGE_ROWS_MAX);
    let query = match filter.side {
        Side::Buyer => BOUGHT,
        Side::Seller => SOLD,
    };
    // One more than asked for tells whether there is another page.
    let mut purchases: Vec<PurchaseView> = sqlx::query_as(query)
        .bind(filter.user)
        .bind(filter.state)
        .bind(filter.after.map(|cursor| cursor.at))
        .bind(filter.after.map(|cursor| cursor.id))
        .bind(limit + 1)
        .fetch_all(pool)
        .await?;
    let rows_max = usize::try_from(limit).unwrap_or_default();
    let has_more = purchases.len() > rows_max;
    purchases.truncate(rows_max);
    let last = purchases.last().filter(|_| has_more);
    Ok(Page {
        next: last.map(|purchase| Cursor::of(filter.side, purchase)),
        purchases,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let cursor = Cursor {
            at: DateTime::from_timestamp_micros(1_767_323_045_678_901).expect("a time"),
            id: PurchaseId::new(),
        };
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        let id = cursor.id.to_string();
        let huge = format!("{}.{id}", i64::MAX);
        for text in ["", ".", "1", "1.pur_1", &id, &format!("x.{id}"), &huge] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
