//! Lists in headers: elements with parameters (`Accept`, `Prefer`; RFC 9110 §5.6) and entity tags (§8.8.3). A
//! header may be given over several lines; a comma or semicolon inside quotes separates nothing.

use axum::http::{HeaderMap, HeaderName};

/// One element: `name=value` pairs, or names alone, that semicolons separate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The first name, in lower case: a media type or a preference.
    pub name: String,
    /// What follows the first name.
    pub value: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Element {
    fn read(text: &str) -> Self {
        let mut pairs = split(text, ';').into_iter().map(pair);
        let (name, value) = pairs.next().unwrap_or_default();
        let parameters = pairs
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, value)| (name, value.unwrap_or_default()))
            .collect();
        Self {
            name,
            value,
            parameters,
        }
    }

    /// The first parameter of that name, wherever it stands in the element.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        if self.name == name {
            return self.value.as_deref();
        }
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The weight of an element of `Accept`, in thousandths; 1000 if none is given that can be read.
    pub fn weight(&self) -> u16 {
        let weight = self.parameter("q").and_then(|text| text.parse().ok());
        weight.map_or(1000, |weight: f32| (weight.clamp(0.0, 1.0) * 1000.0) as u16)
    }
}

/// The elements of a header, over all its lines.
pub fn elements(headers: &HeaderMap, name: &HeaderName) -> Vec<Element> {
    let lines = headers.get_all(name).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| split(line, ','))
        .filter(|text| !text.is_empty())
        .map(Element::read)
        .collect()
}

/// An element of `If-Match` or `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntityTag {
    /// `*`
    Any,
    /// The text between the quotes.
    Strong(String),
    Weak(String),
}

/// The entity tags of a header, over all its lines; none if one of them is no tag.
pub fn entity_tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<EntityTag>> {
    let mut tags = Vec::new();
    for line in headers.get_all(name) {
        let mut rest = line.to_str().ok()?.trim_matches([' ', '\t', ',']);
        while !rest.is_empty() {
            let (tag, after) = entity_tag(rest)?;
            tags.push(tag);
            let after = after.trim_start_matches([' ', '\t']);
            if !after.is_empty() && !after.starts_with(',') {
                return None;
            }
            rest = after.trim_start_matches([' ', '\t', ',']);
        }
    }
    Some(tags)
}

fn entity_tag(text: &str) -> Option<(EntityTag, &str)> {
    if let Some(after) = text.strip_prefix('*') {
        return Some((EntityTag::Any, after));
    }
    let (is_weak, quoted) = match text.strip_prefix("W/") {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let (inner, after) = quoted.strip_prefix('"')?.split_once('"')?;
    let tag = if is_weak {
        EntityTag::Weak(inner.to_owned())
    } else {
        EntityTag::Strong(inner.to_owned())
    };
    Some((tag, after))
}

/// A name in lower case, and what follows its `=` without quotes.
fn pair(text: &str) -> (String, Option<String>) {
    match text.split_once('=') {
        Some((name, value)) => (lower(name), Some(unquoted(value.trim()))),
        None => (lower(&unquoted(text)), None),
    }
}

fn lower(text: &str) -> String {
    text.trim().to_ascii_lowercase()
}

/// The text of a quoted string; any other text as it is.
fn unquoted(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let mut plain = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    plain
}

/// The trimmed texts between separators that stand outside quotes.
fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, character) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && character == '\\' {
            is_escaped = true;
        } else if character == '"' {
            is_quoted = !is_quoted;
        } else if character == separator && !is_quoted {
            pieces.push(text[start..at].trim());
            start = at + 1;
        }
    }
    pieces.push(text[start..].trim());
    pieces
}

#[cfg(test)]
mod tests {
    use axum::http::header;
    use proptest::prelude::*;

    use super::*;

    fn lines(name: &HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn an_element_has_a_name_and_parameters_and_quotes_separate_nothing() {
        let headers = lines(
            &header::ACCEPT,
            &[
                "Text/HTML; Q=0.5 ; level=\"a, b; \\\"c\\\"\", */*;q=0",
                ",,x",
            ],
        );
        let found = elements(&headers, &header::ACCEPT);
        let names: Vec<&str> = found.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["text/html", "*/*", "x"]);
        assert_eq!(found[0].parameter("level"), Some("a, b; \"c\""));
        let weights: Vec<u16> = found.iter().map(Element::weight).collect();
        assert_eq!(weights, [500, 0, 1000]);
    }

    #[test]
    fn entity_tags_are_read_over_several_lines_with_commas_inside() {
        let headers = lines(&header::IF_MATCH, &["\"a,b\" , W/\"3-x\"", "*", " , "]);
        let tags = entity_tags(&headers, &header::IF_MATCH).unwrap();
        let strong = EntityTag::Strong("a,b".to_owned());
        let weak = EntityTag::Weak("3-x".to_owned());
        assert_eq!(tags, [strong, weak, EntityTag::Any]);
        for faulty in ["3", "\"3", "\"", "\"a\"\"b\"", "w/\"a\"", "*x"] {
            let headers = lines(&header::IF_MATCH, &[faulty]);
            assert_eq!(entity_tags(&headers, &header::IF_MATCH), None, "{faulty}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(text in "[ -~]{0,60}") {
            let headers = lines(&header::ACCEPT, &[&text]);
            for element in elements(&headers, &header::ACCEPT) {
                prop_assert!(element.weight() <= 1000);
            }
            entity_tags(&headers, &header::ACCEPT);
        }

        #[test]
        fn a_quoted_value_is_read_as_it_was_meant(value in "[ -~]{0,20}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let headers = lines(&header::ACCEPT, &[&format!("a;b=\"{quoted}\"")]);
            let found = elements(&headers, &header::ACCEPT);
            prop_assert_eq!(found[0].parameter("b"), Some(value.as_str()));
        }
    }
}
