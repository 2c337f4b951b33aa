//! Pages of lists: `limit` and `cursor` in, `nextCursor` out.

use common::limits::CLIENT_PAGE_ROWS_MAX;

use crate::error::{ApiError, Code};

/// Rows of a page when the client does not say.
const PAGE_ROWS: i64 = 20;

/// The number of rows that the client wants.
pub fn limit(limit: Option<i64>) -> Result<i64, ApiError> {
    let limit = limit.unwrap_or(PAGE_ROWS);
    if (1..=CLIENT_PAGE_ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    let fault = format!("must be between 1 and {CLIENT_PAGE_ROWS_MAX}");
    Err(ApiError::new(Code::InvalidInput, format!("limit {fault}.")).field("limit", fault))
}

/// The cursor, which is the id of the last row of the page before.
pub fn cursor<T>(
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let fault = "must be the nextCursor of a page before";
    text.map(|text| {
        parse(text).ok_or_else(|| {
            ApiError::new(Code::InvalidInput, format!("cursor {fault}.")).field("cursor", fault)
        })
    })
    .transpose()
}

/// The cursor of the next page, if this one is full.
pub fn next<R>(rows: &[R], limit: i64, id: impl Fn(&R) -> String) -> Option<String> {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    rows.last().filter(|_| is_full).map(id)
}
