//! The small fields of a body, taken by name and type.
//!
//! Numbers keep their source text, so that a price never becomes a float. `null` means absent.

use std::collections::{BTreeMap, BTreeSet};

use super::error::BodyError;

/// A value outside the blobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldValue {
    Null,
    Bool(bool),
    /// The number as it was written.
    Number(String),
    String(String),
    /// An array of nothing but strings.
    Strings(Vec<String>),
    /// Another array or object, whose insides were checked and dropped.
    Nested,
}

/// The fields that were given, and the names by which fields were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    values: BTreeMap<String, FieldValue>,
    known: BTreeSet<String>,
}

impl Fields {
    pub fn new(values: BTreeMap<String, FieldValue>) -> Self {
        Self {
            values,
            known: BTreeSet::new(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.get(name)
    }

    /// The names that nobody has taken.
    pub fn left(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// The names by which fields were taken, whether there were such fields or not.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    fn take(&mut self, name: &str) -> Option<FieldValue> {
        self.known.insert(name.to_owned());
        self.values.remove(name)
    }

    /// Takes a string; `WrongType` if the value is something else, `None` if there is none.
    pub fn take_string(&mut self, name: &str) -> Result<Option<String>, BodyError> {
        match self.take(name) {
            None | Some(FieldValue::Null) => Ok(None),
            Some(FieldValue::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "a string")),
        }
    }

    /// Takes the source text of a number; `WrongType` if the value is something else.
    pub fn take_number(&mut self, name: &str) -> Result<Option<String>, BodyError> {
        match self.take(name) {
            None | Some(FieldValue::Null) => Ok(None),
            Some(FieldValue::Number(text)) => Ok(Some(text)),
            Some(_) => Err(wrong_type(name, "a number")),
        }
    }

    /// Takes an array of strings; `WrongType` if the value is something else.
    pub fn take_strings(&mut self, name: &str) -> Result<Option<Vec<String>>, BodyError> {
        match self.take(name) {
            None | Some(FieldValue::Null) => Ok(None),
            Some(FieldValue::Strings(texts)) => Ok(Some(texts)),
            Some(_) => Err(wrong_type(name, "an array of strings")),
        }
    }

    /// Takes a boolean; `WrongType` if the value is something else.
    pub fn take_bool(&mut self, name: &str) -> Result<Option<bool>, BodyError> {
        match self.take(name) {
            None | Some(FieldValue::Null) => Ok(None),
            Some(FieldValue::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(wrong_type(name, "true or false")),
        }
    }
}

fn wrong_type(name: &str, expected: &'static str) -> BodyError {
    BodyError::WrongType {
        field: name.to_owned(),
        expected,
    }
}
