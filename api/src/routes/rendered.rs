//! Answers that are written once and read by many.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use serde_json::Value;

use crate::entity_tag::Tagged;
use crate::version::ApiVersion;

/// What an answer takes in memory beside its bodies.
const OVERHEAD_BYTES: usize = 512;

/// What a good answer says, written in each version beforehand.
#[derive(Debug)]
pub struct Rendered {
    /// Each with its entity tag.
    written: [(Bytes, HeaderValue); 3],
    tagged: Tagged,
    /// Where the next page is.
    link: Option<HeaderValue>,
    is_empty: bool,
}

impl Rendered {
    /// The answer in each version; `version` is that of the thing for `If-Match`, if it has one.
    pub fn new(data: &Value, version: Option<i64>, next: Option<&str>) -> Self {
        let tagged = version.map_or(Tagged::WHOLE, Tagged::at);
        let written = ApiVersion::ALL.map(|version| {
            let body = version.answer(data.clone());
            let body = serde_json::to_vec(&body).expect("answers have text keys");
            let tag = tagged.tag(version, &body);
            (Bytes::from(body), tag)
        });
        Self {
            written,
            tagged,
            link: next
                .and_then(|next| HeaderValue::from_str(&format!("<{next}>; rel=\"next\"")).ok()),
            is_empty: false,
        }
    }

    /// The same answer, which is a list with nothing in it or not.
    pub fn empty(self, is_empty: bool) -> Self {
        Self { is_empty, ..self }
    }

    /// Whether it is a list with nothing in it.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The body and the entity tag in that version.
    pub fn written(&self, version: ApiVersion) -> &(Bytes, HeaderValue) {
        &self.written[version as usize]
    }

    /// What it takes in memory.
    pub fn size_bytes(&self) -> usize {
        let bodies = self.written.iter().map(|(body, _)| body.len());
        OVERHEAD_BYTES + bodies.sum::<usize>()
    }

    /// The same answer for one who asked in other words: `(name, as it is written, as it was typed)` of
    /// fields that repeat the question, each where its name stands first.
    pub fn echoing(this: Arc<Self>, echoes: &[(&str, &str, &str)]) -> Arc<Self> {
        if echoes
            .iter()
            .all(|(_, canonical, typed)| canonical == typed)
        {
            return this;
        }
        let written = ApiVersion::ALL.map(|version| {
            let (body, _) = this.written(version);
            let mut text = String::from_utf8_lossy(body).into_owned();
            for (name, canonical, typed) in echoes {
                text = text.replacen(&field(name, canonical), &field(name, typed), 1);
            }
            let tag = this.tagged.tag(version, text.as_bytes());
            (Bytes::from(text), tag)
        });
        Arc::new(Self {
            written,
            tagged: this.tagged,
            link: this.link.clone(),
            is_empty: this.is_empty,
        })
    }

    /// An answer with it; the outermost layer puts in the body that the client wants, and its tag.
    pub fn respond(this: Arc<Self>, cache_control: &'static str) -> Response {
        let mut response = StatusCode::OK.into_response();
        let headers = response.headers_mut();
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

/// A field with a text, as JSON is written here.
fn field(name: &str, text: &str) -> String {
    format!("\"{name}\":{}", Value::from(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_asked_in_other_words_reads_them_and_has_another_tag() {
        let data = json!({ "query": "gpt-4", "results": [{ "query": "gpt-4" }] });
        let known = Arc::new(Rendered::new(&data, None, None));
        let same = Rendered::echoing(Arc::clone(&known), &[("query", "gpt-4", "gpt-4")]);
        assert!(Arc::ptr_eq(&known, &same));
        let other = Rendered::echoing(Arc::clone(&known), &[("query", "gpt-4", "GPT-4 \"")]);
        for version in ApiVersion::ALL {
            let (body, tag) = other.written(version);
            let expected = json!({ "query": "GPT-4 \"", "results": [{ "query": "gpt-4" }] });
            let expected = serde_json::to_vec(&version.answer(expected)).unwrap();
            assert_eq!(body, &expected);
            assert_eq!(tag, &Tagged::WHOLE.tag(version, &expected));
            assert_ne!(tag, &known.written(version).1);
        }
    }
}
