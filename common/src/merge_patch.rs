//! A field of a merge patch (RFC 7396): what is absent stays, and `null` clears.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a change asks of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
    /// Whether the field stays as it is: absent in the patch.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The new value, if there is one.
    pub fn set(self) -> Option<T> {
        match self {
            Self::Keep | Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The same with a borrowed value.
    pub fn as_deref(&self) -> Patch<&T::Target>
    where
        T: Deref,
    {
        match self {
            Self::Keep => Patch::Keep,
            Self::Clear => Patch::Clear,
            Self::Set(value) => Patch::Set(value),
        }
    }

    /// The value after the change.
    pub fn or(self, before: T) -> T
    where
        T: Default,
    {
        match self {
            Self::Keep => before,
            Self::Clear => T::default(),
            Self::Set(value) => value,
        }
    }

    /// The value after the change of a field that may have none.
    pub fn or_option(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let given = Option::deserialize(value)?;
        Ok(given.map_or(Self::Clear, Self::Set))
    }
}

/// Fields to be kept are left out by `skip_serializing_if = "Patch::is_keep"`.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(value) => value.serialize(serializer),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Patch<T> {
    fn inline_schema() -> bool {
        Option::<T>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        Option::<T>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Option::<T>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Change {
        name: Patch<String>,
    }

    #[test]
    fn absent_keeps_null_clears_and_a_value_is_set() {
        for (text, after) in [
            ("{}", "before"),
            ("{\"name\": null}", ""),
            ("{\"name\": \"x\"}", "x"),
        ] {
            let change: Change = serde_json::from_str(text).unwrap();
            assert_eq!(change.name.or("before".to_owned()), after, "{text}");
        }
    }
}
