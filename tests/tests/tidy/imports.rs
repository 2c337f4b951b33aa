//! The import order that `common/src/lib.rs` writes down, held against the paths of its modules.

use std::collections::BTreeMap;

use super::tree::{assert_none, read, rust_files};

/// The tier of each module, from the line of the form `` `a b` < `c` `` in the module doc.
fn tiers() -> BTreeMap<String, usize> {
    let doc: Vec<String> = read("common/src/lib.rs")
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.trim().to_owned())
        .collect();
    let paragraphs = doc.split(|line| line.is_empty());
    let order = paragraphs
        .map(|lines| lines.join(" "))
        .find(|paragraph| paragraph.contains("` < `"))
        .expect("the order stands in the module doc of common");
    let mut tiers = BTreeMap::new();
    for (tier, modules) in order.split('<').enumerate() {
        for module in modules.replace('`', " ").split_whitespace() {
            let before = tiers.insert(module.to_owned(), tier);
            assert!(before.is_none(), "{module} stands in the order twice");
        }
    }
    tiers
}

/// The modules of the crate that a text names: `crate::a::B`, `crate::{a, b::C}`.
fn named_modules(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let paths = code.split("crate::").skip(1);
    paths
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => first_names(group),
            None => vec![first_name(rest)],
        })
        .collect()
}

/// The first part of each path in a group of imports, up to its closing brace.
fn first_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (at, symbol) in group.char_indices() {
        match symbol {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
                if symbol == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    let is_name = |symbol: &char| symbol.is_alphanumeric() || *symbol == '_';
    path.chars().take_while(is_name).collect()
}

#[test]
fn the_import_order_holds() {
    let tiers = tiers();
    let mut faults = Vec::new();
    for file in rust_files() {
        let Some(path) = file.path.strip_prefix("common/src/") else {
            continue;
        };
        let module = path.split(['/', '.']).next().unwrap();
        if module == "lib" {
            continue;
        }
        let Some(tier) = tiers.get(module) else {
            faults.push(format!("{module} has no place in the order"));
            continue;
        };
        for named in named_modules(&file.text) {
            let is_left = tiers.get(&named).is_some_and(|other| other < tier);
            if named != module && !is_left {
                faults.push(format!("{} names crate::{named}", file.path));
            }
        }
    }
    assert_none(
        &faults,
        "modules of common import only from their left (common/src/lib.rs)",
    );
}

#[test]
fn every_place_in_the_import_order_is_taken() {
    let lib = read("common/src/lib.rs");
    for module in tiers().keys() {
        assert!(
            lib.contains(&format!("mod {module};")),
            "the import order names {module}, which is no module of common"
        );
    }
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text = "use crate::money::Amount;\n\
                use crate::{db, queue::{Lane, Queue}, jobs};\n\
                // crate::in_a_comment\n\
                fn f() -> crate::ids::JobId { crate::limits::DRAIN }";
    assert_eq!(
        named_modules(text),
        ["money", "db", "queue", "jobs", "ids", "limits"]
    );
}
