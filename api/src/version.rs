//! The versions of the API and the shape of an answer in each. `negotiation` finds the one that a request speaks.
//!
//! A request names its version by a media type (`Accept: application/vnd.awareness.v2+json`), by a query
//! (`?api_version=v2`) or by its path (`/api/v2/ai/…`), in that order of precedence; without any it
//! speaks v1, the first contract. Handlers know one shape alone; the types of `contract/versioned.rs` mark what
//! differs, and [`ApiVersion::answer`] writes it:
//!
//! | | ids of purchases | money | good answers | errors |
//! |---|---|---|---|---|
//! | v1 | numbers (the text beside it, as `purchase`) | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v2 | text | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v3 | text | `priceMinor` alone: no floats | the thing itself | RFC 9457 |
//!
//! Fields are only ever added within a version. What a request may say is the same in all of them.

use common::ids::PurchaseId;
use common::wire::Amount;
use serde_json::{Map, Value, json};

/// Since when version 1 is deprecated (RFC 9745: Unix seconds), 2026-11-01.
pub const V1_DEPRECATED: &str = "@1793491200";
/// From when on it may be gone (RFC 8594).
pub const V1_SUNSET: &str = "Mon, 01 May 2028 00:00:00 GMT";

/// A purchase, in the answer of a handler.
pub const PURCHASE: &str = "versioned:purchase";
/// A price in minor units, in the answer of a handler.
pub const PRICE: &str = "versioned:price";

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

    /// Gives a thing, and whatever is in it, the shape of this version. Fields of others, such as the metadata of an
    /// agent, stay as they are, whatever they are called.
    pub fn shape(self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                for (name, mut value) in std::mem::take(object) {
                    match name.as_str() {
                        PURCHASE => self.write_purchase(object, value),
                        PRICE => self.write_price(object, value),
                        _ => {
                            self.shape(&mut value);
                            object.insert(name, value);
                        }
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.shape(item)),
            _ => {}
        }
    }

    /// The first contract calls purchases by number.
    fn write_purchase(self, object: &mut Map<String, Value>, id: Value) {
        let number = id
            .as_str()
            .and_then(PurchaseId::parse)
            .map(PurchaseId::number);
        match (self, number) {
            (Self::V1, Some(number)) => {
                object.insert("purchaseId".to_owned(), number.into());
                object.insert("purchase".to_owned(), id);
            }
            _ => {
                object.insert("purchaseId".to_owned(), id);
            }
        }
    }

    fn write_price(self, object: &mut Map<String, Value>, minor: Value) {
        if let (Self::V1 | Self::V2, Some(minor)) = (self, minor.as_i64()) {
            object.insert("price".to_owned(), json!(Amount(minor)));
        }
        object.insert("priceMinor".to_owned(), minor);
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::contract::{Price, PurchaseReference};

    #[derive(Serialize)]
    struct Sale {
        #[serde(flatten)]
        purchase: PurchaseReference,
        #[serde(flatten)]
        price: Price,
        metadata: Value,
    }

    #[test]
    fn each_version_has_its_shape_and_leaves_what_is_others() {
        let id = "pur_01935a7e4c1b7d209f3e6a5b8c2d4e08";
        let metadata = json!({ "purchaseId": id, "price": "high", "priceMinor": null });
        let sale = Sale {
            purchase: PurchaseId::parse(id).unwrap().into(),
            price: Price::new(999),
            metadata: metadata.clone(),
        };
        let data = json!([sale]);
        assert_eq!(
            ApiVersion::V1.answer(data.clone()),
            json!({
                "success": true,
                "data": [{
                    "purchaseId": 0xe_6a5b_8c2d_4e08_u64, "purchase": id,
                    "price": 9.99, "priceMinor": 999,
                    "metadata": metadata,
                }],
            })
        );
        assert_eq!(
            ApiVersion::V2.answer(data.clone()),
            json!({
                "success": true,
                "data": [{ "purchaseId": id, "price": 9.99, "priceMinor": 999, "metadata": metadata }],
            })
        );
        assert_eq!(
            ApiVersion::V3.answer(data),
            json!([{ "purchaseId": id, "priceMinor": 999, "metadata": metadata }])
        );
    }
}
