//! The parameters of a request: form-encoded, with `name[key]` for maps. Unknown ones are refused,
//! so that the sandbox finds what the provider would.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use super::method::{Behaviour, behaviour};
use crate::limits;

/// The parameters by name; two requests are the same if these are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn parse(body: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(body);
        Self(pairs.into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn required(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::missing(name))
    }

    /// Refuses what is neither known nor an entry of a known map.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let is_known = |name: &str| {
            let outer = name.split('[').next().unwrap_or_default();
            known.contains(&outer)
        };
        match self.0.keys().find(|name| !is_known(name)) {
            Some(unknown) => Err(Fault::unknown(unknown)),
            None => Ok(()),
        }
    }

    pub(super) fn amount_minor(&self) -> Result<i64, Fault> {
        let text = self.required("amount")?;
        let bad = |code, message: String| Fault::bad("amount", code, message);
        let Ok(amount) = text.parse::<i64>() else {
            let message = format!("Invalid integer: {text}");
            return Err(bad("parameter_invalid_integer", message));
        };
        if amount < limits::CARD_AMOUNT_MINOR_MIN {
            let message = "The amount is below the minimum charge amount.".to_owned();
            return Err(bad("amount_too_small", message));
        }
        if amount > limits::CARD_AMOUNT_MINOR_MAX {
            let message = "The amount is above the maximum charge amount.".to_owned();
            return Err(bad("amount_too_large", message));
        }
        Ok(amount)
    }

    pub(super) fn currency(&self) -> Result<String, Fault> {
        let currency = self.required("currency")?;
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_lowercase()) {
            let message = format!("Invalid currency: {currency}.");
            return Err(Fault::bad("currency", "parameter_invalid_string", message));
        }
        Ok(currency.to_owned())
    }

    /// The payment method and what it does, if one is named.
    pub(super) fn payment_method(&self) -> Result<Option<(String, Behaviour)>, Fault> {
        let Some(method) = self.get("payment_method") else {
            return Ok(None);
        };
        let behaviour = behaviour(method).ok_or_else(|| Fault::no_method(method))?;
        Ok(Some((method.to_owned(), behaviour)))
    }

    /// The provider's limits: 50 entries, names of 40 and values of 500 characters.
    pub(super) fn metadata(&self) -> Result<BTreeMap<String, String>, Fault> {
        let entries = self.0.iter().filter_map(|(name, value)| {
            let key = name.strip_prefix("metadata[")?.strip_suffix(']')?;
            Some((key.to_owned(), value.clone()))
        });
        let metadata: BTreeMap<String, String> = entries.collect();
        let fits = |(key, value): (&String, &String)| {
            key.chars().count() <= 40 && value.chars().count() <= 500
        };
        if metadata.len() > 50 || !metadata.iter().all(fits) {
            return Err(Fault::invalid(
                "Metadata has at most 50 entries, names of 40 and values of 500 characters.",
            ));
        }
        Ok(metadata)
    }
}
