//! Reads SQL in source texts, as far as it says which rights a statement needs. Not a parser: it knows the
//! habits of this house (lower case, columns listed, one statement per string).

use std::collections::{BTreeMap, BTreeSet};

/// The tables of the schema, and the columns of each.
pub(super) type Tables = BTreeMap<String, BTreeSet<String>>;

/// A right: `insert` or `update` of a column, `select` or `delete` of a table, `lock` of a table's rows, `call`
/// of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Right {
    pub(super) verb: &'static str,
    pub(super) on: String,
    pub(super) column: Option<String>,
}

impl Right {
    pub(super) fn of(verb: &'static str, on: &str, column: Option<&str>) -> Self {
        Self {
            verb,
            on: on.to_owned(),
            column: column.map(str::to_owned),
        }
    }
}

/// Which rights the statements of a text need, by name of tables and functions.
pub(super) fn rights_of(text: &str, tables: &Tables, functions: &BTreeSet<String>) -> Vec<Right> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        match *rest {
            ["from" | "join" | "into" | "update", table, ..] if tables.contains_key(table) => {
                found.push(Right::of("select", table, None));
            }
            _ => {}
        }
        match *rest {
            ["delete", "from", table, ..] if tables.contains_key(table) => {
                found.push(Right::of("delete", table, None));
            }
            ["insert", "into", table, ..] if tables.contains_key(table) => {
                inserts(&rest[3..], table, &mut found);
            }
            ["update", table, "set", ..] if tables.contains_key(table) => {
                sets(&rest[3..], table, &mut found);
            }
            ["update", table, "as", _, "set", ..] if tables.contains_key(table) => {
                sets(&rest[5..], table, &mut found);
            }
            ["update", table, _, "set", ..] if tables.contains_key(table) => {
                sets(&rest[4..], table, &mut found);
            }
            ["for", "update" | "share", ..] | ["for", "no", "key", "update", ..] => {
                found.extend(locked(&tokens[..at], tables));
            }
            [function, "(", ..] if functions.contains(function) => {
                found.push(Right::of("call", function, None));
            }
            _ => {}
        }
    }
    found
}

/// Words and signs; comments are left out, and a quote or a semicolon ends a statement.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for line in text.lines() {
        let is_comment = ["//", "--"]
            .iter()
            .any(|mark| line.trim_start().starts_with(mark));
        if is_comment {
            continue;
        }
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let end = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }
    tokens
}

fn is_end(token: &str) -> bool {
    ["\"", ";"].contains(&token)
}

/// `[as alias] (columns) ... [on conflict ... do update set ...]`.
fn inserts(rest: &[&str], table: &str, found: &mut Vec<Right>) {
    let rest = if rest.first() == Some(&"as") {
        &rest[2..]
    } else {
        rest
    };
    if rest.first() == Some(&"(") {
        let columns = rest[1..].iter().take_while(|token| **token != ")");
        for column in columns.filter(|token| **token != ",") {
            found.push(Right::of("insert", table, Some(column)));
        }
    } else {
        found.push(Right::of("insert", table, Some("every column")));
    }
    let end = rest
        .iter()
        .position(|token| is_end(token))
        .unwrap_or(rest.len());
    let statement = &rest[..end];
    let conflict = statement
        .windows(3)
        .position(|words| words == ["do", "update", "set"]);
    if let Some(at) = conflict {
        sets(&statement[at + 3..], table, found);
    }
}

/// `column = ..., (column, column) = ...` up to the end of the list.
fn sets(rest: &[&str], table: &str, found: &mut Vec<Right>) {
    let mut depth = 0_usize;
    let mut is_start = true;
    for (at, token) in rest.iter().enumerate() {
        if is_end(token) || (depth == 0 && ["where", "from", "returning", ")"].contains(token)) {
            return;
        }
        if is_start && *token == "(" {
            let columns = rest[at + 1..].iter().take_while(|token| **token != ")");
            for column in columns.filter(|token| **token != ",") {
                found.push(Right::of("update", table, Some(column)));
            }
        } else if is_start {
            found.push(Right::of("update", table, Some(token)));
        }
        is_start = depth == 0 && *token == ",";
        match *token {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
    }
}

/// Rows are locked of the table that was named last before.
fn locked(before: &[&str], tables: &Tables) -> Option<Right> {
    let start = before
        .iter()
        .rposition(|token| is_end(token))
        .map_or(0, |at| at + 1);
    let statement = &before[start..];
    let named = statement.windows(2).rev().find_map(|words| match *words {
        ["from" | "join", table] if tables.contains_key(table) => Some(table),
        _ => None,
    });
    named.map(|table| Right::of("lock", table, None))
}

#[test]
fn the_rights_of_a_statement_are_read_off_it() {
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let tables = Tables::from([
        ("jobs".to_owned(), columns(&["id", "state", "reason", "at"])),
        ("faults".to_owned(), columns(&["id"])),
    ]);
    let functions = BTreeSet::from(["post_it".to_owned()]);
    let read = |text: &str| {
        let mut rights: Vec<String> = rights_of(text, &tables, &functions)
            .into_iter()
            .map(|right| match right.column {
                Some(column) => format!("{} {}.{column}", right.verb, right.on),
                None => format!("{} {}", right.verb, right.on),
            })
            .collect();
        rights.sort();
        rights.dedup();
        rights.join(", ")
    };
    assert_eq!(
        read(
            "update jobs set state = coalesce($1, (select 1)), (reason, at) = (1, 2) where id = 3"
        ),
        "select jobs, update jobs.at, update jobs.reason, update jobs.state"
    );
    assert_eq!(
        read(
            "\"insert into jobs as known (id, at) values (1) on conflict (id) do update set at = 2\", \"x, y = 1\""
        ),
        "insert jobs.at, insert jobs.id, select jobs, update jobs.at"
    );
    assert_eq!(
        read("delete from jobs where id in (select id from faults for update skip locked)"),
        "delete jobs, lock faults, select faults, select jobs"
    );
    assert_eq!(read("select post_it(1)"), "call post_it");
    assert_eq!(
        read("// update jobs set state = 1\n-- delete from jobs"),
        ""
    );
}
