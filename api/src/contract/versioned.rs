//! Fields that differ between the versions of the API. Types say which they are, and write them under a name
//! that only [`ApiVersion::shape`](crate::version::ApiVersion::shape) reads.

use common::ids::PurchaseId;
use common::wire::Amount;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::version::{PRICE, PURCHASE};

/// A price. From version 3 on there is `priceMinor` alone.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Price {
    /// The price, with two decimals.
    #[expect(dead_code, reason = "only its schema is used")]
    price: Amount,
    /// The price in minor units, such as cents.
    price_minor: i64,
}

impl Price {
    pub fn new(minor: i64) -> Self {
        Self {
            price: Amount(minor),
            price_minor: minor,
        }
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(PRICE, self.price_minor)])
    }
}

/// A purchase by its id. In version 1 `purchaseId` is a number, beside which the id stands as `purchase`.
#[derive(Debug, Clone, Copy)]
pub struct PurchaseReference(PurchaseId);

impl From<PurchaseId> for PurchaseReference {
    fn from(id: PurchaseId) -> Self {
        Self(id)
    }
}

impl Serialize for PurchaseReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(PURCHASE, self.0)])
    }
}

/// A purchase, of what need not have been bought.
#[derive(Debug, Clone, Copy, JsonSchema)]
#[schemars(rename_all = "camelCase", transform = PurchaseReference::stand_in_or_null)]
pub struct OptionalPurchaseReference {
    purchase_id: Option<PurchaseId>,
}

impl From<Option<PurchaseId>> for OptionalPurchaseReference {
    fn from(purchase_id: Option<PurchaseId>) -> Self {
        Self { purchase_id }
    }
}

impl Serialize for OptionalPurchaseReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(PURCHASE, self.purchase_id)])
    }
}

impl PurchaseReference {
    /// The same, which may be null.
    fn stand_in_or_null(schema: &mut Schema) {
        Self::stand_in(schema);
        let alternatives = schema.pointer_mut("/properties/purchaseId/anyOf");
        if let Some(alternatives) = alternatives.and_then(Value::as_array_mut) {
            alternatives.push(json!({ "type": "null" }));
        }
    }

    /// Puts its properties into the schema of a type that has a `purchaseId` of its own.
    pub fn stand_in(schema: &mut Schema) {
        let mut own = Self::json_schema(&mut SchemaGenerator::default());
        let own = own.get_mut("properties").and_then(Value::as_object_mut);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let (Some(properties), Some(own)) = (properties, own) {
            properties.append(own);
        }
    }
}

impl JsonSchema for PurchaseReference {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PurchaseReference".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut id = PurchaseId::json_schema(generator);
        id.insert(
            "description".to_owned(),
            "The purchase, in version 1.".into(),
        );
        json_schema!({
            "type": "object",
            "required": ["purchaseId"],
            "properties": {
                "purchaseId": {
                    "description": "The purchase: a number in version 1, an id from version 2 on.",
                    "anyOf": [{ "type": "integer", "format": "int64" }, PurchaseId::json_schema(generator)],
                },
                "purchase": id,
            },
        })
    }
}
