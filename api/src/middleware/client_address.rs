//! The address of a client behind proxies of ours, from `X-Forwarded-For` or `Forwarded` (RFC 7239).
//!
//! What stands further left than our proxies' own entries is the client's word and worth nothing, so
//! entries are counted from the right, and a quote that a client leaves open hides none of them.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use common::config::{ProxyHeader, RateConfig};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client's address: the peer's own if there is no proxy, or if the proxy does not say an address.
pub fn client_address(headers: &HeaderMap, peer: Option<IpAddr>, rates: &RateConfig) -> IpAddr {
    let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let forwarded = match rates.proxies {
        0 => None,
        proxies => forwarded(headers, proxies, rates.proxy_header),
    };
    forwarded.unwrap_or(peer).to_canonical()
}

fn forwarded(headers: &HeaderMap, proxies: usize, header: ProxyHeader) -> Option<IpAddr> {
    let is_old = header == ProxyHeader::XForwardedFor && headers.contains_key(X_FORWARDED_FOR);
    if is_old {
        return address(nth_from_right(headers, &X_FORWARDED_FOR, proxies)?);
    }
    let mut pairs = nth_from_right(headers, &header::FORWARDED, proxies)?.split(';');
    pairs.find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let is_for = name.trim().eq_ignore_ascii_case("for");
        is_for.then(|| address(value)).flatten()
    })
}

/// The entry of that number, from the right, over all lines of the header.
fn nth_from_right<'a>(headers: &'a HeaderMap, name: &HeaderName, number: usize) -> Option<&'a str> {
    let lines = headers.get_all(name).iter();
    let entries: Vec<&str> = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .collect();
    entries.len().checked_sub(number).map(|at| entries[at])
}

/// An address with or without quotes, brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(
        lines: &[(&'static str, &str)],
        proxies: usize,
        proxy_header: ProxyHeader,
    ) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        let rates = RateConfig {
            proxies,
            proxy_header,
            ..RateConfig::default()
        };
        let peer = "10.0.0.1".parse().unwrap();
        client_address(&headers, Some(peer), &rates).to_string()
    }

    #[test]
    fn only_what_our_own_proxies_wrote_is_believed() {
        for (text, proxies, expected) in [
            ("6.6.6.6, 1.2.3.4", 0, "10.0.0.1"),
            ("6.6.6.6, 1.2.3.4", 1, "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4", 2, "6.6.6.6"),
            ("1.2.3.4", 2, "10.0.0.1"),
            ("\"6.6.6.6, 1.2.3.4", 1, "1.2.3.4"),
        ] {
            let line = [("x-forwarded-for", text)];
            let found = address_of(&line, proxies, ProxyHeader::XForwardedFor);
            assert_eq!(found, expected, "{text} behind {proxies}");
        }
    }

    #[test]
    fn an_address_is_read_however_proxies_write_it() {
        for (text, expected) in [
            ("nonsense", "10.0.0.1"),
            ("unknown", "10.0.0.1"),
            ("1.2.3.4:80", "1.2.3.4"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("\"2001:db8::1\"", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            let old = [("x-forwarded-for", text)];
            assert_eq!(
                address_of(&old, 1, ProxyHeader::XForwardedFor),
                expected,
                "{text}"
            );
            let standard = format!("for=6.6.6.6, proto=https;For={text};by=x");
            let standard = [("forwarded", standard.as_str())];
            for header in [ProxyHeader::Forwarded, ProxyHeader::XForwardedFor] {
                assert_eq!(address_of(&standard, 1, header), expected, "{standard:?}");
            }
        }
    }

    #[test]
    fn a_client_cannot_choose_the_header_that_is_believed() {
        let both = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=2.2.2.2")];
        assert_eq!(address_of(&both, 1, ProxyHeader::XForwardedFor), "1.1.1.1");
        assert_eq!(address_of(&both, 1, ProxyHeader::Forwarded), "2.2.2.2");
        assert_eq!(
            address_of(&both[..1], 1, ProxyHeader::Forwarded),
            "10.0.0.1"
        );
    }
}
