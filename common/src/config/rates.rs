//! How many requests who may make: the policies, who is exempt, and whose address counts.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::Env;

/// The policies of the seed and ours, as an operator would write them.
const DEFAULTS: [&str; 9] = [
    "global=100/60/ip/anonymous",
    "upload=10/3600/user/upload",
    "validate=60/3600/user/validate",
    "purchase=50/3600/user/purchase",
    "browse=200/60/user/session",
    "agent=500/60/key/every",
    // However many keys and sessions an account has: twice what one key may.
    "account=1000/60/user/every",
    "sign-in=10/60/ip/sign-in",
    "register=10/3600/ip/register",
];

/// The section of rate limits.
#[derive(Debug, Clone)]
pub struct RateConfig {
    pub policies: Vec<RatePolicy>,
    /// These addresses are not limited.
    pub trusted: Vec<IpNet>,
    /// How many proxies of ours a request passes: so many entries of the proxies' header, counted from
    /// the right, are believed.
    pub proxies: usize,
    pub proxy_header: ProxyHeader,
}

/// The header in which our proxies write where a request comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`; `Forwarded` where a request has no such header.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239) alone: the other one may be the client's own.
    Forwarded,
}

impl FromStr for ProxyHeader {
    type Err = ProxyHeaderError;

    fn from_str(text: &str) -> Result<Self, ProxyHeaderError> {
        match text {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(ProxyHeaderError),
        }
    }
}

/// Why a text is no such header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be x-forwarded-for or forwarded")]
pub struct ProxyHeaderError;

impl Default for RateConfig {
    fn default() -> Self {
        let parsed = DEFAULTS.map(|text| text.parse().expect("a sound default"));
        Self {
            policies: parsed.into(),
            trusted: Vec::new(),
            proxies: 0,
            proxy_header: ProxyHeader::default(),
        }
    }
}

impl RateConfig {
    /// Whether requests from there are not limited.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|net| net.contains(&address))
    }

    pub fn from_env(env: &mut Env) -> Self {
        let mut config = Self::default();
        let changes: Vec<Change> = env.list("RATE_LIMITS");
        for Change { name, policy } in changes {
            config.policies.retain(|known| known.name != name);
            config.policies.extend(policy);
        }
        config.trusted = env
            .list::<Network>("TRUSTED_IPS")
            .into_iter()
            .map(|it| it.0)
            .collect();
        config.proxies = env.or("TRUSTED_PROXIES", 0);
        config.proxy_header = env.or("TRUSTED_PROXY_HEADER", ProxyHeader::default());
        config
    }
}

/// One limit: so many requests of one subject within any window of that length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RatePolicy {
    pub name: String,
    pub quota: u64,
    pub window_seconds: u64,
    pub per: Per,
    pub calls: Calls,
}

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Ip,
    User,
    Key,
}

/// Which requests are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    Every,
    /// Without a valid key or token.
    Anonymous,
    /// With an access token.
    Session,
    Browse,
    Upload,
    Validate,
    Purchase,
    SignIn,
    Register,
}

/// Why a text is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must read name=quota/seconds/per/calls or name=off, with per one of ip, user, key and calls one of every, \
     anonymous, session, browse, upload, validate, purchase, sign-in, register"
)]
pub struct PolicyError;

impl FromStr for RatePolicy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (name, rest) = text.split_once('=').ok_or(PolicyError)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let [quota, seconds, per, calls] = parts[..] else {
            return Err(PolicyError);
        };
        let number = |text: &str, most: u64| {
            let number = text.parse().map_err(|_| PolicyError)?;
            if (1..=most).contains(&number) {
                Ok(number)
            } else {
                Err(PolicyError)
            }
        };
        let is_name = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !is_name {
            return Err(PolicyError);
        }
        Ok(Self {
            name: name.to_owned(),
            quota: number(quota, 100_000)?,
            window_seconds: number(seconds, 7 * 86_400)?,
            per: match per {
                "ip" => Per::Ip,
                "user" => Per::User,
                "key" => Per::Key,
                _ => return Err(PolicyError),
            },
            calls: match calls {
                "every" => Calls::Every,
                "anonymous" => Calls::Anonymous,
                "session" => Calls::Session,
                "browse" => Calls::Browse,
                "upload" => Calls::Upload,
                "validate" => Calls::Validate,
                "purchase" => Calls::Purchase,
                "sign-in" => Calls::SignIn,
                "register" => Calls::Register,
                _ => return Err(PolicyError),
            },
        })
    }
}

impl RatePolicy {
    /// Its window in words: `1 minute`.
    pub fn window(&self) -> String {
        let (count, unit) = match self.window_seconds {
            seconds if seconds % 86_400 == 0 => (seconds / 86_400, "day"),
            seconds if seconds % 3600 == 0 => (seconds / 3600, "hour"),
            seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
            seconds => (seconds, "second"),
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {unit}{plural}")
    }
}

/// A policy that is added, replaced or, by `off`, taken away.
struct Change {
    name: String,
    policy: Option<RatePolicy>,
}

impl FromStr for Change {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        if let Some(name) = text.strip_suffix("=off") {
            return Ok(Self {
                name: name.to_owned(),
                policy: None,
            });
        }
        let policy: RatePolicy = text.parse()?;
        Ok(Self {
            name: policy.name.clone(),
            policy: Some(policy),
        })
    }
}

/// An address or a network.
struct Network(IpNet);

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let address = text.parse::<std::net::IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse());
        network.map(Self).map_err(|_| NetworkError)
    }
}

struct NetworkError;

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be an IP address or a network such as 10.0.0.0/8")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(variables: &'static [(&str, &str)]) -> Result<RateConfig, String> {
        let mut env = Env::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let config = RateConfig::from_env(&mut env);
        env.finish(Some(config)).map_err(|error| error.to_string())
    }

    #[test]
    fn an_operator_adds_changes_and_takes_away_policies() {
        let variables = &[
            (
                "RATE_LIMITS",
                "agent=9/1/key/every, browse=off, burst=20/1/ip/every",
            ),
            ("TRUSTED_IPS", "1.2.3.4,5.6.0.0/16"),
        ];
        let config = rates(variables).unwrap();
        let names: Vec<&str> = config.policies.iter().map(|it| it.name.as_str()).collect();
        let expected = [
            "global", "upload", "validate", "purchase", "account", "sign-in", "register", "agent",
            "burst",
        ];
        assert_eq!(names, expected);
        assert_eq!(config.policies[7].quota, 9);
        assert!(config.trusted[0].contains(&"1.2.3.4".parse::<std::net::IpAddr>().unwrap()));
        assert_eq!(config.trusted.len(), 2);
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_a_fault() {
        for text in [
            "agent",
            "agent=0/1/key/every",
            "agent=1/1/all/every",
            "A=1/1/ip/every",
            "=off2",
        ] {
            assert!(text.parse::<Change>().is_err(), "{text}");
        }
        assert!(rates(&[("TRUSTED_IPS", "here")]).is_err());
    }

    #[test]
    fn windows_are_told_in_words() {
        let window = |seconds: u64| {
            let text = format!("x=1/{seconds}/ip/every");
            text.parse::<RatePolicy>().unwrap().window()
        };
        assert_eq!(window(3600), "1 hour");
        assert_eq!(window(60), "1 minute");
        assert_eq!(window(90), "90 seconds");
        assert_eq!(window(172_800), "2 days");
    }
}
