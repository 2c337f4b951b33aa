//! Numbers of a body as they are meant, not as they are written: `5`, `5.0` and `0.5e1` are one whole number,
//! and an amount of money is read from its text.

use std::borrow::Cow;

use common::decimal::parse_whole;
use common::schema::inline_schema;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::value::RawValue;

/// The text of a JSON number, to be read exactly.
#[derive(Debug, Clone)]
pub struct NumberText(String);

impl NumberText {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

inline_schema!(NumberText, { "type": "number", "examples": [12.5] });

impl<'de> Deserialize<'de> for NumberText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(D::Error::custom("must be a number"))
        }
    }
}

/// The same JSON, in which every whole number is written as one.
pub fn with_plain_integers(json: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr3(b'.', b'e', b'E', json).is_none() {
        return Cow::Borrowed(json);
    }
    let mut plain = Vec::with_capacity(json.len());
    let mut rest = json;
    while let [first, ..] = rest {
        let length = match first {
            b'"' => text_length(rest),
            b'-' | b'0'..=b'9' => number_length(rest),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        match whole(token).filter(|_| *first != b'"') {
            Some(number) => plain.extend_from_slice(number.to_string().as_bytes()),
            None => plain.extend_from_slice(token),
        }
        rest = after;
    }
    Cow::Owned(plain)
}

/// The number that a token with a point or an exponent stands for, if it is a whole one. What is no JSON,
/// such as `01.0`, stays none.
fn whole(token: &[u8]) -> Option<i64> {
    memchr::memchr3(b'.', b'e', b'E', token)?;
    if let [b'0', b'0'..=b'9', ..] | [b'-', b'0', b'0'..=b'9', ..] = token {
        return None;
    }
    parse_whole(std::str::from_utf8(token).ok()?)
}

fn number_length(json: &[u8]) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    json.iter()
        .position(|byte| !is_part(byte))
        .unwrap_or(json.len())
}

/// The length of a text with its quotes; all that is left if it does not end.
fn text_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(at..).unwrap_or_default()) {
        at += found + 1;
        if json[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn plain(json: &str) -> String {
        String::from_utf8(with_plain_integers(json.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn whole_numbers_are_written_plainly_and_nothing_else_is_touched() {
        for (json, expected) in [
            (r#"{"a":5.0,"b":[1E+2,-0.5e1]}"#, r#"{"a":5,"b":[100,-5]}"#),
            (
                r#"{"5.0":"1e2","\"1.0":0.5}"#,
                r#"{"5.0":"1e2","\"1.0":0.5}"#,
            ),
            (r#"{"a\\":1.0}"#, r#"{"a\\":1}"#),
            ("[1e400, 1.5, 2]", "[1e400, 1.5, 2]"),
            ("[01.0, -00e1, 0.0]", "[01.0, -00e1, 0]"),
            (r#"{"true":true,"e":null}"#, r#"{"true":true,"e":null}"#),
            (r#"["unfinished 1.0"#, r#"["unfinished 1.0"#),
            (r#"["\"#, r#"["\"#),
        ] {
            assert_eq!(plain(json), expected, "{json}");
        }
    }

    #[test]
    fn an_amount_keeps_its_text() {
        let read = |json: &str| serde_json::from_str::<NumberText>(json);
        assert_eq!(
            read("20.000000000000000001").unwrap().as_str(),
            "20.000000000000000001"
        );
        assert_eq!(read("-1e2").unwrap().as_str(), "-1e2");
        for json in ["\"5\"", "true", "[1]", "{}"] {
            let error = read(json).unwrap_err().to_string();
            assert!(error.starts_with("must be a number"), "{json}: {error}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_means_what_it_meant(value in any_json()) {
            fn same(one: &Value, other: &Value) -> bool {
                match (one, other) {
                    (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
                    (Value::Array(one), Value::Array(other)) => {
                        one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
                    }
                    (Value::Object(one), Value::Object(other)) => {
                        one.len() == other.len()
                            && one.iter().all(|(name, a)| other.get(name).is_some_and(|b| same(a, b)))
                    }
                    (one, other) => one == other,
                }
            }
            let json = value.to_string();
            let [before, after] = [json.clone(), plain(&json)]
                .map(|json| serde_json::from_str::<Value>(&json).unwrap());
            prop_assert!(same(&before, &after), "{json} became {after}");
        }
    }
}
