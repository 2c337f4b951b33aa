//! What machines and people read of the service itself.

use serde_json::json;

use super::super::operation::Operation;
use super::super::schema::{list, partial, text, word};

const TAG: &str = "system";

pub fn operations() -> Vec<Operation> {
    let operations = [
        get("/health", "health", "The parts that the service stands on").bare_answer(
            200,
            "`healthy`, or `degraded` while Redis or the store is away.",
            partial(&["status"], json!({ "status": word("How it is.", &["healthy", "degraded"]) })),
        ),
        get(
            "/.well-known/jwks.json",
            "get_jwks",
            "The keys that sign receipts, quotes, tokens and webhooks",
        )
        .shows(200, "A key set (RFC 7517).", "application/jwk-set+json"),
        get(
            "/api/ai/openapi.json",
            "get_openapi",
            "This document, as OpenAPI 3.0.3",
        )
        .bare_answer(
            200,
            "The document.",
            partial(&["openapi"], json!({ "openapi": text("The version of OpenAPI.") })),
        ),
        get(
            "/api/ai/openapi-3.1.json",
            "get_openapi_3_1",
            "This document, as OpenAPI 3.1",
        )
        .bare_answer(
            200,
            "The document.",
            partial(&["openapi"], json!({ "openapi": text("The version of OpenAPI.") })),
        ),
        get(
            "/api/ai/tools.json",
            "get_tools",
            "The tools that an agent needs, for language models",
        )
        .asks("format?: word(openai,anthropic,mcp) Whose form; OpenAI's if nothing is said.")
        .bare_answer(
            200,
            "The tools.",
            partial(&["tools"], json!({ "tools": list("In the form that was asked for.", &json!({ "type": "object" })) })),
        ),
        get(
            "/api/ai/docs",
            "show_docs",
            "This document, to be read and tried",
        )
        .shows(200, "A page.", "text/html")
        .empty_answer(303, "To the page."),
        get(
            "/api/ai/docs/{file}",
            "show_docs_file",
            "A file of that page",
        )
        .shows(200, "The file.", "*/*"),
        get("/", "show_home", "The page that leads to the others").shows(
            200,
            "A page.",
            "text/html",
        ),
        get(
            "/llms.txt",
            "get_llms_txt",
            "The service in a page, for language models",
        )
        .shows(200, "Markdown.", "text/markdown"),
        get("/docs/{page}", "show_page", "A page of the documentation").shows(
            200,
            "A page.",
            "text/html",
        ),
        get("/errors/{code}", "show_error_page", "A page about a code").shows(
            200,
            "A page.",
            "text/html",
        ),
    ];
    operations.into()
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("get", path, id, TAG, summary)
}
