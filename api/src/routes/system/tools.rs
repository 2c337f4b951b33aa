//! `GET /api/ai/tools.json`: the few operations that an agent needs, in the forms that language models
//! take. Their parameters are those of the OpenAPI document.

use axum::http::Method;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::contract::{self, Bare, Operation, Tool};
use crate::extract::Query;
use crate::openapi;

/// The form of a tool.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ToolForm")]
enum Form {
    #[default]
    OpenAi,
    Anthropic,
    Mcp,
}

/// In which form.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsQuery {
    /// Whose form.
    format: Form,
}

/// The tools for language models.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ToolList {
    /// Each in the form that was asked for.
    #[schemars(with = "Vec<Map<String, Value>>")]
    tools: Vec<Value>,
}

/// The tools in one form.
pub async fn get_tools(Query(query): Query<ToolsQuery>) -> Bare<ToolList> {
    let tools = contract::tools();
    let tools = tools.map(|(operation, tool)| shaped(operation, tool, query.format));
    Bare(ToolList {
        tools: tools.collect(),
    })
}

fn shaped(operation: &Operation, tool: Tool, form: Form) -> Value {
    let Tool { name, about } = tool;
    let schema = openapi::input_schema(operation);
    let call = json!({ "method": operation.method.as_str(), "path": openapi::path_of(operation) });
    match form {
        Form::OpenAi => json!({
            "type": "function",
            "function": { "name": name, "description": about, "parameters": schema },
            "x-http": call,
        }),
        Form::Anthropic => json!({
            "name": name, "description": about, "input_schema": schema, "x-http": call,
        }),
        Form::Mcp => json!({
            "name": name,
            "description": about,
            "inputSchema": schema,
            "annotations": {
                "readOnlyHint": operation.method == Method::GET,
                "destructiveHint": false,
                "idempotentHint": true,
            },
            "_meta": { "http": call },
        }),
    }
}

/// The parameters of an operation and the fields of its body, as one object.
pub fn merged(parameters: &[Value], body: Option<&Value>) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in parameters.iter().filter(|it| it["in"] != "header") {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if parameter["required"] == true {
            required.push(json!(name));
        }
        properties.insert(name, parameter["schema"].clone());
    }
    if let Some(body) = body {
        let fields = body["properties"].as_object().into_iter().flatten();
        properties.extend(fields.map(|(name, schema)| (name.clone(), schema.clone())));
        required.extend(body["required"].as_array().into_iter().flatten().cloned());
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}
