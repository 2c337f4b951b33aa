//! Which version a request speaks: found before it is routed, because a path may name it.

use axum::http::Request;

use crate::error::{ApiError, Code};
use crate::negotiation::{Asked, UnknownVersion, negotiate};
use crate::version::ApiVersion;

/// Notes the version and takes it out of the address.
pub fn note_version<B>(mut request: Request<B>) -> Request<B> {
    let (asked, rewritten) = negotiate(request.headers(), request.uri());
    if let Some(uri) = rewritten {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(asked);
    request
}

/// Refuses a version that there is not, and tells the others to the handler.
pub fn check_version<B>(request: &mut Request<B>) -> Result<(), ApiError> {
    let asked = request
        .extensions_mut()
        .remove::<Result<Asked, UnknownVersion>>();
    match asked.unwrap_or(Ok(Asked::default())) {
        Ok(asked) => {
            request.extensions_mut().insert(asked.version);
            Ok(())
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
            Err(error)
        }
    }
}
