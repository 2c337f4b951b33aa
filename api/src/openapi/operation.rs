//! One operation of the document: a method of a path, what it takes, answers and calls back.

use std::borrow::Cow;
use std::collections::BTreeSet;

use common::config::{Calls, RateConfig};
use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::deliveries;
use super::fields::{closed, object};
use super::schema::{named, success};
use crate::access::{self, Access};
use crate::limits::Kind;

/// An operation; its id is the name of its handler.
#[derive(Debug)]
pub struct Operation {
    pub method: &'static str,
    pub path: Cow<'static, str>,
    fields: Map<String, Value>,
    parameters: Vec<Value>,
    answers: Map<String, Value>,
    callbacks: Map<String, Value>,
    faults: BTreeSet<u16>,
}

impl Operation {
    /// The parameters of the path are read from it; each is described among the components.
    pub fn new(
        method: &'static str,
        path: impl Into<Cow<'static, str>>,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let path = path.into();
        let names = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters = names.map(parameter).collect();
        let fields =
            [("operationId", id), ("tags", tag), ("summary", summary)].map(|(name, value)| {
                let value = if name == "tags" {
                    json!([value])
                } else {
                    json!(value)
                };
                (name.to_owned(), value)
            });
        Self {
            method,
            path,
            fields: Map::from_iter(fields),
            parameters,
            answers: Map::new(),
            callbacks: Map::new(),
            faults: BTreeSet::new(),
        }
    }

    /// A body of these fields alone.
    pub fn takes(self, lines: &str) -> Self {
        self.body(closed(lines))
    }

    /// The same, which may be left out.
    pub fn may_take(self, lines: &str) -> Self {
        self.optional_body(closed(lines))
    }

    /// Parameters of the query, one a line, which may be left out.
    pub fn asks(self, lines: &str) -> Self {
        let schema = object(lines);
        let properties = schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        properties
            .into_iter()
            .fold(self, |mut this, (name, schema)| {
                let is_required = required.iter().any(|each| *each == name);
                this.parameters.push(
                json!({ "name": name, "in": "query", "required": is_required, "schema": schema }),
            );
                this
            })
    }

    /// A good answer whose `data` is a schema of the document.
    pub fn gives(self, status: u16, about: &str, name: &str) -> Self {
        self.answer(status, about, &named(name))
    }

    /// A good answer whose `data` has these fields.
    pub fn tells(self, status: u16, about: &str, lines: &str) -> Self {
        self.answer(status, about, &object(lines))
    }

    /// A good answer in another media type.
    pub fn shows(mut self, status: u16, about: &str, media_type: &str) -> Self {
        let kind = if media_type.ends_with("json") {
            "object"
        } else {
            "string"
        };
        let content = json!({ media_type: { "schema": { "type": kind } } });
        let answer = json!({ "description": about, "content": content });
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// Statuses of faults beyond those that its parameters bring with them.
    pub fn faults(mut self, statuses: &[u16]) -> Self {
        self.faults.extend(statuses);
        self
    }

    /// With `?dryRun=true` it tells what would happen, and changes nothing.
    pub fn rehearses(mut self) -> Self {
        let about =
            "With `true` it is refused for whatever it would be refused for, and changes nothing.";
        let schema = json!({ "type": "boolean", "description": about });
        self.parameters
            .push(json!({ "name": "dryRun", "in": "query", "required": false, "schema": schema }));
        match self.answers.get_mut("200") {
            Some(answer) => {
                let schema = &mut answer["content"]["application/json"]["schema"];
                let data = schema["properties"]["data"].take();
                schema["properties"]["data"] = json!({ "anyOf": [data, named("DryRun")] });
                self
            }
            None => self.gives(200, "It would have been done.", "DryRun"),
        }
    }

    /// More than the summary says; Markdown.
    pub fn about(mut self, text: &str) -> Self {
        self.fields.insert("description".to_owned(), json!(text));
        self
    }

    /// Another operation that takes the same: its answers and what it calls back are to be said anew.
    pub fn renamed(mut self, path: &'static str, id: &str, summary: &str) -> Self {
        self.path = path.into();
        self.fields.insert("operationId".to_owned(), json!(id));
        self.fields.insert("summary".to_owned(), json!(summary));
        self.parameters.clear();
        self.answers.clear();
        self.callbacks.clear();
        self.faults.clear();
        self
    }

    /// A header that is described among the components.
    pub fn header(mut self, name: &str) -> Self {
        self.parameters.push(parameter(name));
        self
    }

    /// A parameter of the query, which may be left out.
    pub fn query(self, name: &str, schema: Value) -> Self {
        self.query_parameter(name, false, schema)
    }

    /// A parameter of the query.
    pub fn query_parameter(mut self, name: &str, is_required: bool, schema: Value) -> Self {
        self.parameters.push(
            json!({ "name": name, "in": "query", "required": is_required, "schema": schema }),
        );
        self
    }

    /// The two parameters of each list.
    pub fn paged(self) -> Self {
        self.header("limit").header("cursor")
    }

    /// A JSON body.
    pub fn body(self, schema: Value) -> Self {
        self.content(true, json!({ "application/json": { "schema": schema } }))
    }

    /// A JSON body that may be left out.
    pub fn optional_body(self, schema: Value) -> Self {
        self.content(false, json!({ "application/json": { "schema": schema } }))
    }

    /// What its JSON body looks like, where no value of the schema alone is one that means something.
    pub fn like(mut self, example: Value) -> Self {
        self.fields["requestBody"]["content"]["application/json"]["example"] = example;
        self
    }

    /// A body in one of several media types.
    pub fn content(mut self, is_required: bool, content: Value) -> Self {
        let body = json!({ "required": is_required, "content": content });
        self.fields.insert("requestBody".to_owned(), body);
        self
    }

    /// A good answer; the schema is that of its `data`.
    pub fn answer(self, status: u16, about: &str, data: &Value) -> Self {
        self.bare_answer(status, about, success(data))
    }

    /// A good answer without the envelope.
    pub fn bare_answer(mut self, status: u16, about: &str, schema: Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        let answer = json!({ "description": about, "content": content });
        self.answers.insert(status.to_string(), answer);
        self
    }

    /// A good answer without a body.
    pub fn empty_answer(mut self, status: u16, about: &str) -> Self {
        self.answers
            .insert(status.to_string(), json!({ "description": about }));
        self
    }

    /// The events that are sent to the address in that field of the body.
    pub fn calls_back(
        mut self,
        field: &str,
        modes: deliveries::Modes,
        types: &[EventType],
    ) -> Self {
        let expression = format!("{{$request.body#/{field}}}");
        for event_type in types {
            let callback =
                json!({ &*expression: { "post": deliveries::operation(*event_type, modes) } });
            self.callbacks.insert(event_type.to_string(), callback);
        }
        self
    }

    /// What a caller needs; what the table does not name is not served.
    fn access(&self) -> Option<Access> {
        let operation = access::find(&self.method.to_uppercase(), &snake_case(&self.path));
        operation.map(|operation| operation.access)
    }

    /// Whether anybody may.
    fn is_open(&self) -> bool {
        matches!(self.access(), Some(Access::Anyone | Access::Provider))
    }

    /// Says what a caller needs, if that is not what most operations need.
    fn say_access(&mut self) {
        let security = match self.access() {
            None | Some(Access::SignedIn | Access::May(_)) => None,
            Some(Access::Anyone | Access::Provider) => Some(json!([])),
            Some(Access::Optional) => Some(json!([{}, { "apiKey": [] }, { "accessToken": [] }])),
            Some(Access::Session) => Some(json!([{ "accessToken": [] }])),
            Some(Access::Operator) => Some(json!([{ "operatorToken": [] }])),
        };
        let security = security.map(|security| ("security".to_owned(), security));
        self.fields.extend(security);
        if let Some(Access::May(permission)) = self.access() {
            let needs = format!("Needs the permission `{permission}`.");
            let about = self.fields.get("description").and_then(Value::as_str);
            let about = about.map_or_else(|| needs.clone(), |about| format!("{about} {needs}"));
            self.fields.insert("description".to_owned(), json!(about));
            self.fields
                .insert("x-permission".to_owned(), json!(permission));
        }
    }

    /// The statuses of all its faults.
    fn all_faults(&self) -> BTreeSet<u16> {
        let has = |place: &str, name: &str| {
            let reference = format!("#/components/parameters/{name}");
            self.parameters.iter().any(|parameter| {
                parameter["$ref"] == reference || parameter["in"] == place && name.is_empty()
            })
        };
        let mut faults = self.faults.clone();
        faults.extend([400, 500, 503, 504]);
        if !self.policies().is_empty() {
            faults.insert(429);
        }
        if !self.is_open() {
            faults.extend([401, 403]);
        }
        if self.path.contains('{') {
            faults.insert(404);
        }
        if self.fields.contains_key("requestBody") {
            faults.extend([408, 413, 415]);
        }
        if has("", "Idempotency-Key") {
            faults.extend([409, 422]);
        }
        if has("", "If-Match") {
            faults.extend([409, 412, 428]);
        }
        faults
    }

    /// The limits that its calls count against, anonymous ones and those with a key or a session.
    fn policies(&self) -> Vec<String> {
        let method = self.method.to_uppercase();
        if self.path.starts_with("/admin/") {
            return Vec::new();
        }
        let Some(kind) = Kind::of(&method, &snake_case(&self.path)) else {
            return Vec::new();
        };
        let rates = RateConfig::default();
        let counts = |calls: Calls| match calls {
            Calls::Every | Calls::Session => !self.is_open(),
            Calls::Anonymous => self.is_open(),
            calls => kind.is_counted_by(calls),
        };
        let policies = rates.policies.into_iter();
        policies
            .filter(|policy| counts(policy.calls))
            .map(|policy| policy.name)
            .collect()
    }

    /// The operation object.
    pub fn render(mut self) -> Value {
        self.say_access();
        let (faults, policies) = (self.all_faults(), self.policies());
        let mut object = self.fields;
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), json!(self.parameters));
        }
        let mut answers = self.answers;
        for status in faults {
            let reference = format!("#/components/responses/Fault{status}");
            answers.insert(status.to_string(), json!({ "$ref": reference }));
        }
        if !policies.is_empty() {
            object.insert("x-rate-limit-policy".to_owned(), json!(policies));
        }
        object.insert("responses".to_owned(), json!(answers));
        if !self.callbacks.is_empty() {
            object.insert("callbacks".to_owned(), json!(self.callbacks));
        }
        Value::Object(object)
    }
}

/// A path as the router writes it: `{package_id}`.
pub fn snake_case(path: &str) -> String {
    let mut inside = false;
    let mut text = String::new();
    for char in path.chars() {
        match char {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        if inside && char.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(if inside {
            char.to_ascii_lowercase()
        } else {
            char
        });
    }
    text
}

fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}
