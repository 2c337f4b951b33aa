//! The parameters of a query, read once for every request: what judges a request before its handler (rate
//! limits, dry runs) sees the same values as the handler itself.

use axum::http::Uri;
use common::limits::QUERY_PARAMETERS_MAX;
use common::uploads::FieldFault;

use crate::error::{ApiError, Code};

/// Names and values of a query, decoded, in their order; each name stands once.
#[derive(Debug, Clone, Default)]
pub struct QueryPairs(Vec<(String, String)>);

impl QueryPairs {
    /// Refuses a name that is given twice, because two readers could take different ones of its values,
    /// and NUL characters, because PostgreSQL takes none in any text.
    pub fn read(uri: &Uri) -> Result<Self, ApiError> {
        let query = uri.query().unwrap_or_default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut faults = Vec::new();
        let pieces = query.split('&').filter(|piece| !piece.is_empty());
        if pieces.count() > QUERY_PARAMETERS_MAX {
            let message = format!("A query has {QUERY_PARAMETERS_MAX} parameters at most.");
            return Err(ApiError::new(Code::InvalidInput, message));
        }
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if pairs.iter().any(|(known, _)| *known == name) {
                faults.push(FieldFault::new(&*name, "must be given once"));
            } else if name.contains('\0') || value.contains('\0') {
                let name = name.replace('\0', "\u{fffd}");
                faults.push(FieldFault::new(name, "must have no NUL characters"));
            } else {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        if faults.is_empty() {
            Ok(Self(pairs))
        } else {
            Err(ApiError::fields(&faults))
        }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same without one.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Result<QueryPairs, ApiError> {
        QueryPairs::read(&target.parse().unwrap())
    }

    #[test]
    fn a_value_is_the_same_however_it_is_spelt() {
        for target in ["/?dryRun=true", "/?dryRun=%74rue", "/?%64ryRun=true&a=b"] {
            assert_eq!(
                read(target).unwrap().get("dryRun"),
                Some("true"),
                "{target}"
            );
        }
        assert_eq!(read("/?DryRun=true").unwrap().get("dryRun"), None);
        assert_eq!(read("/").unwrap().get("dryRun"), None);
    }

    #[test]
    fn a_query_of_many_names_costs_no_more_than_one_of_few() {
        let query = |count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("a{number}=")).collect();
            format!("/?{}", names.join("&"))
        };
        assert!(read(&query(QUERY_PARAMETERS_MAX)).is_ok());
        let error = read(&query(QUERY_PARAMETERS_MAX + 1)).unwrap_err();
        assert_eq!(error.message, "A query has 64 parameters at most.");
        assert!(error.details.is_empty(), "nothing of it was compared");
    }

    #[test]
    fn a_repeated_name_and_nul_are_refused_with_the_name() {
        for (target, name, fault) in [
            ("/?a=1&a=1", "a", "must be given once"),
            ("/?a=1&%61=2", "a", "must be given once"),
            ("/?b=%00", "b", "must have no NUL characters"),
            ("/?c%00=1", "c\u{fffd}", "must have no NUL characters"),
        ] {
            let error = read(target).unwrap_err();
            assert_eq!(error.details[name], fault, "{target}");
        }
    }
}
