//! Pages of lists, the same everywhere: `limit` and `cursor` in, `nextCursor` out, null on the last page.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

use common::limits::{CLIENT_PAGE_ROWS_MAX, PAGE_ROWS_MAX};
use common::schema::inline_schema;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::error::{ApiError, Code};

/// A `cursor` of a query.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct PageCursor(String);

/// The cursor of the page that follows.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct NextCursor(Option<String>);

/// A `limit` of a query.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Limit<const ROWS: i64, const ROWS_MAX: i64>(i64);

/// Of a list in the market or of webhooks.
pub type ShortLimit = Limit<20, CLIENT_PAGE_ROWS_MAX>;
/// Of an operator's list, and of what an account collects over years.
pub type LongLimit = Limit<50, PAGE_ROWS_MAX>;

impl NextCursor {
    pub fn new(cursor: Option<impl Display>) -> Self {
        Self(cursor.map(|cursor| cursor.to_string()))
    }
}

impl AsRef<str> for PageCursor {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

inline_schema!(PageCursor, {
    "type": "string",
    "description": "The `nextCursor` of the page before.",
});
inline_schema!(NextCursor, {
    "type": ["string", "null"],
    "description": "Goes into `cursor` for the next page; null on the last one.",
});

impl<const ROWS: i64, const ROWS_MAX: i64> JsonSchema for Limit<ROWS, ROWS_MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Limit{ROWS_MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 1,
            "maximum": ROWS_MAX,
            "default": ROWS,
            "description": "How many at most.",
        })
    }
}

/// The number of rows that the client wants.
pub fn rows<const ROWS: i64, const ROWS_MAX: i64>(
    limit: Option<Limit<ROWS, ROWS_MAX>>,
) -> Result<i64, ApiError> {
    let limit = limit.map_or(ROWS, |limit| limit.0);
    if (1..=ROWS_MAX).contains(&limit) {
        return Ok(limit);
    }
    let fault = format!("must be between 1 and {ROWS_MAX}");
    Err(ApiError::new(Code::InvalidInput, format!("limit {fault}.")).field("limit", fault))
}

/// The cursor, read by `parse`.
pub fn cursor<T>(
    text: Option<impl AsRef<str>>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, ApiError> {
    let fault = "must be the nextCursor of an earlier page";
    text.map(|text| {
        parse(text.as_ref()).ok_or_else(|| {
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
pub fn next<R, C: Display>(rows: &[R], limit: i64, cursor: impl Fn(&R) -> C) -> NextCursor {
    let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let last = rows.last().filter(|_| is_full);
    NextCursor::new(last.map(cursor))
}
