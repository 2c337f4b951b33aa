//! `GET /api/ai/docs`: the OpenAPI document in Swagger UI, all of it from this process, under a strict
//! content security policy.

use std::sync::{Arc, LazyLock};

use axum::extract::OriginalUri;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use utoipa_swagger_ui::Config;

use crate::error::{ApiError, Code};
use crate::extract::Path;

/// Scripts, styles and requests of this origin alone. Swagger UI sets styles on elements, and has its
/// icons in data addresses.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new([
        "/api/v3/ai/openapi-3.1.json",
        "/api/v2/ai/openapi-3.1.json",
        "/api/v1/ai/openapi-3.1.json",
        "/api/v1/ai/openapi.json",
    ]);
    Arc::new(
        config
            .deep_linking(true)
            .display_request_duration(true)
            .filter(true)
            .persist_authorization(false),
    )
});

/// The page. Its files are named from below it, so its address ends with a slash.
pub async fn show_docs(OriginalUri(uri): OriginalUri) -> Result<Response, ApiError> {
    if uri.path().ends_with('/') {
        file("index.html")
    } else {
        Ok(Redirect::to("/api/ai/docs/").into_response())
    }
}

/// A file of the page.
pub async fn show_docs_file(Path(name): Path<String>) -> Result<Response, ApiError> {
    file(&name)
}

fn file(name: &str) -> Result<Response, ApiError> {
    let served = utoipa_swagger_ui::serve(name, Arc::clone(&CONFIG));
    let file = served.map_err(|error| {
        tracing::error!(%error, "A file of the documentation is broken");
        ApiError::new(Code::InternalError, "An internal error occurred.")
    })?;
    let file =
        file.ok_or_else(|| ApiError::new(Code::NotFound, "There is nothing at this path."))?;
    let mut response = (StatusCode::OK, file.bytes.into_owned()).into_response();
    let headers = response.headers_mut();
    if let Ok(content_type) = HeaderValue::from_str(&file.content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    Ok(response)
}
