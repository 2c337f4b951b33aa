//! What a query asks of the market: every fault named at once.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use common::catalog::{Filters, category_fault};
use common::ids::UserId;
use common::limits::{CLIENT_PAGE_ROWS_MAX, MODEL_NAME_CHARS_MAX};
use common::money::Price;
use common::uploads::FieldFault;
use package::PackageType;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;
use crate::extract::QueryPairs;

/// Rows of a page when nothing is said (the seed's figure).
const PAGE_ROWS: i64 = 10;
const TEXT_CHARS_MAX: usize = 200;

/// The parameters of a query, taken one by one.
#[derive(Debug)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    /// What was taken, as all who mean the same would say it.
    canonical: BTreeMap<String, String>,
    faults: Vec<FieldFault>,
}

impl Parameters {
    /// Those of a request.
    pub fn of(query: &QueryPairs) -> Self {
        let pairs = query.iter();
        Self {
            values: pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            canonical: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Notes in which words a parameter that was taken is the same for all who mean it.
    pub fn note(&mut self, name: &str, canonical: &str) {
        if canonical.is_empty() {
            self.canonical.remove(name);
        } else {
            self.canonical.insert(name.to_owned(), canonical.to_owned());
        }
    }

    /// What is left goes with other parameters than these; all faults together if there are any. Otherwise
    /// the query as all say it who mean the same: sorted, in one spelling, with what is said when nothing is
    /// said.
    pub fn finish(mut self) -> Result<String, ApiError> {
        let left = std::mem::take(&mut self.values).into_keys();
        self.faults
            .extend(left.map(|name| FieldFault::new(name, "does not go with the others")));
        if !self.faults.is_empty() {
            return Err(ApiError::fields(&self.faults));
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        Ok(query.extend_pairs(self.canonical).finish())
    }

    /// Notes a fault.
    pub fn fault(&mut self, name: &str, message: impl Into<String>) {
        self.faults.push(FieldFault::new(name, message));
    }

    /// A text; an empty one is absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.bounded(name, TEXT_CHARS_MAX)
    }

    /// The name of a model, as it was typed.
    pub fn text_of_model(&mut self, name: &str) -> Option<String> {
        self.bounded(name, MODEL_NAME_CHARS_MAX)
    }

    /// Notes a model, and tells the spelling that stands for its others.
    pub fn note_model(&mut self, name: &str, typed: &str) -> String {
        let spelling = model_spelling(typed);
        self.note(name, &spelling);
        spelling
    }

    fn model(&mut self, name: &str) -> Option<String> {
        let typed = self.text_of_model(name)?;
        Some(self.note_model(name, &typed))
    }

    fn bounded(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let text = self.values.remove(name)?.trim().to_owned();
        if text.chars().count() > chars_max {
            self.fault(name, format!("must have at most {chars_max} characters"));
            return None;
        }
        let is_sound = !text.chars().any(char::is_control);
        if !is_sound {
            self.fault(name, "must have no control characters");
            return None;
        }
        self.note(name, &text);
        (!text.is_empty()).then_some(text)
    }

    /// A value that is read from text.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.fault(name, expected);
        }
        parsed
    }

    /// A value that has a name on the wire.
    fn word<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        let word = serde_json::from_value(Value::String(text)).ok();
        if word.is_none() {
            self.fault(name, expected);
        }
        word
    }

    /// The rows of a page.
    pub fn limit(&mut self) -> i64 {
        let fault = format!("must be from 1 to {CLIENT_PAGE_ROWS_MAX}");
        let limit = self.parsed::<i64>("limit", &fault).unwrap_or(PAGE_ROWS);
        if !(1..=CLIENT_PAGE_ROWS_MAX).contains(&limit) {
            self.fault("limit", fault);
        }
        self.note("limit", &limit.to_string());
        limit
    }

    /// What to filter by.
    pub fn filters(&mut self) -> Filters {
        let package_type = match self.text("packageType").as_deref() {
            None => None,
            Some("all") => {
                self.note("packageType", "");
                None
            }
            Some(text) => {
                let parsed = text.parse::<PackageType>().ok();
                if parsed.is_none() {
                    self.fault("packageType", "must be vector, memory, chain or all");
                }
                parsed
            }
        };
        let category = self.text("category");
        if let Some(fault) = category.as_deref().and_then(category_fault) {
            self.fault("category", fault);
        }
        let tags = self.text("tags").unwrap_or_default();
        let tags = tags.split(',').map(|tag| tag.trim().to_owned());
        let tags: BTreeSet<String> = tags.filter(|tag| !tag.is_empty()).collect();
        let tags: Vec<String> = tags.into_iter().collect();
        self.note("tags", &tags.join(","));
        Filters {
            package_type,
            source_model: self.model("sourceModel"),
            target_model: self.model("targetModel"),
            category,
            tags,
            price_min_minor: self.price("minPrice"),
            price_max_minor: self.price("maxPrice"),
            tier: self.word("tier", "must be platinum, gold or silver"),
            evidence: self.word(
                "evidence",
                "must be declared, self-attested, challenged or verified",
            ),
            epsilon_max: self.figure("maxEpsilon", 0.0, 1000.0),
            rating_min: self.figure("minRating", 0.0, 5.0),
            source_dimension: self.dimension("sourceDimension"),
            target_dimension: self.dimension("targetDimension"),
            seller: self.seller(),
        }
    }

    fn seller(&mut self) -> Option<UserId> {
        let seller = self.parsed::<UserId>("sellerId", "must be the id of a seller")?;
        self.note("sellerId", &seller.to_string());
        Some(seller)
    }

    fn price(&mut self, name: &str) -> Option<i64> {
        let text = self.text(name)?;
        match Price::parse(&text) {
            Ok(price) => {
                let minor = price.minor();
                self.note(name, &format!("{}.{:02}", minor / 100, minor % 100));
                Some(minor)
            }
            Err(error) => {
                self.fault(name, error.to_string());
                None
            }
        }
    }

    fn figure(&mut self, name: &str, least: f64, most: f64) -> Option<f64> {
        let fault = format!("must be a number from {least} to {most}");
        let figure = self.parsed::<f64>(name, &fault)?;
        if (least..=most).contains(&figure) {
            // -0 is 0.
            self.note(name, &(figure + 0.0).to_string());
            return Some(figure);
        }
        self.fault(name, fault);
        None
    }

    fn dimension(&mut self, name: &str) -> Option<i32> {
        let fault = "must be a whole number from 1 to 131072";
        let dimension = self.parsed::<i32>(name, fault)?;
        if (1..=131_072).contains(&dimension) {
            self.note(name, &dimension.to_string());
            return Some(dimension);
        }
        self.fault(name, fault);
        None
    }
}

/// A spelling of a model's name that is the same for most that PostgreSQL's `model_key` takes for one:
/// `GPT-4`, `gpt 4` and `openai/gpt-4`. No two names that it tells apart have the same.
fn model_spelling(name: &str) -> String {
    let bare = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let says_something =
        |char: &char| !char.is_ascii() || char.is_ascii_alphanumeric() || "+#".contains(*char);
    let spelling: String = bare.chars().filter(says_something).collect();
    if spelling.is_empty() { bare } else { spelling }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(query: &str) -> String {
        let query = QueryPairs::read(&format!("/?{query}").parse().unwrap()).unwrap();
        let mut parameters = Parameters::of(&query);
        parameters.filters();
        parameters.limit();
        parameters.finish().unwrap()
    }

    #[test]
    fn who_means_the_same_says_the_same() {
        for (one, other) in [
            ("", "limit=10"),
            ("packageType=all", ""),
            ("sourceModel=GPT-4", "sourceModel=openai/gpt%204"),
            ("tags=b,a&category=vision", "category=vision&tags=a,,b,a"),
            ("minPrice=5", "minPrice=5.00"),
            ("maxEpsilon=0.030", "maxEpsilon=.03"),
            ("minRating=-0", "minRating=0"),
            ("sourceDimension=768", "sourceDimension=0768"),
            ("category=&limit=&maxEpsilon=", ""),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one} and {other}");
        }
        assert_ne!(
            canonical("sourceModel=gpt-4"),
            canonical("targetModel=gpt-4")
        );
        assert_ne!(canonical("tags=a,b"), canonical("tags=a"));
    }
}
