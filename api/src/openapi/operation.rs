//! An operation of the table, as the document has it.

use std::collections::BTreeSet;

use axum::http::Method;
use common::config::{Calls, RateConfig};
use serde_json::{Map, Value, json};

use super::deliveries;
use crate::access::Access;
use crate::contract::{Operation, Schemas};

/// The operation object.
pub fn operation(row: &Operation, schemas: &mut Schemas) -> Value {
    let mut object = json!({
        "operationId": row.id,
        "tags": [row.tag],
        "summary": row.summary,
    });
    if let Some(about) = about(row) {
        object["description"] = json!(about);
    }
    if let Some(security) = security(row.access) {
        object["security"] = security;
    }
    if let Access::May(permission) = row.access {
        object["x-permission"] = json!(permission);
    }
    let parameters = parameters(row, schemas);
    if !parameters.is_empty() {
        object["parameters"] = json!(parameters);
    }
    if let Some(body) = body(row, schemas) {
        object["requestBody"] = body;
    }
    let policies = policies(row);
    let mut responses = answers(row, schemas);
    for status in faults(row, !policies.is_empty()) {
        let reference = format!("#/components/responses/Fault{status}");
        responses.insert(status.to_string(), json!({ "$ref": reference }));
    }
    object["responses"] = json!(responses);
    if !policies.is_empty() {
        object["x-rate-limit-policy"] = json!(policies);
    }
    let callbacks = callbacks(row);
    if !callbacks.is_empty() {
        object["callbacks"] = json!(callbacks);
    }
    object
}

/// What the summary does not say.
fn about(row: &Operation) -> Option<String> {
    let needs = match row.access {
        Access::May(permission) => Some(format!("Needs the permission `{permission}`.")),
        _ => None,
    };
    // What it answers tells most of it.
    let good = row.answers.iter().chain(&row.empty_answers);
    let shown = row.media_types.iter().map(|(_, about, _)| about);
    let mut all = good.map(|(_, about)| about).chain(shown);
    let answer = || all.next().map(|about| format!("Answers: {about}"));
    let about = row.about.as_ref().map(ToString::to_string);
    let parts: Vec<String> = about.or_else(answer).into_iter().chain(needs).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// What a caller needs, if that is not what most operations need.
fn security(access: Access) -> Option<Value> {
    match access {
        Access::SignedIn | Access::May(_) => None,
        Access::Anyone | Access::Provider => Some(json!([])),
        Access::Optional => Some(json!([{}, { "apiKey": [] }, { "accessToken": [] }])),
        Access::Session => Some(json!([{ "accessToken": [] }])),
        Access::Operator => Some(json!([{ "operatorToken": [] }])),
    }
}

/// The names of its headers, each of which is described among the components.
fn headers(row: &Operation) -> Vec<&'static str> {
    let mut headers = row.signature.headers.clone();
    if row.is_replayed && !headers.contains(&"Idempotency-Key") {
        headers.push("Idempotency-Key");
    }
    if takes_lease(row) && !headers.contains(&"Held-Lease-Token") {
        headers.push("Lease-Token");
    }
    headers
}

/// Whether it is a write of an account, which can be made under a lease.
fn takes_lease(row: &Operation) -> bool {
    row.method != Method::GET
        && !matches!(
            row.access,
            Access::Anyone | Access::Provider | Access::Operator
        )
}

fn parameters(row: &Operation, schemas: &mut Schemas) -> Vec<Value> {
    let reference = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let path = camel_case(row.route);
    let names = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = names.map(reference).collect();
    parameters.extend(headers(row).into_iter().map(reference));
    let query = |name: &str, is_required: bool, schema: Value| json!({ "name": name, "in": "query", "required": is_required, "schema": schema });
    if let Some(asked) = row.signature.query {
        for (name, is_required, schema) in schemas.of_query(asked) {
            parameters.push(query(&name, is_required, schema));
        }
    }
    if row.signature.dry_run.is_some() {
        let about = "With `true`, the request is checked as usual and refused for the same reasons, but changes nothing.";
        let schema = json!({ "type": "boolean", "description": about });
        parameters.push(query("dryRun", false, schema));
    }
    parameters
}

fn body(row: &Operation, schemas: &mut Schemas) -> Option<Value> {
    let body = row.signature.body?;
    let mut content = json!({ "application/json": { "schema": schemas.of_request(body.wire) } });
    if let Some(form) = row.signature.form {
        content["multipart/form-data"] = json!({ "schema": schemas.of_request(form) });
    }
    Some(json!({ "required": body.is_required, "content": content }))
}

/// The good answers, by status.
fn answers(row: &Operation, schemas: &mut Schemas) -> Map<String, Value> {
    let mut answers = Map::new();
    let data = match row.signature.bare {
        Some(bare) => Some(schemas.of_answer(bare)),
        None => row.signature.data.map(|data| schemas.of_envelope(data)),
    };
    let in_json = |about: &str, schema: &Value| json!({ "description": about, "content": { "application/json": { "schema": schema } } });
    for (status, about) in &row.answers {
        let answer = match &data {
            Some(data) => in_json(about, data),
            None => json!({ "description": about }),
        };
        answers.insert(status.to_string(), answer);
    }
    for (status, about) in &row.empty_answers {
        answers.insert(status.to_string(), json!({ "description": about }));
    }
    for (status, about, media_type) in &row.media_types {
        let kind = if media_type.ends_with("json") {
            "object"
        } else {
            "string"
        };
        let answer = answers
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": about, "content": {} }));
        answer["content"][*media_type] = json!({ "schema": { "type": kind } });
    }
    if row.signature.is_tagged {
        answers.insert("304".to_owned(), json!({ "description": "Not modified." }));
    }
    if let Some(dry_run) = row.signature.dry_run {
        let done = row.answers.iter().find(|(status, _)| *status == 200);
        let about = done.map_or("With `dryRun`: it would have succeeded.", |(_, about)| {
            about
        });
        let either = match row.signature.data {
            Some(done) => schemas.of_either(done, dry_run),
            None => schemas.of_envelope(dry_run),
        };
        let answer = in_json(about, &either);
        answers.insert("200".to_owned(), answer);
    }
    answers
}

/// The statuses of its faults: its own, and those that follow from what it takes.
fn faults(row: &Operation, is_limited: bool) -> BTreeSet<u16> {
    let mut faults = BTreeSet::from([400, 500, 503, 504]);
    faults.extend(&row.faults);
    if is_limited {
        faults.insert(429);
    }
    if !is_open(row) {
        faults.extend([401, 403]);
    }
    if row.route.contains('{') {
        faults.insert(404);
    }
    if row.signature.body.is_some() {
        faults.extend([408, 413, 415]);
    }
    for header in headers(row) {
        match header {
            "Idempotency-Key" => faults.extend([409, 422]),
            "Lease-Token" | "Held-Lease-Token" => faults.extend([410]),
            "If-Match" => faults.extend([409, 412, 428]),
            _ => {}
        }
    }
    faults
}

/// Whether anybody may.
fn is_open(row: &Operation) -> bool {
    matches!(row.access, Access::Anyone | Access::Provider)
}

/// The limits that its calls count against, anonymous ones and those with a key or a session.
fn policies(row: &Operation) -> Vec<String> {
    let Some(kind) = row.kind else {
        return Vec::new();
    };
    let counts = |calls: Calls| match calls {
        Calls::Every | Calls::Session => !is_open(row),
        Calls::Anonymous => is_open(row),
        calls => kind.is_counted_by(calls),
    };
    let policies = RateConfig::default().policies.into_iter();
    policies
        .filter(|policy| counts(policy.calls))
        .map(|policy| policy.name)
        .collect()
}

/// The events that it causes to be sent to an address in its body.
fn callbacks(row: &Operation) -> Map<String, Value> {
    let mut callbacks = Map::new();
    for (field, modes, types) in &row.callbacks {
        let expression = format!("{{$request.body#/{field}}}");
        for event_type in *types {
            let callback =
                json!({ &*expression: { "post": deliveries::operation(*event_type, *modes) } });
            callbacks.insert(event_type.to_string(), callback);
        }
    }
    callbacks
}

/// A path as clients read it: `{payoutId}` for `{payout_id}`.
pub fn camel_case(route: &str) -> String {
    let mut path = String::new();
    let (mut is_inside, mut is_next_upper) = (false, false);
    for char in route.chars() {
        match char {
            '{' => is_inside = true,
            '}' => is_inside = false,
            '_' if is_inside => {
                is_next_upper = true;
                continue;
            }
            _ => {}
        }
        path.push(if is_next_upper {
            char.to_ascii_uppercase()
        } else {
            char
        });
        is_next_upper = false;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_alone_are_written_otherwise() {
        for (route, path) in [
            ("/api/ai/payouts/{payout_id}", "/api/ai/payouts/{payoutId}"),
            ("/a_b/{one}/c_d/{two_three}", "/a_b/{one}/c_d/{twoThree}"),
        ] {
            assert_eq!(camel_case(route), path);
        }
    }
}
