//! A field of a merge patch (RFC 7396): what is absent stays, and `null` clears.

use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize};

/// What a change asks of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum Patch<T> {
    #[default]
    Keep,
    Clear,
    Set(T),
}

impl<T> Patch<T> {
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
