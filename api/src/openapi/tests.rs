//! The documents against themselves: names, references, sentences.

use std::collections::BTreeSet;

use super::*;

/// All references of a document.
fn references<'a>(node: &'a Value, found: &mut BTreeSet<&'a str>) {
    match node {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    for version in ApiVersion::ALL {
        every_reference_of(&document(version));
    }
}

fn every_reference_of(document: &Value) {
    let mut found = BTreeSet::new();
    references(document, &mut found);
    for reference in &found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let kinds = document["components"].as_object().unwrap().iter();
    for (kind, components) in kinds.filter(|(kind, _)| *kind != "securitySchemes") {
        for name in components.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(
                found.contains(reference.as_str()),
                "{reference} is not used"
            );
        }
    }
}

#[test]
fn no_two_schemas_have_one_name() {
    let mut derived = Schemas::new(ApiVersion::V1);
    for row in shown() {
        operation::operation(row, &mut derived);
    }
    let mut names = BTreeSet::new();
    for (name, _) in schemas(ApiVersion::V1, derived).into_iter().flatten() {
        let is_numbered = name.ends_with(|last: char| last.is_ascii_digit());
        assert!(!is_numbered, "{name}: two types have one name");
        assert!(
            names.insert(name.clone()),
            "{name} is the name of two schemas"
        );
    }
}

#[test]
fn operation_ids_and_places_are_taken_once() {
    let places: BTreeSet<_> = OPERATIONS
        .iter()
        .map(|row| (row.route, row.method.as_str()))
        .collect();
    assert_eq!(places.len(), OPERATIONS.len());
    let ids: BTreeSet<_> = shown().map(|row| row.id).collect();
    assert_eq!(ids.len(), shown().count());
}

/// Where objects, and bodies of several kinds, stand that have no name of their own.
fn anonymous(node: &Value, place: &str, found: &mut Vec<String>) {
    match node {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                anonymous(item, &format!("{place}/{at}"), found);
            }
        }
        Value::Object(fields) => {
            let depth = place.matches('/').count();
            let is_named = place.starts_with("/components/schemas/") && depth == 3;
            // The second part of a named whole.
            let is_part = place.contains("/allOf/");
            let is_mixed = ["anyOf", "oneOf"]
                .iter()
                .any(|word| fields.contains_key(*word));
            let is_mixed_body =
                is_mixed && place.contains("/content/") && place.ends_with("/schema");
            if is_mixed_body || node["properties"].is_object() && !is_named && !is_part {
                found.push(place.to_owned());
            }
            let is_shown = |name: &str| !["example", "examples", "default"].contains(&name);
            for (name, value) in fields.iter().filter(|(name, _)| is_shown(name)) {
                anonymous(value, &format!("{place}/{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_object_and_every_body_has_a_name() {
    for version in ApiVersion::ALL {
        let mut found = Vec::new();
        anonymous(&document(version), "", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// Whether it has a sentence: its own, or that of the type that it refers to.
fn is_described(document: &Value, schema: &Value) -> bool {
    let has_words = |schema: &Value| {
        let about = schema["description"].as_str();
        about.is_some_and(|about| about.ends_with(['.', '`', ')']))
    };
    let referred = [schema, &schema["items"], &schema["anyOf"][0]];
    let mut referred = referred
        .into_iter()
        .filter_map(|schema| document.pointer(schema["$ref"].as_str()?.strip_prefix('#')?));
    has_words(schema) || referred.any(has_words)
}

#[test]
fn every_property_and_parameter_has_a_sentence() {
    let document = document(ApiVersion::V1);
    let mut silent = Vec::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (property, schema) in properties {
            if !is_described(&document, schema) {
                silent.push(format!("{name}.{property}"));
            }
        }
    }
    for row in shown() {
        let operation = operation::operation(row, &mut Schemas::new(ApiVersion::V1));
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter.get("$ref").is_none()) {
            if !is_described(&document, &parameter["schema"]) {
                silent.push(format!("{}: {}", row.id, parameter["name"]));
            }
        }
    }
    assert!(silent.is_empty(), "{}: {silent:#?}", silent.len());
}
