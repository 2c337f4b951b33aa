//! Values as clients read them, each with its schema: moments, amounts, currencies, digests.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::money::decimal_number;
use crate::schema::inline_schema;

/// A moment, in RFC 3339 with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp(pub DateTime<Utc>);

/// An amount of money as a decimal number, from its minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub i64);

/// A currency by its ISO 4217 code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Currency(pub String);

/// A SHA-256 in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256Hex(pub Vec<u8>);

impl From<DateTime<Utc>> for Timestamp {
    fn from(at: DateTime<Utc>) -> Self {
        Self(at)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_rfc3339_opts(SecondsFormat::Millis, true);
        serializer.serialize_str(&text)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        decimal_number(self.0).serialize(serializer)
    }
}

impl Serialize for Sha256Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

inline_schema!(Timestamp, {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-11-21T10:30:00.000Z"],
});
inline_schema!(Amount, { "type": "number", "examples": [12.5] });
inline_schema!(Currency, {
    "type": "string",
    "description": "A currency by its ISO 4217 code.",
    "pattern": "^[A-Z]{3}$",
    "examples": ["USD"],
});
inline_schema!(Sha256Hex, { "type": "string", "pattern": "^[0-9a-f]{64}$" });

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_clients_read_them() {
        let at = DateTime::from_timestamp_micros(1_795_170_600_123_456).unwrap();
        assert_eq!(json!(Timestamp(at)), json!("2026-11-20T10:30:00.123Z"));
        assert_eq!(json!(Amount(1250)).to_string(), "12.5");
        assert_eq!(json!(Sha256Hex(vec![0, 255])), json!("00ff"));
    }
}
