//! Which receivers may be spoken to at all: the guard against requests into our own network.
//!
//! Pure. [`check_url`] judges the text of a URL, when it is stored and again before each try;
//! [`Policy::permits`] judges each address that its host resolves to, at the moment of connecting.
//! The operator's allow list is empty by default and there are no built-in exceptions.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use thiserror::Error;
use url::{Host, Url};

use crate::config::WebhookConfig;

/// The longest URL that is stored or requested.
pub const URL_BYTES_MAX: usize = 2048;

/// Ports of https receivers; 80 joins them where http is allowed.
const PORTS: [u16; 2] = [443, 8443];

/// IPv4 that is not globally routable, or is a cloud's doorway to its own services.
const DENIED_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// The only IPv6 that is globally routable. Outside it lie loopback, `fc00::/7`, `fe80::/10`,
/// `fec0::/10`, NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`), IPv4-compatible and multicast addresses.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

/// What inside [`GLOBAL_V6`] is not routable, or carries an IPv4 address that we would not see.
const DENIED_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0, 0], 23), // protocol assignments; 2001::/32 is Teredo
    v6([0x2001, 0x0db8, 0, 0], 32),
    v6([0x2002, 0, 0, 0], 16), // 6to4
    v6([0x3fff, 0, 0, 0], 20),
];

/// Whether an address belongs to the public internet. A mapped address (`::ffff:a.b.c.d`) is the
/// IPv4 address inside it, because that is where the kernel connects to.
pub fn is_globally_routable(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !DENIED_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !DENIED_V6.iter().any(|net| net.contains(&address))
        }
    }
}

/// Networks that the operator opened in spite of the deny list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(Vec<IpNet>);

impl AllowList {
    fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}

impl From<Vec<IpNet>> for AllowList {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }
}

impl From<&WebhookConfig> for Policy {
    fn from(config: &WebhookConfig) -> Self {
        Self {
            allow_http: config.allow_http,
            allow_list: config.allowed_cidrs.clone().into(),
        }
    }
}

/// One entry of the allow list is not a network in CIDR form.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{0}` is not a network such as 10.0.0.0/8")]
pub struct AllowListError(String);

impl FromStr for AllowList {
    type Err = AllowListError;

    /// Reads CIDR networks separated by commas; blank text is the empty list.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let parse = |entry: &str| entry.parse().map_err(|_| AllowListError(entry.to_owned()));
        entries.map(parse).collect::<Result<_, _>>().map(Self)
    }
}

/// The operator's rules for receivers. The default is the strict one.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Also accept `http` and port 80. For development.
    pub allow_http: bool,
    /// Addresses that may be contacted on any port, public or not.
    pub allow_list: AllowList,
}

impl Policy {
    /// Whether a connection to `address` may be opened for a destination with this reach.
    pub fn permits(&self, address: IpAddr, reach: Reach) -> bool {
        self.allow_list.contains(address)
            || (reach == Reach::Internet && is_globally_routable(address))
    }

    fn permits_port(&self, port: u16) -> bool {
        PORTS.contains(&port) || (self.allow_http && port == 80)
    }
}

/// Which addresses a destination may turn out to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Globally routable ones and those of the allow list.
    Internet,
    /// Those of the allow list alone, because the port is not one of a public receiver.
    AllowList,
}

/// A URL that passed [`check_url`].
#[derive(Debug, Clone)]
pub struct Destination {
    /// The parsed URL.
    pub url: Url,
    /// What its host may resolve to.
    pub reach: Reach,
}

/// Why a URL cannot be a receiver. The text may be shown to its owner.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum UrlRefusal {
    /// Longer than [`URL_BYTES_MAX`].
    #[error("the URL is longer than {URL_BYTES_MAX} bytes")]
    TooLong,
    /// Not an absolute URL as everybody reads it.
    #[error("the URL is not a well-formed absolute URL")]
    Malformed,
    /// Not https.
    #[error("the URL must use https")]
    Scheme,
    /// A user name or password.
    #[error("the URL must not contain a user name or password")]
    UserInfo,
    /// A fragment, which would never be sent.
    #[error("the URL must not contain a fragment")]
    Fragment,
    /// A port that is not one of a public receiver.
    #[error("the URL must use port 443 or 8443")]
    Port,
    /// An IP address in decimal, octal, hexadecimal, shortened or mapped form.
    #[error("the URL must spell an IP address in its canonical form")]
    AddressForm,
    /// An address that must not be contacted.
    #[error("the URL points to an address that is not publicly routable")]
    Address,
}

/// Judges the text of a webhook URL. Names are judged again, by address, when they are resolved.
///
/// The text is checked as well as its parsed form, because parsers disagree on the odd spellings.
pub fn check_url(text: &str, policy: &Policy) -> Result<Destination, UrlRefusal> {
    if text.len() > URL_BYTES_MAX {
        return Err(UrlRefusal::TooLong);
    }
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err(UrlRefusal::Malformed);
    }
    let url = Url::parse(text).map_err(|_| UrlRefusal::Malformed)?;
    match url.scheme() {
        "https" => {}
        "http" if policy.allow_http => {}
        _ => return Err(UrlRefusal::Scheme),
    }
    let authority = authority(text, &url).ok_or(UrlRefusal::Malformed)?;
    if authority.contains('@') {
        return Err(UrlRefusal::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlRefusal::Fragment);
    }
    let reach = check_host(authority, &url, policy)?;
    Ok(Destination { url, reach })
}

/// The authority as it is written: between `://` and the first slash, question mark or hash.
fn authority<'a>(text: &'a str, url: &Url) -> Option<&'a str> {
    let rest = text.get(url.scheme().len()..)?.strip_prefix("://")?;
    rest.split(['/', '?', '#'])
        .next()
        .filter(|it| !it.is_empty())
}

fn check_host(authority: &str, url: &Url, policy: &Policy) -> Result<Reach, UrlRefusal> {
    let address = match url.host().ok_or(UrlRefusal::Malformed)? {
        Host::Domain(name) if !is_host_name(name) => return Err(UrlRefusal::Malformed),
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
    };
    let port = url.port_or_known_default().ok_or(UrlRefusal::Malformed)?;
    let usual_port = policy.permits_port(port);
    let Some(address) = address else {
        return match usual_port {
            true => Ok(Reach::Internet),
            false if policy.allow_list == AllowList::default() => Err(UrlRefusal::Port),
            false => Ok(Reach::AllowList),
        };
    };
    let written_as_parsed = url
        .host_str()
        .and_then(|host| authority.strip_prefix(host))
        .is_some_and(|port| port.is_empty() || port.starts_with(':'));
    if !written_as_parsed || address != address.to_canonical() {
        return Err(UrlRefusal::AddressForm);
    }
    if policy.permits(address, Reach::AllowList) {
        return Ok(Reach::AllowList);
    }
    match (is_globally_routable(address), usual_port) {
        (true, true) => Ok(Reach::Internet),
        (true, false) => Err(UrlRefusal::Port),
        (false, _) => Err(UrlRefusal::Address),
    }
}

/// The characters of real host names; the URL parser lets through some that no request can carry.
fn is_host_name(name: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.bytes().all(is_usual)
}

const fn v4(octets: [u8; 4], prefix_length: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix_length)
}

const fn v6(first_groups: [u16; 4], prefix_length: u8) -> Ipv6Net {
    let [a, b, c, d] = first_groups;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix_length)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
