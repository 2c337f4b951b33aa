//! The versions of the API: which one a request speaks, and the shape of an answer in each.
//!
//! A request names its version by a media type (`Accept: application/vnd.awareness.v2+json`), by a query
//! (`?api_version=v2`) or by its path (`/api/v2/ai/…`), in that order of precedence; without any it
//! speaks v1, the first contract. Handlers know one shape alone; [`ApiVersion::answer`] makes of it:
//!
//! | | ids of purchases | money | good answers | errors |
//! |---|---|---|---|---|
//! | v1 | numbers (the text beside it, as `purchase`) | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v2 | text | `price` and `priceMinor` | in an envelope | in an envelope |
//! | v3 | text | `priceMinor` alone: no floats | the thing itself | RFC 9457 |
//!
//! Fields are only ever added within a version. What a request may say is the same in all of them.

use axum::http::{HeaderMap, Uri, header};
use common::ids::PurchaseId;
use serde_json::{Map, Value, json};

const MEDIA_TYPE: &str = "application/vnd.awareness.";
const QUERY: &str = "api_version";

/// Since when version 1 is deprecated (RFC 9745: Unix seconds), 2026-11-01.
pub const V1_DEPRECATED: &str = "@1793491200";
/// From when on it may be gone (RFC 8594).
pub const V1_SUNSET: &str = "Mon, 01 May 2028 00:00:00 GMT";

/// A version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiVersion {
    V1,
    V2,
    V3,
}

impl ApiVersion {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::V1, Self::V2, Self::V3];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }

    /// Accepts `v2` and `2`.
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        let is_it = |version: &Self| version.as_str().trim_start_matches('v') == digits;
        Self::ALL.into_iter().find(is_it)
    }

    /// The body of a good answer.
    pub fn answer(self, mut data: Value) -> Value {
        self.shape(&mut data);
        match self {
            Self::V1 | Self::V2 => json!({ "success": true, "data": data }),
            Self::V3 => data,
        }
    }

    /// Gives a thing, and whatever is in it, the shape of this version.
    pub fn shape(self, value: &mut Value) {
        match value {
            Value::Object(object) => {
                match self {
                    Self::V1 => number_purchase(object),
                    Self::V2 => {}
                    Self::V3 => drop_decimal_price(object),
                }
                object.values_mut().for_each(|value| self.shape(value));
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.shape(item)),
            _ => {}
        }
    }
}

/// The first contract calls purchases by number.
fn number_purchase(object: &mut Map<String, Value>) {
    let Some(text) = object.get("purchaseId").and_then(Value::as_str) else {
        return;
    };
    if let Some(id) = PurchaseId::parse(text) {
        object.insert("purchaseId".to_owned(), id.number().into());
        object.insert("purchase".to_owned(), id.to_string().into());
    }
}

fn drop_decimal_price(object: &mut Map<String, Value>) {
    if object.contains_key("priceMinor") {
        object.shift_remove("price");
    }
}

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub version: ApiVersion,
    /// By media type: the answer has that type too.
    pub by_media_type: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            version: ApiVersion::V1,
            by_media_type: false,
        }
    }
}

/// A version that there is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(pub String);

/// The version of a request, and its address without what names one.
pub fn negotiate(headers: &HeaderMap, uri: &Uri) -> (Result<Asked, UnknownVersion>, Option<Uri>) {
    let media_type = media_type_version(headers);
    let (query, rest) = query_version(uri.query().unwrap_or_default());
    let (path, plain_path) = path_version(uri.path());
    let by_media_type = media_type.is_some();
    let is_rewritten = query.is_some() || path.is_some();
    let asked = match media_type.or(query).or(path) {
        None => Ok(Asked::default()),
        Some(text) => match ApiVersion::parse(&text) {
            Some(version) => Ok(Asked {
                version,
                by_media_type,
            }),
            None => Err(UnknownVersion(text)),
        },
    };
    if !is_rewritten {
        return (asked, None);
    }
    let target = if rest.is_empty() {
        plain_path
    } else {
        format!("{plain_path}?{rest}")
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = target.parse().ok();
    (asked, Uri::from_parts(parts).ok())
}

/// `v2` of the first `application/vnd.awareness.v2+json` in `Accept`.
fn media_type_version(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::ACCEPT);
    let types = values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(|text| text.split(';').next().unwrap_or_default().trim());
    types
        .filter_map(|text| {
            text.get(..MEDIA_TYPE.len())
                .filter(|start| start.eq_ignore_ascii_case(MEDIA_TYPE))?;
            let name = &text[MEDIA_TYPE.len()..];
            Some(
                name.split('+')
                    .next()
                    .unwrap_or_default()
                    .to_ascii_lowercase(),
            )
        })
        .next()
}

/// The version in a query, and the query without it.
fn query_version(query: &str) -> (Option<String>, String) {
    let (mut version, mut rest) = (None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some((QUERY, value)) => version = version.or(Some(value.to_owned())),
            _ => rest.push(pair),
        }
    }
    (version, rest.join("&"))
}

/// The version in `/api/v2/…`, and the path without it.
fn path_version(path: &str) -> (Option<String>, String) {
    let named = path.strip_prefix("/api/").and_then(|rest| {
        let (first, rest) = rest.split_once('/')?;
        let digits = first.strip_prefix('v')?;
        let is_version = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_version.then(|| (first.to_owned(), format!("/api/{rest}")))
    });
    match named {
        Some((version, path)) => (Some(version), path),
        None => (None, path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str, address: &str) -> (Result<ApiVersion, String>, String) {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        let uri: Uri = address.parse().unwrap();
        let (asked, rewritten) = negotiate(&headers, &uri);
        let address = rewritten.unwrap_or(uri).to_string();
        let version = asked.map(|asked| asked.version);
        (version.map_err(|UnknownVersion(text)| text), address)
    }

    #[test]
    fn the_media_type_wins_over_the_query_and_that_over_the_path() {
        use ApiVersion::{V1, V2, V3};
        let plain = "/api/ai/search-packages";
        let both = "/api/v1/ai/search-packages?api_version=v2&query=a";
        for (accept, address, version, target) in [
            ("", plain, Ok(V1), plain),
            ("application/json", plain, Ok(V1), plain),
            ("application/vnd.awareness.v2+json", plain, Ok(V2), plain),
            (
                "text/html, Application/VND.awareness.V3+json;q=0.5",
                plain,
                Ok(V3),
                plain,
            ),
            ("", both, Ok(V2), "/api/ai/search-packages?query=a"),
            (
                "application/vnd.awareness.v3+json",
                both,
                Ok(V3),
                "/api/ai/search-packages?query=a",
            ),
            ("", "/api/v3/ai/search-packages", Ok(V3), plain),
            ("", "/api/ai/search-packages?api_version=2", Ok(V2), plain),
            ("", "/api/v9/ai/x", Err("v9"), "/api/ai/x"),
            (
                "application/vnd.awareness.v9+json",
                both,
                Err("v9"),
                "/api/ai/search-packages?query=a",
            ),
            ("", "/api/ai/x?api_version=", Err(""), "/api/ai/x"),
            ("", "/api/vector/x", Ok(V1), "/api/vector/x"),
        ] {
            let expected = (version.map_err(str::to_owned), target.to_owned());
            assert_eq!(asked(accept, address), expected, "{accept} {address}");
        }
    }

    #[test]
    fn each_version_has_its_shape() {
        let id = "pur_01935a7e4c1b7d209f3e6a5b8c2d4e08";
        let data = json!({ "purchaseId": id, "list": [{ "price": 9.99, "priceMinor": 999 }] });
        assert_eq!(
            ApiVersion::V1.answer(data.clone()),
            json!({
                "success": true,
                "data": {
                    "purchaseId": 0xe_6a5b_8c2d_4e08_u64,
                    "list": [{ "price": 9.99, "priceMinor": 999 }],
                    "purchase": id,
                },
            })
        );
        let second = json!({ "success": true, "data": data.clone() });
        assert_eq!(ApiVersion::V2.answer(data.clone()), second);
        assert_eq!(
            ApiVersion::V3.answer(data),
            json!({ "purchaseId": id, "list": [{ "priceMinor": 999 }] })
        );
    }
}
