//! What an expression of PromQL names. Whether it is an expression at all is for promtool to say.

use std::collections::BTreeSet;

/// Words before a list of labels in parentheses.
const BEFORE_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];
/// Other words that are no series.
const WORDS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];

/// The names in an expression.
#[derive(Debug, Default)]
pub struct Query {
    pub series: BTreeSet<String>,
    pub labels: BTreeSet<String>,
    /// The labels that it selects by, each with one value; of a pattern, each of its alternatives.
    pub selected: BTreeSet<(String, String)>,
    /// The numbers that it compares with.
    pub bounds: BTreeSet<String>,
}

impl Query {
    pub fn read(expression: &str) -> Self {
        let mut query = Self::default();
        let tokens = tokens(expression);
        let mut list: Option<List<'_>> = None;
        for (at, &token) in tokens.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            let after = tokens.get(at + 1).copied().unwrap_or_default();
            match &mut list {
                Some(open) if token == open.end => list = None,
                Some(open) => query.read_label(open, token),
                None if token == "{" => list = Some(List::until("}")),
                None if token == "(" && BEFORE_LABELS.contains(&before) => {
                    list = Some(List::until(")"));
                }
                None => query.read_word(before, token, after),
            }
        }
        query
    }

    /// A token in a list of labels.
    fn read_label<'a>(&mut self, list: &mut List<'a>, token: &'a str) {
        if is_name(token) {
            list.label = token;
            self.labels.insert(token.to_owned());
        } else if let Some(value) = unquoted(token) {
            let pairs = value.split('|').map(|value| (list.label, value));
            let owned = pairs.map(|(label, value)| (label.to_owned(), value.to_owned()));
            self.selected.extend(owned);
        }
    }

    /// A token anywhere else.
    fn read_word(&mut self, before: &str, token: &str, after: &str) {
        let is_known = BEFORE_LABELS.contains(&token) || WORDS.contains(&token);
        let is_function = after == "(" || BEFORE_LABELS.contains(&after);
        if is_name(token) && !is_known && !is_function {
            self.series.insert(token.to_owned());
        } else if is_number(token) && ["<", ">", "="].contains(&before) {
            self.bounds.insert(token.to_owned());
        }
    }
}

/// A list of labels that is being read.
struct List<'a> {
    end: &'static str,
    /// The label that was read last.
    label: &'a str,
}

impl List<'_> {
    fn until(end: &'static str) -> Self {
        Self { end, label: "" }
    }
}

/// Names, numbers, quoted texts and single signs; without spaces, and without the ranges in brackets.
fn tokens(expression: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '[' => rest.find(']').map(|at| at + 1),
            '\'' | '"' => rest[1..].find(first).map(|at| at + 2),
            _ if is_word(first) => rest.find(|sign| !is_word(sign)),
            _ => Some(first.len_utf8()),
        };
        let (token, after) = rest.split_at(end.unwrap_or(rest.len()));
        if first != '[' {
            tokens.push(token);
        }
        rest = after.trim_start();
    }
    tokens
}

fn is_word(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || "_:.".contains(sign)
}

fn is_number(token: &str) -> bool {
    token.starts_with(|sign: char| sign.is_ascii_digit())
}

fn is_name(token: &str) -> bool {
    token.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '_')
}

fn unquoted(token: &str) -> Option<&str> {
    let quote = token.chars().next().filter(|sign| "'\"".contains(*sign))?;
    token.strip_prefix(quote)?.strip_suffix(quote)
}
