//! The versions of the API and the shape of an answer in each. `negotiation` finds the one that a request speaks.
//!
//! A request names its version by a media type (`Accept: application/vnd.awareness.v2+json`), by a query
//! (`?api_version=v2`) or by its path (`/api/v2/ai/…`), in that order of precedence; without any it
//! speaks v1, the first contract. Handlers know one shape alone; [`ApiVersion::answer`] makes of it:
//!
//! | | ids of purchases | money | good answers | errors |
//! |---|---|---|---|---|
//! | v1 | numbers (the text beside it, as `purchase`) | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v2 | text | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v3 | text | `priceMinor` alone: no floats | the thing itself | RFC 9457 |
//!
//! Fields are only ever added within a version. What a request may say is the same in all of them.

use common::ids::PurchaseId;
use serde_json::{Map, Value, json};

/// Since when version 1 is deprecated (RFC 9745: Unix seconds), 2026-11-01.
pub const V1_DEPRECATED: &str = "@1793491200";
/// From when on it may be gone (RFC 8594).
pub const V1_SUNSET: &str = "Mon, 01 May 2028 00:00:00 GMT";

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    V1,
    V2,
    V3,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    /// Accepts `v2` and `2`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let is_it = |version: &Self| version.as_str().trim_start_matches('v') == digits;
        Self::ALL.into_iter().find(is_it)
    }

    /// The body of a good answer.
    pub fn answer(self, mut data: Value) -> Value {
        self.shape(&mut data);
        match self {
            Self::V1 | Self::V2 => json!({ "success": true, "data": data }),
            Self::V3 => data,
        }
    }

    /// Gives a thing, and whatever is in it, the shape of this version.
    pub fn shape(self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                match self {
                    Self::V1 => number_purchase(object),
                    Self::V2 => {}
                    Self::V3 => drop_decimal_price(object),
                }
                object.values_mut().for_each(|value| self.shape(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.shape(item)),
            _ => {}
        }
    }
}

/// The first contract calls purchases by number.
fn number_purchase(object: &mut Map<String, Value>) {
    let Some(text) = object.get("purchaseId").and_then(Value::as_str) else {
        return;
    };
    if let Some(id) = PurchaseId::parse(text) {
        object.insert("purchaseId".to_owned(), id.number().into());
        object.insert("purchase".to_owned(), id.to_string().into());
    }
}

fn drop_decimal_price(object: &mut Map<String, Value>) {
    if object.contains_key("priceMinor") {
        object.shift_remove("price");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_its_shape() {
        let id = "pur_01935a7e4c1b7d209f3e6a5b8c2d4e08";
        let data = json!({ "purchaseId": id, "list": [{ "price": 9.99, "priceMinor": 999 }] });
        assert_eq!(
            ApiVersion::V1.answer(data.clone()),
            json!({
                "success": true,
                "data": {
                    "purchaseId": 0xe_6a5b_8c2d_4e08_u64,
                    "list": [{ "price": 9.99, "priceMinor": 999 }],
                    "purchase": id,
                },
            })
        );
        let second = json!({ "success": true, "data": data.clone() });
        assert_eq!(ApiVersion::V2.answer(data.clone()), second);
        assert_eq!(
            ApiVersion::V3.answer(data),
            json!({ "purchaseId": id, "list": [{ "priceMinor": 999 }] })
        );
    }
}
