//! What machines and people read of the service itself.

use super::operation::{Operation, get};
use crate::access::Access::Anyone;
use crate::routes::system;

pub fn operations() -> Vec<Operation> {
    let all = [machines(), pages()].into_iter().flatten();
    all.map(|row| row.tagged("system")).collect()
}

fn machines() -> Vec<Operation> {
    vec![
        get(
            "/health",
            system::health,
            Anyone,
            "Get the health of the service",
        )
        .limited_as(None)
        .always()
        .gives(
            200,
            "`healthy`, or `degraded` while Redis or the store is away.",
        ),
        get(
            "/.well-known/jwks.json",
            system::get_jwks,
            Anyone,
            "Get the keys that sign receipts, quotes, tokens and webhooks",
        )
        .shows(200, "A key set (RFC 7517).", "application/jwk-set+json"),
        get(
            "/api/ai/openapi.json",
            system::get_openapi,
            Anyone,
            "Get this document as OpenAPI 3.0.3",
        )
        .shows(200, "The document.", "application/json"),
        get(
            "/api/ai/openapi-3.1.json",
            system::get_openapi_3_1,
            Anyone,
            "Get this document as OpenAPI 3.1",
        )
        .shows(200, "The document.", "application/json"),
        get(
            "/api/ai/tools.json",
            system::get_tools,
            Anyone,
            "Get the tools for language models",
        )
        .about("The operations that an agent needs.")
        .gives(200, "The tools, in the form that was asked for."),
    ]
}

fn pages() -> Vec<Operation> {
    vec![
        get(
            "/api/ai/docs",
            system::show_docs,
            Anyone,
            "Show this document",
        )
        .shows(200, "A page.", "text/html")
        .empty(303, "A redirect to the page."),
        // The same page: its files are named from below it.
        get(
            "/api/ai/docs/",
            system::show_docs,
            Anyone,
            "Show this document",
        )
        .alias(),
        get(
            "/api/ai/docs/{file}",
            system::show_docs_file,
            Anyone,
            "Get a file of that page",
        )
        .shows(200, "The file.", "text/css")
        .shows(200, "The file.", "text/javascript")
        .shows(200, "The file.", "image/png"),
        get(
            "/",
            system::show_home,
            Anyone,
            "Show the page that leads to the others",
        )
        .shows(200, "A page.", "text/html"),
        get(
            "/llms.txt",
            system::get_llms_txt,
            Anyone,
            "Get the service in a page, for language models",
        )
        .shows(200, "Markdown.", "text/markdown"),
        get(
            "/docs/{page}",
            system::show_page,
            Anyone,
            "Show a page of the documentation",
        )
        .shows(200, "A page.", "text/html"),
        get(
            "/errors/{code}",
            system::show_error_page,
            Anyone,
            "Show a page about a code",
        )
        .shows(200, "A page.", "text/html"),
    ]
}
