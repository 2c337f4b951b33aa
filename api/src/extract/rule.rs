//! What serde says of a value that does not fit, in words for clients: the rule that it breaks, without a
//! name of our types, and without the value, which may be a password.

/// No name is longer; comparing costs the square of the length.
const NAME_BYTES_MAX: usize = 64;

/// What is wrong with a body or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misfit<'a> {
    /// A field of this name is required.
    Missing(&'a str),
    /// Nothing takes a field of this name; what is taken instead.
    Unknown(&'a str, Vec<&'a str>),
    /// The rule that a value breaks.
    Rule(String),
}

/// Reads what serde says.
pub fn misfit(text: &str) -> Misfit<'_> {
    // From the right: what stands further left may be the client's own text.
    let position = text.rsplit_once(" at line ");
    let text = position.map_or(text, |(text, _)| text);
    let (said, expected) = text.rsplit_once("expected ").unwrap_or((text, ""));
    let mut quoted = said.split('`').skip(1).step_by(2);
    let alternatives: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if text.starts_with("missing field") {
        Misfit::Missing(quoted.next().unwrap_or_default())
    } else if text.starts_with("unknown field") {
        Misfit::Unknown(quoted.next().unwrap_or_default(), alternatives)
    } else if text.starts_with("unknown variant") {
        Misfit::Rule(format!("must be {}", list(&alternatives, "or")))
    } else if text.starts_with("duplicate field") {
        Misfit::Rule("must be given once".to_owned())
    } else if text.starts_with("UUID parsing failed") {
        Misfit::Rule("must be a UUID, such as 0190a5b6-7c8d-7e9f-8a0b-1c2d3e4f5061".to_owned())
    } else if text.starts_with("must ") {
        Misfit::Rule(text.to_owned())
    } else {
        Misfit::Rule(format!("must be {}", kind(expected)))
    }
}

/// What is wrong with a name that nothing takes.
pub fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(name, &known) {
        Some(near) => format!("is unknown (did you mean {near}?)"),
        None if known.is_empty() => "is unknown here".to_owned(),
        None => format!("is unknown; there is {}", list(&known, "and")),
    }
}

/// The known name that was meant, if it is plain which.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let bare = |name: &str| -> String {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        letters.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    let meant = bare(name);
    let distance = |known: &&str| strsim::osa_distance(&meant, &bare(known));
    let near = known.iter().copied().min_by_key(distance)?;
    let is_plain = distance(&near) <= usize::from(meant.len() > 2) + usize::from(meant.len() > 5);
    is_plain.then_some(near)
}

fn list(words: &[&str], last: &str) -> String {
    match words {
        [] => "something else".to_owned(),
        [one] => (*one).to_owned(),
        [rest @ .., end] => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// A kind of value, where serde names a type.
fn kind(expected: &str) -> &'static str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a string" | "a borrowed string" | "string or map" | "variant identifier" => "a text",
        "a sequence" => "a list",
        "a map" => "an object",
        text if text.contains("date") || text.contains("time") => {
            "a time by RFC 3339, such as 2026-11-21T10:30:00Z"
        }
        text if text.starts_with("struct ") || text.starts_with("internally tagged") => "an object",
        _ => "of another form; the document of this API says which",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_names_a_type_of_ours() {
        for (said, rule) in [
            (
                "invalid type: string \"5\", expected i64 at line 1 column 3",
                "must be a whole number",
            ),
            (
                "invalid value: integer `-1`, expected u32",
                "must be a whole number, 0 or more",
            ),
            (
                "invalid type: integer `1`, expected a string",
                "must be a text",
            ),
            (
                "unknown variant `x`, expected one of `a`, `b`, `c`",
                "must be a, b or c",
            ),
            ("unknown variant `x`, expected `a` or `b`", "must be a or b"),
            (
                "invalid type: integer `1`, expected struct Changes with 3 elements",
                "must be an object",
            ),
            ("must look like pur_", "must look like pur_"),
            (
                "unknown variant `is expected at line 3`, expected `a` or `b` at line 1 column 9",
                "must be a or b",
            ),
        ] {
            assert_eq!(misfit(said), Misfit::Rule(rule.to_owned()), "{said}");
        }
        let missing = misfit("missing field `name` at line 1 column 2");
        assert_eq!(missing, Misfit::Missing("name"));
        let unknown = misfit("unknown field `nam`, expected `name` or `age`");
        assert_eq!(unknown, Misfit::Unknown("nam", vec!["name", "age"]));
    }

    #[test]
    fn a_misspelt_name_is_told_the_nearest_and_another_what_there_is() {
        let known = ["licenseMode", "supply", "draft", "webhookUrl", "tags"];
        for (typed, meant) in [
            ("licenceMode", "licenseMode"),
            ("suply", "supply"),
            ("isDraft", "draft"),
            ("webhookURL", "webhookUrl"),
            ("webhook_url", "webhookUrl"),
            ("tag", "tags"),
        ] {
            let fault = unknown(typed, known);
            assert_eq!(fault, format!("is unknown (did you mean {meant}?)"));
        }
        let fault = unknown("colour", ["price", "supply"]);
        assert_eq!(fault, "is unknown; there is price and supply");
        assert_eq!(unknown("colour", []), "is unknown here");
    }
}
