//! Which version of the API a request speaks, and which form its errors take (RFC 9110 §12.5.1).

use axum::http::{HeaderMap, Uri, header};
use url::form_urlencoded;

use crate::header_list::{Element, elements};
use crate::version::ApiVersion;

const VENDOR: &str = "application/vnd.awareness.";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
const QUERY: &str = "api_version";

/// What a request asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub version: ApiVersion,
    /// By media type: the answer has that type too.
    pub by_media_type: bool,
    /// Errors as RFC 9457 has them.
    pub wants_problems: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            version: ApiVersion::V1,
            by_media_type: false,
            wants_problems: false,
        }
    }
}

/// A version that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(pub String);

/// The version of a request, and its address without what names one. A media type wins over the query,
/// and the query over the path.
pub fn negotiate(headers: &HeaderMap, uri: &Uri) -> (Result<Asked, UnknownVersion>, Option<Uri>) {
    let accepted = elements(headers, &header::ACCEPT);
    let media_type = media_type_version(&accepted);
    let (query, rest) = query_version(uri.query().unwrap_or_default());
    let (path, plain_path) = path_version(uri.path());
    let by_media_type = media_type.is_some();
    let is_rewritten = query.is_some() || path.is_some();
    let asked = match media_type.or(query).or(path) {
        None => Ok(ApiVersion::V1),
        Some(text) => ApiVersion::parse(&text).ok_or(UnknownVersion(text)),
    };
    let asked = asked.map(|version| Asked {
        version,
        by_media_type,
        wants_problems: version >= ApiVersion::V3 || prefers_problems(&accepted),
    });
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

/// `v2` of `application/vnd.awareness.v2+json` in `Accept`: of the versions that exist the one with the
/// most weight, the first of equals; one that does not exist only if no other is named.
fn media_type_version(accepted: &[Element]) -> Option<String> {
    let mut best: Option<(bool, u16, &str)> = None;
    for element in accepted {
        let weight = element.weight();
        let Some(name) = element.name.strip_prefix(VENDOR).filter(|_| weight > 0) else {
            continue;
        };
        let name = name.split('+').next().unwrap_or_default();
        let exists = ApiVersion::parse(name).is_some();
        if best.is_none_or(|(existed, most, _)| (exists, weight) > (existed, most)) {
            best = Some((exists, weight, name));
        }
    }
    best.map(|(_, _, name)| name.to_owned())
}

/// Whether JSON is wanted rather than anything else; a version of ours says nothing about that.
pub fn prefers_json(headers: &HeaderMap) -> bool {
    let accepted = elements(headers, &header::ACCEPT);
    let (json, others): (Vec<&Element>, Vec<&Element>) = accepted
        .iter()
        .filter(|element| !element.name.starts_with(VENDOR))
        .partition(|element| element.name == JSON);
    let most = |elements: &[&Element]| elements.iter().map(|element| element.weight()).max();
    most(&json).unwrap_or(0) > most(&others).unwrap_or(0)
}

/// Whether problems are accepted, and no form of ours is preferred to them.
fn prefers_problems(accepted: &[Element]) -> bool {
    let weight_of = |is_it: &dyn Fn(&str) -> bool| {
        let weights = accepted.iter().filter(|element| is_it(&element.name));
        weights.map(Element::weight).max().unwrap_or(0)
    };
    let problems = weight_of(&|name| name == PROBLEM);
    let ours = weight_of(&|name| name == JSON || name.starts_with(VENDOR));
    problems > 0 && problems >= ours
}

/// The version in a query, and the query without it. One that is given twice stays, and is refused with
/// every other repeated parameter.
fn query_version(query: &str) -> (Option<String>, String) {
    let version_of = |pair: &str| {
        let mut pairs = form_urlencoded::parse(pair.as_bytes());
        pairs
            .next()
            .filter(|(name, _)| name == QUERY)
            .map(|(_, value)| value.into_owned())
    };
    let pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    let mut versions = pairs.iter().filter_map(|pair| version_of(pair));
    match (versions.next(), versions.next()) {
        (Some(version), None) => {
            let rest = pairs.iter().filter(|pair| version_of(pair).is_none());
            (Some(version), rest.copied().collect::<Vec<_>>().join("&"))
        }
        _ => (None, query.to_owned()),
    }
}

/// The version in `/api/v2/…`, and the path without it.
fn path_version(path: &str) -> (Option<String>, String) {
    let named = ["/api/", "/"].into_iter().find_map(|before| {
        let (first, rest) = path.strip_prefix(before)?.split_once('/')?;
        let digits = first.strip_prefix('v')?;
        let is_version = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_version.then(|| (first.to_owned(), format!("{before}{rest}")))
    });
    match named {
        Some((version, path)) => (Some(version), path),
        None => (None, path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(accept: &str, address: &str) -> (Result<Asked, UnknownVersion>, String) {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(header::ACCEPT, accept.parse().unwrap());
        }
        let uri: Uri = address.parse().unwrap();
        let (asked, rewritten) = negotiate(&headers, &uri);
        (asked, rewritten.unwrap_or(uri).to_string())
    }

    fn asked(accept: &str, address: &str) -> (Result<ApiVersion, String>, String) {
        let (asked, address) = read(accept, address);
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
            (
                "",
                "/api/ai/search-packages?api%5Fversion=v%32",
                Ok(V2),
                plain,
            ),
            ("", "/api/v9/ai/x", Err("v9"), "/api/ai/x"),
            (
                "application/vnd.awareness.v9+json",
                both,
                Err("v9"),
                "/api/ai/search-packages?query=a",
            ),
            ("", "/api/ai/x?api_version=", Err(""), "/api/ai/x"),
            (
                "",
                "/api/ai/x?api_version=2&api_version=3",
                Ok(V1),
                "/api/ai/x?api_version=2&api_version=3",
            ),
            ("", "/api/vector/x", Ok(V1), "/api/vector/x"),
        ] {
            let expected = (version.map_err(str::to_owned), target.to_owned());
            assert_eq!(asked(accept, address), expected, "{accept} {address}");
        }
    }

    #[test]
    fn the_most_weight_among_the_versions_that_exist_wins() {
        use ApiVersion::{V1, V2, V3};
        for (versions, expected) in [
            (&[("v3", ";q=0.1"), ("v2", "")][..], Ok(V2)),
            (&[("v2", ";q=0.1"), ("v3", ";q=0.9")], Ok(V3)),
            (&[("v2", ""), ("v3", "")], Ok(V2)),
            (&[("v9", ""), ("v3", ";q=0.1")], Ok(V3)),
            (&[("v3", ";q=0"), ("v2", ";q=0.1")], Ok(V2)),
            (&[("v3", ";q=0")], Ok(V1)),
            (&[("v3", ";Q=0.0")], Ok(V1)),
            (&[("v9", ""), ("v8", ";q=0.5")], Err("v9")),
        ] {
            let types = versions.iter().map(|(version, weight)| {
                format!("application/vnd.awareness.{version}+json{weight}")
            });
            let accept = types.collect::<Vec<_>>().join(", ");
            let found = asked(&accept, "/").0;
            assert_eq!(found, expected.map_err(str::to_owned), "{accept}");
        }
        let quoted = "text/html;note=\"x, application/vnd.awareness.v3+json\"";
        assert_eq!(asked(quoted, "/").0, Ok(V1));
    }

    #[test]
    fn problems_are_negotiated_like_any_other_form() {
        for (accept, expected) in [
            ("application/problem+json", true),
            ("application/json, application/problem+json", true),
            ("application/json, application/problem+json;q=0.5", false),
            ("application/problem+json;q=0", false),
            ("application/vnd.awareness.v3+json", true),
            ("text/html;x=\"application/problem+json\"", false),
            ("application/json", false),
            ("*/*", false),
        ] {
            let asked = read(accept, "/").0.unwrap();
            assert_eq!(asked.wants_problems, expected, "{accept}");
        }
    }
}
