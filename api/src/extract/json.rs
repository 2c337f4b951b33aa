//! The framework's extractors with our errors: a bad body, path or query is `INVALID_INPUT` with the
//! place of the fault, and never with what stood there.

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::number::with_plain_integers;
use super::rule::{self, Misfit};
use crate::error::{ApiError, Code};

/// A JSON body, in or out.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// Parts of the path.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub struct Path<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(not_json());
        }
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// None for a request without a body, whatever type it says that it would have.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, state).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if !is_json {
            return Err(not_json());
        }
        parse(&bytes).map(|body| Some(Self(body)))
    }
}

/// A JSON body of which the handler wants the bytes too.
pub fn read_json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &[u8]) -> Result<T, ApiError> {
    if is_json(headers) {
        parse(bytes)
    } else {
        Err(not_json())
    }
}

fn not_json() -> ApiError {
    let message = "Send a JSON body as Content-Type: application/json.";
    ApiError::new(Code::UnsupportedMediaType, message)
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
    let bytes = with_plain_integers(bytes);
    let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
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
    let inside = |name: &str| match path {
        "." | "?" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    let (field, fault) = match rule::misfit(&text) {
        Misfit::Missing(name) => (inside(name), "is required".to_owned()),
        // The path of an unknown field may end with its name already.
        Misfit::Unknown(name, known) if path.ends_with(name) => {
            (path.to_owned(), rule::unknown(name, known))
        }
        Misfit::Unknown(name, known) => (inside(name), rule::unknown(name, known)),
        Misfit::Rule(rule) => (path.trim_matches('.').to_owned(), rule),
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
                "must be a text",
            ),
            (
                json!({ "name": "", "inner": { "mostAtOnce": "s3cret" } }),
                "inner.mostAtOnce",
                "must be a whole number from 0 to 255",
            ),
            (
                json!({ "name": "", "inner": { "x": 1 } }),
                "inner.x",
                "is unknown; there is mostAtOnce",
            ),
            (
                json!({ "name": "", "inner": {}, "nmae": 1 }),
                "nmae",
                "is unknown (did you mean name?)",
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
