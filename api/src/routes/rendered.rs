//! Answers that are written once and read by many.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::version::ApiVersion;

/// What a good answer says, written in each version beforehand.
#[derive(Debug)]
pub struct Rendered {
    pub bodies: [Bytes; 3],
    pub etag: HeaderValue,
    /// Where the next page is.
    link: Option<HeaderValue>,
}

impl Rendered {
    /// The answer in each version; its entity tag is the version of the thing, if it has one.
    pub fn new(data: &Value, version: Option<i64>, next: Option<&str>) -> Self {
        let bodies = ApiVersion::ALL.map(|version| {
            let body = version.answer(data.clone());
            Bytes::from(serde_json::to_vec(&body).expect("answers have text keys"))
        });
        let etag = match version {
            Some(version) => format!("\"{version}\""),
            None => format!("\"{}\"", hex::encode(&Sha256::digest(&bodies[0])[..8])),
        };
        Self {
            bodies,
            etag: HeaderValue::from_str(&etag).expect("digits"),
            link: next
                .and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()),
        }
    }

    /// An answer with it; the outermost layer puts in the body that the client wants.
    pub fn respond(this: Arc<Self>, cache_control: &'static str) -> Response {
        let mut response = StatusCode::OK.into_response();
        let headers = response.headers_mut();
        headers.insert(header::ETAG, this.etag.clone());
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static(cache_control),
        );
        if let Some(link) = &this.link {
            headers.append(header::LINK, link.clone());
        }
        response.extensions_mut().insert(this);
        response
    }
}
