//! Which types of events somebody wants: `*`, a family such as `purchase.*`, or one type.

use std::fmt;

use thiserror::Error;

/// The longest filter.
pub const FILTER_BYTES_MAX: usize = 128;
/// Filters that somebody may have.
pub const FILTERS_MAX: usize = 32;

/// One filter in its canonical text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TypeFilter(String);

/// Why a text is no filter.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("`{0}` is not an event type, a family such as `purchase.*`, or `*`")]
pub struct FilterError(String);

impl TypeFilter {
    /// Accepts `*`, `name.*` and names of letters, digits, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let name = match text {
            "*" => "any",
            _ => text.strip_suffix(".*").unwrap_or(text),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
        let is_filter =
            text.len() <= FILTER_BYTES_MAX && !name.is_empty() && name.bytes().all(is_name);
        match is_filter {
            true => Ok(Self(text.to_owned())),
            false => Err(FilterError(text.chars().take(FILTER_BYTES_MAX).collect())),
        }
    }

    /// Whether an event of that type passes. SQL has its twin, `webhook_filter_matches`.
    pub fn matches(&self, event_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(family) => event_type.starts_with(family),
            None => self.0 == event_type,
        }
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TypeFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_family_matches_its_members_alone() {
        let family = TypeFilter::parse("purchase.*").unwrap();
        assert!(family.matches("purchase.completed"));
        for other in ["purchase", "purchases.completed", "upload.completed", ""] {
            assert!(!family.matches(other), "{other}");
        }
        assert!(TypeFilter::parse("*").unwrap().matches("anything.at_all"));
        assert!(
            TypeFilter::parse("top_up.failed")
                .unwrap()
                .matches("top_up.failed")
        );
    }

    #[test]
    fn other_texts_are_no_filters() {
        let long = "a".repeat(FILTER_BYTES_MAX + 1);
        for text in [
            "",
            ".*",
            "**",
            "*.completed",
            "purchase.*.x",
            "a b",
            "ü",
            "a*",
            &long,
        ] {
            assert!(TypeFilter::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_its_family(head in "[a-z_]{1,20}", tail in "[a-z_]{1,20}") {
            let name = format!("{head}.{tail}");
            prop_assert!(TypeFilter::parse(&name).unwrap().matches(&name));
            let family = format!("{head}.*");
            prop_assert!(TypeFilter::parse(&family).unwrap().matches(&name));
        }
    }
}
