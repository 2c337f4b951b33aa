//! The framework's extractors with our errors: a bad body, path or query is `INVALID_INPUT` with the
//! place of the fault, and never with what stood there.

use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use crate::error::{ApiError, Code};

/// A JSON body, in or out.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// Parts of the path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

/// The query string.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(ApiError))]
pub struct Query<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            let message = "Send a JSON body as Content-Type: application/json.";
            return Err(ApiError::new(Code::UnsupportedMediaType, message));
        }
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// None for a request without a body.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            let bytes = Bytes::from_request(request, state).await?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let message = "Send a JSON body as Content-Type: application/json.";
            return Err(ApiError::new(Code::UnsupportedMediaType, message));
        }
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

/// Whether the body is JSON: `application/json`, or one of its kinds.
pub fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = text.split(';').next().unwrap_or_default().trim();
    let media_type = media_type.to_ascii_lowercase();
    media_type == "application/json"
        || (media_type.starts_with("application/") && media_type.ends_with("+json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if let Some(field) = field_with_nul(bytes) {
        let fault = "must have no NUL characters";
        let error = ApiError::new(Code::InvalidInput, format!("{field} {fault}."));
        return Err(error.field(&field, fault));
    }
    // A list would be read as the fields in their order.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(byte) if *byte != b'{')
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
    {
        let message = "The body must be a JSON object.";
        return Err(ApiError::new(Code::InvalidInput, message));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let value = parsed.map_err(|error| {
        let path = error.path().to_string();
        misfit(&path, error.inner())
    })?;
    deserializer.end().map_err(|error| misfit(".", &error))?;
    Ok(value)
}

/// The field, outermost, in which there is a NUL character: PostgreSQL takes none, in no text.
fn field_with_nul(bytes: &[u8]) -> Option<String> {
    fn has_nul(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(values) => values.iter().any(has_nul),
            Value::Object(fields) => fields
                .iter()
                .any(|(name, value)| name.contains('\0') || has_nul(value)),
            _ => false,
        }
    }
    memchr::memmem::find(bytes, br"\u0000")?;
    let fields: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    let (name, _) = fields
        .iter()
        .find(|(name, value)| name.contains('\0') || has_nul(value))?;
    Some(name.replace('\0', "\u{fffd}"))
}

/// What does not fit where. Values are left out: one may be a password.
fn misfit(path: &str, error: &serde_json::Error) -> ApiError {
    let text = error.to_string();
    let (line, column) = (error.line(), error.column());
    if !error.is_data() {
        let message = format!("The body is no JSON, at line {line}, column {column}.");
        return ApiError::new(Code::InvalidInput, message);
    }
    let named = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    let inside = |name: &str| match path {
        "." | "?" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let (field, fault) = if text.starts_with("missing field") {
        (inside(&named(&text)), "is required".to_owned())
    } else if text.starts_with("unknown field") {
        let name = named(&text);
        // The path of an unknown field may end with its name already.
        let field = if path.ends_with(name.as_str()) {
            path.to_owned()
        } else {
            inside(&name)
        };
        (field, "is not known here".to_owned())
    } else {
        let expected = text
            .rsplit_once("expected ")
            .map(|(_, rest)| rest.split(" at line ").next().unwrap_or(rest));
        let fault = match expected {
            Some(expected) => format!("must be {expected}"),
            None => "does not fit".to_owned(),
        };
        (path.trim_matches('.').to_owned(), fault)
    };
    let place = if field.is_empty() { "The body" } else { &field };
    let error = ApiError::new(Code::InvalidInput, format!("{place} {fault}."));
    if field.is_empty() {
        error
    } else {
        error.field(&field, fault)
    }
}

impl From<BytesRejection> for ApiError {
    fn from(rejection: BytesRejection) -> Self {
        let code = match rejection.status().as_u16() {
            413 => Code::PayloadTooLarge,
            _ => Code::InvalidInput,
        };
        Self::new(code, rejection.body_text())
    }
}

impl From<PathRejection> for ApiError {
    fn from(rejection: PathRejection) -> Self {
        Self::new(Code::InvalidInput, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(Code::InvalidInput, rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        name: String,
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        most_at_once: Option<u8>,
    }

    #[test]
    fn nul_is_refused_wherever_it_stands() {
        for body in [
            r#"{"a": "x\u0000"}"#,
            r#"{"a": [{"b": "\u0000"}]}"#,
            r#"{"a": {"\u0000": 1}}"#,
        ] {
            let error = parse::<Value>(body.as_bytes()).unwrap_err();
            assert_eq!(error.details["a"], "must have no NUL characters", "{body}");
        }
        assert!(
            parse::<Value>(br#"{"a": "\\u0000"}"#).is_ok(),
            "six letters"
        );
    }

    #[test]
    fn a_fault_is_named_by_its_path_and_its_value_is_not_repeated() {
        for (body, field, fault) in [
            (json!({ "inner": {} }), "name", "is required"),
            (
                json!({ "name": 4711, "inner": {} }),
                "name",
                "must be a string",
            ),
            (
                json!({ "name": "", "inner": { "mostAtOnce": "s3cret" } }),
                "inner.mostAtOnce",
                "must be u8",
            ),
            (
                json!({ "name": "", "inner": { "x": 1 } }),
                "inner.x",
                "is not known here",
            ),
            (
                json!({ "name": "", "inner": {}, "y": 1 }),
                "y",
                "is not known here",
            ),
        ] {
            let error = parse::<Outer>(body.to_string().as_bytes()).unwrap_err();
            assert_eq!(error.details[field], fault, "{body}: {error:?}");
            assert_eq!(error.message, format!("{field} {fault}."));
        }
        for body in ["{", "", "{} {}", "\u{0}"] {
            let error = parse::<serde_json::Value>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code, Code::InvalidInput, "{body}");
        }
    }
}
