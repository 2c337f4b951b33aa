//! Times of a request: by RFC 3339, in years that PostgreSQL knows too.

use chrono::{DateTime, Datelike as _, Utc};
use serde::de::{Deserialize as _, Deserializer, Error as _};

/// For `deserialize_with`.
pub fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let moment = DateTime::parse_from_rfc3339(text.trim()).ok();
    let moment = moment.filter(|moment| (1970..=9999).contains(&moment.year()));
    moment.map(|moment| moment.to_utc()).ok_or_else(|| {
        D::Error::custom(
            "must be a time by RFC 3339 from 1970 to 9999, such as 2026-11-21T10:30:00Z",
        )
    })
}

/// The same, which may be null or left out.
pub fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Moment(#[serde(deserialize_with = "required")] DateTime<Utc>);
    let moment = Option::<Moment>::deserialize(deserializer)?;
    Ok(moment.map(|Moment(moment)| moment))
}
