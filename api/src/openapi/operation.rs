//! One operation of the document: a method of a path, what it takes, answers and calls back.

use common::webhooks::EventType;
use serde_json::{Map, Value, json};

use super::deliveries;
use super::schema::success;

/// An operation; its id is the name of its handler.
#[derive(Debug)]
pub struct Operation {
    pub method: &'static str,
    pub path: &'static str,
    fields: Map<String, Value>,
    parameters: Vec<Value>,
    answers: Map<String, Value>,
    callbacks: Map<String, Value>,
}

impl Operation {
    /// The parameters of the path are read from it; each is described among the components.
    pub fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let names = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
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
            parameters: names.map(parameter).collect(),
            answers: Map::new(),
            callbacks: Map::new(),
        }
    }

    /// More than the summary says; Markdown.
    pub fn about(mut self, text: &str) -> Self {
        self.fields.insert("description".to_owned(), json!(text));
        self
    }

    /// Needs no key.
    pub fn open(mut self) -> Self {
        self.fields.insert("security".to_owned(), json!([]));
        self
    }

    /// A header that is described among the components.
    pub fn header(mut self, name: &str) -> Self {
        self.parameters.push(parameter(name));
        self
    }

    /// A parameter of the query, which may be left out.
    pub fn query(mut self, name: &str, schema: Value) -> Self {
        self.parameters
            .push(json!({ "name": name, "in": "query", "schema": schema }));
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

    /// The operation object.
    pub fn render(self) -> Value {
        let mut object = self.fields;
        if !self.parameters.is_empty() {
            object.insert("parameters".to_owned(), json!(self.parameters));
        }
        let mut answers = self.answers;
        for faults in ["4XX", "5XX"] {
            answers.insert(
                faults.to_owned(),
                json!({ "$ref": "#/components/responses/Fault" }),
            );
        }
        object.insert("responses".to_owned(), json!(answers));
        if !self.callbacks.is_empty() {
            object.insert("callbacks".to_owned(), json!(self.callbacks));
        }
        Value::Object(object)
    }
}

fn parameter(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}
