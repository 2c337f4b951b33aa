//! Answers in gzip to clients that accept it, if they are worth it. What is written differently has another
//! strong entity tag (RFC 9110 §8.8.3.3), so a compressed one ends in `-gzip`.

use axum::body::HttpBody;
use axum::http::{Response, header};
use common::limits::COMPRESSED_BYTES_MIN;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use crate::entity_tag::compressed_tag;

/// The layer. Event streams are sent as they are: each event is to arrive when it happens.
pub fn compress() -> CompressionLayer<impl tower_http::compression::Predicate> {
    let is_worth_it = SizeAbove::new(COMPRESSED_BYTES_MIN)
        .and(NotForContentType::SSE)
        .and(NotForContentType::IMAGES);
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(is_worth_it)
}

/// Notes in its entity tag that an answer is compressed.
pub fn tag_compressed<B: HttpBody>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return response;
    }
    let compressed = headers.get(header::ETAG).and_then(compressed_tag);
    if let Some(tag) = compressed {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_compressed_answer_has_a_tag_of_its_own() {
        for (encoding, tag) in [(None, "\"3-a\""), (Some("gzip"), "\"3-a-gzip\"")] {
            let mut response = Response::new(axum::body::Body::empty());
            let headers = response.headers_mut();
            headers.insert(header::ETAG, HeaderValue::from_static("\"3-a\""));
            if let Some(encoding) = encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            assert_eq!(tag_compressed(response).headers()[header::ETAG], tag);
        }
    }
}
