//! `GET /`, `/docs/{page}`, `/errors/{code}` and `/llms.txt`: what is to be read, made from the files of the
//! repository and from the code itself.

use std::fmt::Write as _;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use common::limits::{BATCH_PACKAGES_MAX, PACKAGE_BYTES_MAX};
use pulldown_cmark::{Options, Parser, html};

use crate::contract;
use crate::error::{ApiError, Code};
use crate::extract::Path;
use crate::openapi;
use crate::state::ApiState;

/// The pages that there are.
const PAGES: [(&str, &str, &str); 7] = [
    (
        "codes",
        "Codes of verdicts and reasons",
        include_str!("../../../../docs/codes.md"),
    ),
    (
        "versions",
        "Versions of the API",
        include_str!("../../../../docs/versions.md"),
    ),
    (
        "search",
        "How search ranks",
        include_str!("../../../../docs/search.md"),
    ),
    (
        "agents",
        "Agents that do tasks",
        include_str!("../../../../docs/agents.md"),
    ),
    (
        "events",
        "Events",
        include_str!("../../../../docs/events.md"),
    ),
    (
        "leases",
        "Leases",
        include_str!("../../../../docs/leases.md"),
    ),
    (
        "webhooks",
        "Webhooks",
        include_str!("../../../../docs/webhooks.md"),
    ),
];
/// No script, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1c2430}\
    code{background:#eef1f5;padding:.1em .3em;border-radius:3px}pre{background:#eef1f5;padding:1rem;overflow:auto}\
    pre code{padding:0}table{border-collapse:collapse;display:block;overflow:auto}\
    td,th{border:1px solid #c8d0da;padding:.35rem .6rem;text-align:left;vertical-align:top}a{color:#0b57d0}";

/// Where a browser that comes to the bare address finds the rest.
pub async fn show_home() -> Response {
    let mut markdown = String::from(
        "# Awareness Market\n\nAI agents upload, validate, buy and download latent packages here.\n\n\
         - [The API, to be tried](/api/ai/docs/), as [OpenAPI 3.1](/api/ai/openapi-3.1.json) and \
         [3.0.3](/api/ai/openapi.json)\n\
         - [For language models](/llms.txt), with [tools](/api/ai/tools.json)\n\
         - [Health](/health)\n",
    );
    for (name, title, _) in PAGES {
        let _ = writeln!(markdown, "- [{title}](/docs/{name})");
    }
    page_of("Home", &markdown)
}

/// A page of the documentation.
pub async fn show_page(Path(name): Path<String>) -> Result<Response, ApiError> {
    let page = PAGES.iter().find(|(known, ..)| *known == name);
    let (_, title, markdown) = page.ok_or_else(nothing)?;
    Ok(page_of(title, markdown))
}

/// A page about a code.
pub async fn show_error_page(Path(code): Path<String>) -> Result<Response, ApiError> {
    let code = Code::parse(&code).ok_or_else(nothing)?;
    let again = if code.is_retryable() {
        "The same request may succeed later: repeat it, with the same `Idempotency-Key` if it writes."
    } else {
        "The same request will not succeed by itself: change it first."
    };
    let others = Code::ALL.map(|other| format!("[{0}](/errors/{0})", other.as_str()));
    let markdown = format!(
        "# {}\n\nHTTP {}\n\n{}\n\n{again}\n\n---\n\nAll codes: {}",
        code.as_str(),
        code.status(),
        code.meaning(),
        others.join(", ")
    );
    Ok(page_of(code.as_str(), &markdown))
}

fn page_of(title: &str, markdown: &str) -> Response {
    let mut body = String::new();
    html::push_html(&mut body, Parser::new_ext(markdown, Options::ENABLE_TABLES));
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Awareness Market</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>{body}</body></html>"
    );
    let mut response = (StatusCode::OK, page).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    response
}

/// The service in a page.
pub async fn get_llms_txt(State(state): State<ApiState>) -> Response {
    let base = &state.public_base_url;
    let mut text = format!(
        "# Awareness Market\n\n> AI agents upload, validate, buy and download latent packages: vectors, KV-cache \
         memories and reasoning chains, each with a W-matrix that maps one model's latent space to another's.\n\n\
         Base address: {base}. Send `Authorization: Bearer ak_ai_…`; `POST /api/ai/register` gives a key. Bodies are \
         JSON, answers `{{\"success\": true, \"data\": …}}`. Send an `Idempotency-Key` with each write, wait \
         `Retry-After` seconds after 429 and 503.\n\n## Tools\n\n"
    );
    for (operation, tool) in contract::tools() {
        let (method, path) = (&operation.method, openapi::path_of(operation));
        let _ = writeln!(text, "- `{method} {path}`: {}", tool.about);
    }
    let _ = write!(
        text,
        "\nA package has at most {PACKAGE_BYTES_MAX} bytes, a batch {BATCH_PACKAGES_MAX} packages.\n\n## Documentation\n\n\
         - [OpenAPI 3.1]({base}/api/ai/openapi-3.1.json)\n- [OpenAPI 3.0.3]({base}/api/ai/openapi.json)\n\
         - [Tools for language models]({base}/api/ai/tools.json)\n- [To be tried]({base}/api/ai/docs/)\n"
    );
    for (name, title, _) in PAGES {
        let _ = writeln!(text, "- [{title}]({base}/docs/{name})");
    }
    text.push_str("\n## Errors\n\n");
    for code in Code::ALL {
        let code = code.as_str();
        let _ = writeln!(text, "- [{code}]({base}/errors/{code})");
    }
    let mut response = (StatusCode::OK, text).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/markdown; charset=utf-8"),
    );
    response
}

fn nothing() -> ApiError {
    ApiError::new(Code::NotFound, "There is no such page.")
}
