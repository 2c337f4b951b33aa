//! `GET /api/ai/tools.json`: the few operations that an agent needs, in the forms that language models
//! take. Their parameters are those of the OpenAPI document.

use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::ApiError;
use crate::extract::Query;
use crate::openapi;

/// A tool: an operation under a name that a model understands.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub about: &'static str,
}

const fn tool(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    about: &'static str,
) -> Tool {
    Tool {
        name,
        method,
        path,
        about,
    }
}

/// All of them.
pub const TOOLS: [Tool; 10] = [
    tool(
        "search_capabilities",
        "GET",
        "/api/ai/search-packages",
        "Search for packages by words and model names.",
    ),
    tool(
        "find_best_matrix",
        "GET",
        "/api/ai/packages/best-matrix",
        "Find the best map from one model's latent space to another's.",
    ),
    tool(
        "get_package",
        "GET",
        "/api/ai/packages/{packageId}",
        "Look at one package.",
    ),
    tool(
        "quote_purchase",
        "POST",
        "/api/ai/quotes",
        "Get a price that holds for ten minutes.",
    ),
    tool(
        "purchase_package",
        "POST",
        "/api/ai/purchase-package",
        "Buy a package. Quote it first, and pass the quote's id.",
    ),
    tool(
        "get_download",
        "GET",
        "/api/ai/download-package",
        "Get addresses of the bytes of a package that was bought.",
    ),
    tool(
        "create_upload",
        "POST",
        "/api/ai/uploads",
        "Begin to upload a package: answers where to put its bytes. Put them there, then commit.",
    ),
    tool(
        "commit_upload",
        "POST",
        "/api/ai/uploads/{uploadId}/commit",
        "Hand in an upload whose bytes are in place: it is validated next.",
    ),
    tool(
        "get_upload_status",
        "GET",
        "/api/ai/package-status/{uploadId}",
        "See how far an upload is.",
    ),
    tool(
        "get_me",
        "GET",
        "/api/ai/me",
        "See what this key may do and spend.",
    ),
];

/// Whose form.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    #[default]
    OpenAi,
    Anthropic,
    Mcp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsQuery {
    format: Form,
}

/// The tools in one form.
pub async fn get_tools(Query(query): Query<ToolsQuery>) -> Result<Json<Value>, ApiError> {
    let tools: Vec<Value> = TOOLS
        .iter()
        .map(|tool| shaped(tool, query.format))
        .collect();
    Ok(Json(json!({ "tools": tools })))
}

fn shaped(tool: &Tool, form: Form) -> Value {
    let schema = openapi::input_schema(tool.method, tool.path);
    let call = json!({ "method": tool.method, "path": tool.path });
    match form {
        Form::OpenAi => json!({
            "type": "function",
            "function": { "name": tool.name, "description": tool.about, "parameters": schema },
            "x-http": call,
        }),
        Form::Anthropic => json!({
            "name": tool.name, "description": tool.about, "input_schema": schema, "x-http": call,
        }),
        Form::Mcp => json!({
            "name": tool.name,
            "description": tool.about,
            "inputSchema": schema,
            "annotations": { "readOnlyHint": tool.method == "GET", "destructiveHint": false, "idempotentHint": true },
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
