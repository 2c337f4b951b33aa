//! Pages of lists, the same everywhere: `limit` and `cursor` in, `nextCursor` out, null on the last page.

use std::fmt::Display;
use std::str::FromStr;

use common::limits::{CLIENT_PAGE_ROWS_MAX, PAGE_ROWS_MAX};

use crate::error::{ApiError, Code};

/// The sizes of one kind of page.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// Rows when the client does not say.
    pub rows: i64,
    pub rows_max: i64,
}

impl Pages {
    /// Of a list in the market or of webhooks.
    pub const SHORT: Self = Self {
        rows: 20,
        rows_max: CLIENT_PAGE_ROWS_MAX,
    };
    /// Of an operator's list, and of what an account collects over years.
    pub const LONG: Self = Self {
        rows: 50,
        rows_max: PAGE_ROWS_MAX,
    };

    /// The number of rows that the client wants.
    pub fn limit(self, given: Option<i64>) -> Result<i64, ApiError> {
        let limit = given.unwrap_or(self.rows);
        if (1..=self.rows_max).contains(&limit) {
            return Ok(limit);
        }
        let fault = format!("must be between 1 and {}", self.rows_max);
        Err(ApiError::new(Code::InvalidInput, format!("limit {fault}.")).field("limit", fault))
    }
}

/// The cursor, read by `parse`.
pub fn cursor<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let fault = "must be the nextCursor of an earlier page";
    text.map(|text| {
        parse(text).ok_or_else(|| {
            ApiError::new(Code::InvalidInput, format!("cursor {fault}.")).field("cursor", fault)
        })
    })
    .transpose()
}

/// A cursor that is the id of a row.
pub fn row<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

/// The cursor of the next page, if this one is full.
pub fn next<R, C: Display>(rows: &[R], limit: i64, cursor: impl Fn(&R) -> C) -> Option<String> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let last = rows.last().filter(|_| is_full);
    last.map(|row| cursor(row).to_string())
}
