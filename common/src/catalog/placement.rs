//! Where a package stands in the catalogue: category, tags, version.

use std::borrow::Cow;

use package::PackageType;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use semver::Version;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;

use crate::ids::{PackageId, PackagePublicId, UserId};

/// The topic whose epoch rises with each change of what buyers see.
pub const CATALOGUE: &str = "catalogue";

/// What packages are for; one each.
pub const CATEGORIES: [(&str, &str); 10] = [
    (
        "vision",
        "Images and video: captions, detection, understanding.",
    ),
    ("language", "Text: writing, summaries, translation, style."),
    ("code", "Programs: writing, review, repair."),
    (
        "reasoning",
        "Steps of thought: mathematics, planning, logic.",
    ),
    ("speech", "Speech and other sound."),
    ("retrieval", "Embeddings for search and ranking."),
    ("medical", "Medicine and biology."),
    ("finance", "Markets, accounting, risk."),
    ("legal", "Law and contracts."),
    ("other", "Everything else."),
];

const TAGS_MAX: usize = 10;

/// What an upload says of its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Placement {
    pub category: Option<String>,
    pub tags: Vec<String>,
    /// Semantic version; 1.0.0 if nothing is said.
    pub semver: Option<String>,
    /// An earlier version of the same package.
    pub version_of: Option<PackagePublicId>,
    /// Published for its seller alone.
    pub draft: bool,
}

impl Placement {
    /// The version in its canonical form.
    pub fn version(&self) -> String {
        let version = self
            .semver
            .as_deref()
            .and_then(|text| Version::parse(text).ok());
        version.map_or_else(|| "1.0.0".to_owned(), |version| version.to_string())
    }

    /// What is wrong, field by field.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if let Some(category) = &self.category {
            faults.extend(category_fault(category).map(|fault| ("category", fault)));
        }
        faults.extend(tags_fault(&self.tags).map(|fault| ("tags", fault)));
        if let Some(text) = &self.semver
            && Version::parse(text).is_err()
        {
            faults.push((
                "version",
                "must be a semantic version such as 1.2.0".to_owned(),
            ));
        }
        if self.version_of.is_some() && self.semver.is_none() {
            faults.push(("version", "is required beside versionOf".to_owned()));
        }
        faults
    }
}

/// The name of a category, for documents.
#[derive(Debug, Clone, Copy)]
pub struct Category;

impl JsonSchema for Category {
    fn schema_name() -> Cow<'static, str> {
        "Category".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let meanings = CATEGORIES.map(|(name, about)| format!("- `{name}`: {about}"));
        json_schema!({
            "type": "string",
            "description": format!("What a package is for.\n\n{}", meanings.join("\n")),
            "enum": CATEGORIES.map(|(name, _)| name),
        })
    }
}

/// Why a text is no category.
pub fn category_fault(text: &str) -> Option<String> {
    let is_known = CATEGORIES.iter().any(|(name, _)| *name == text);
    (!is_known).then(|| {
        let names = CATEGORIES.map(|(name, _)| name);
        format!("must be one of {}", names.join(", "))
    })
}

/// Why texts are no tags.
pub fn tags_fault(tags: &[String]) -> Option<String> {
    let is_tag = |tag: &String| {
        (1..=30).contains(&tag.len())
            && tag
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let has_twice = tags
        .iter()
        .enumerate()
        .any(|(at, tag)| tags[..at].contains(tag));
    if tags.len() <= TAGS_MAX && tags.iter().all(is_tag) && !has_twice {
        return None;
    }
    Some(format!(
        "must be at most {TAGS_MAX} different ones of 1 to 30 lower-case letters, digits and hyphens"
    ))
}

/// Whether a version is higher than another (semver.org, §11).
pub fn is_higher(one: &str, other: &str) -> bool {
    match (Version::parse(one), Version::parse(other)) {
        (Ok(one), Ok(other)) => one.cmp_precedence(&other).is_gt(),
        _ => false,
    }
}

/// The highest of some versions.
pub fn highest(versions: &[String]) -> Option<String> {
    let parsed = versions.iter().filter_map(|text| Version::parse(text).ok());
    parsed.max().map(|version| version.to_string())
}

/// The line of a package of that seller and type, and all its versions: published, or on their way.
pub async fn versions_of_line(
    conn: &mut PgConnection,
    package: &PackagePublicId,
    owner: UserId,
    package_type: PackageType,
) -> Result<Option<(PackageId, Vec<String>)>, sqlx::Error> {
    let line: Option<PackageId> = sqlx::query_scalar(
        "select line_id
         from packages
         where public_id = $1
           and owner_id = $2
           and package_type = $3",
    )
    .bind(package)
    .bind(owner)
    .bind(package_type.to_string())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(line) = line else {
        return Ok(None);
    };
    let versions = sqlx::query_scalar(
        "select semver
         from packages
         where line_id = $1
         union
         select semver
         from uploads
         where line_id = $1
           and status not in ('failed', 'expired')",
    )
    .bind(line)
    .fetch_all(conn)
    .await?;
    Ok(Some((line, versions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_semver_orders_them() {
        let versions = ["1.0.0", "1.10.0", "1.9.0", "1.10.0-rc.1"].map(str::to_owned);
        assert_eq!(highest(&versions).as_deref(), Some("1.10.0"));
        assert!(is_higher("1.10.1", "1.10.0"));
        assert!(
            !is_higher("1.10.0+build", "1.10.0"),
            "build metadata is no precedence"
        );
        assert!(!is_higher("1.10.0-rc.2", "1.10.0"));
    }

    #[test]
    fn a_place_that_is_none_is_named_by_its_field() {
        let fields = |placement: Placement| {
            let faults = placement.faults().into_iter();
            faults.map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert!(fields(Placement::default()).is_empty());
        let placement = Placement {
            category: Some("cooking".to_owned()),
            tags: vec!["ok".to_owned(), "Not Ok".to_owned()],
            semver: Some("1.0".to_owned()),
            ..Placement::default()
        };
        assert_eq!(fields(placement), ["category", "tags", "version"]);
        let twice = vec!["a".to_owned(), "a".to_owned()];
        assert!(tags_fault(&twice).is_some());
    }
}
