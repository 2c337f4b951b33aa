//! Which version a request speaks: found before it is routed, because a path may name it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::error::{ApiError, Code};
use crate::version::{ApiVersion, Asked, UnknownVersion, negotiate};

/// Notes the version and takes it out of the address.
pub async fn note_version(mut request: Request, next: Next) -> Response {
    let (asked, rewritten) = negotiate(request.headers(), request.uri());
    if let Some(uri) = rewritten {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(asked);
    next.run(request).await
}

/// Refuses a version that there is not, and tells the others to the handler.
pub async fn check_version(mut request: Request, next: Next) -> Response {
    let asked = request
        .extensions_mut()
        .remove::<Result<Asked, UnknownVersion>>();
    match asked.unwrap_or(Ok(Asked::default())) {
        Ok(asked) => {
            request.extensions_mut().insert(asked.version);
            next.run(request).await
        }
        Err(UnknownVersion(text)) => {
            let supported = ApiVersion::ALL.map(ApiVersion::as_str);
            let text: String = text.chars().take(20).collect();
            let message = format!(
                "There is no version {text} of the API. There are {}.",
                supported.join(", ")
            );
            let mut error = ApiError::new(Code::UnsupportedApiVersion, message);
            error
                .details
                .insert("supported".to_owned(), supported.as_slice().into());
            error.into_response()
        }
    }
}
