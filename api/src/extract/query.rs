//! The parameters of a query as the fields of a type: read from the pairs that the whole request was judged
//! by, never a second time from the text.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::value::{Error, MapDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::QueryPairs;
use super::rule::{Misfit, misfit, unknown};
use crate::error::{ApiError, Code};

/// The query. A parameter without a value is absent.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let pairs = parts.extensions.get::<QueryPairs>();
        read(pairs.unwrap_or(&QueryPairs::default())).map(Self)
    }
}

fn read<T: DeserializeOwned>(pairs: &QueryPairs) -> Result<T, ApiError> {
    let given = pairs.iter().filter(|(_, value)| !value.trim().is_empty());
    let texts = MapDeserializer::<_, Error>::new(given.map(|(name, value)| (name, Text(value))));
    serde_path_to_error::deserialize(texts).map_err(|error| {
        let (path, said) = (error.path().to_string(), error.inner().to_string());
        let (name, fault) = match misfit(&said) {
            Misfit::Missing(name) => (name, "is required".to_owned()),
            Misfit::Unknown(name, known) => (name, unknown(name, known)),
            Misfit::Rule(rule) => (path.as_str(), rule),
        };
        ApiError::new(Code::InvalidInput, format!("{name} {fault}.")).field(name, fault)
    })
}

/// Whether a text says yes; none if it says neither.
pub fn flag(text: &str) -> Option<bool> {
    let is = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "1"]) {
        Some(true)
    } else {
        is(["false", "0"]).then_some(false)
    }
}

/// A value, which is what it is read as.
#[derive(Debug, Clone, Copy)]
struct Text<'a>(&'a str);

impl<'de> IntoDeserializer<'de, Error> for Text<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:literal,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.trim().parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => Err(Error::custom(concat!("must be ", $kind))),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match flag(self.0) {
            Some(flag) => visitor.visit_bool(flag),
            None => Err(Error::custom("must be true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: serde::de::value::StrDeserializer<'_, Error> = self.0.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    numbers! {
        deserialize_i16 visit_i16 "a whole number",
        deserialize_i32 visit_i32 "a whole number",
        deserialize_i64 visit_i64 "a whole number",
        deserialize_u32 visit_u32 "a whole number, 0 or more",
        deserialize_u64 visit_u64 "a whole number, 0 or more",
        deserialize_f64 visit_f64 "a number",
    }

    forward_to_deserialize_any! {
        i8 i128 u8 u16 u128 f32 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct
        map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default, rename_all = "camelCase", deny_unknown_fields)]
    struct Asked {
        limit: Option<i64>,
        name: String,
        is_open: Option<bool>,
        kind: Option<Kind>,
        key: Option<common::ids::ApiKeyId>,
        payment: Option<common::ids::PaymentId>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        Small,
        VeryLarge,
    }

    fn asked(query: &str) -> Result<Asked, ApiError> {
        read(&QueryPairs::read(&format!("/?{query}").parse().unwrap()).unwrap())
    }

    #[test]
    fn values_are_what_they_are_read_as_and_an_empty_one_is_absent() {
        let found = asked("limit=5&name=a%20b&isOpen=True&kind=very-large").unwrap();
        assert_eq!((found.limit, found.name.as_str()), (Some(5), "a b"));
        assert_eq!(
            (found.is_open, found.kind),
            (Some(true), Some(Kind::VeryLarge))
        );
        assert_eq!(
            asked("limit=&isOpen=&kind=&name=&payment=").unwrap(),
            Asked::default()
        );
    }

    #[test]
    fn a_fault_has_the_name_and_the_rule() {
        for (query, name, fault) in [
            ("limit=ten", "limit", "must be a whole number"),
            ("isOpen=yes", "isOpen", "must be true or false"),
            ("kind=big", "kind", "must be small or very-large"),
            (
                "key=7",
                "key",
                "must be a UUID, such as 0190a5b6-7c8d-7e9f-8a0b-1c2d3e4f5061",
            ),
            ("payment=7", "payment", "must look like pay_<32 hex digits>"),
            ("limits=5", "limits", "is unknown (did you mean limit?)"),
        ] {
            let error = asked(query).unwrap_err();
            assert_eq!(error.details[name], fault, "{query}");
            assert_eq!(error.message, format!("{name} {fault}."));
        }
    }
}
