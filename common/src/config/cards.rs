//! The card provider's section of the configuration.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use super::Env;
use crate::limits::{CARD_CONNECT, CARD_REQUEST};

/// The card provider: Stripe, or what speaks its protocol.
#[derive(Debug, Clone)]
pub struct CardConfig {
    /// Absent: cards are off.
    pub account: Option<CardAccount>,
    pub base_url: Url,
    /// Until a connection is there; not from the environment, tests shorten it.
    pub connect_timeout: Duration,
    /// A whole request, connecting included; likewise.
    pub request_timeout: Duration,
}

/// Our account at the card provider.
#[derive(Debug, Clone)]
pub struct CardAccount {
    pub secret_key: SecretString,
    /// What the provider signs its webhooks with.
    pub webhook_secret: SecretString,
}

impl Default for CardConfig {
    /// Cards are off.
    fn default() -> Self {
        Self {
            account: None,
            base_url: Url::parse("https://api.stripe.com").expect("a constant address"),
            connect_timeout: CARD_CONNECT,
            request_timeout: CARD_REQUEST,
        }
    }
}

impl CardConfig {
    pub fn from_env(env: &mut Env) -> Option<Self> {
        let secret_key: Option<String> = env.optional("STRIPE_SECRET_KEY");
        let webhook_secret: Option<String> = env.optional("STRIPE_WEBHOOK_SECRET");
        let off = Self::default();
        let base_url = env.or("STRIPE_BASE_URL", off.base_url.clone());
        if !is_secret_there(&base_url) {
            env.fault(
                "STRIPE_BASE_URL",
                "must begin with https://, or name a loopback address",
            );
        }
        let account = match (secret_key, webhook_secret) {
            (Some(secret_key), Some(webhook_secret)) => Some(CardAccount {
                secret_key: secret_key.into(),
                webhook_secret: webhook_secret.into(),
            }),
            (Some(_), None) => {
                env.fault(
                    "STRIPE_WEBHOOK_SECRET",
                    "is required beside STRIPE_SECRET_KEY",
                );
                None
            }
            (None, _) => None,
        };
        Some(Self {
            account,
            base_url,
            ..off
        })
    }
}

/// Whether a secret may be sent to the address: nobody can listen on the way.
pub(super) fn is_secret_there(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the section says of these variables.
    fn cards(variables: &'static [(&str, &str)]) -> Result<CardConfig, String> {
        let mut env = Env::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let config = CardConfig::from_env(&mut env);
        env.finish(config).map_err(|error| error.to_string())
    }

    #[test]
    fn cards_are_off_until_a_key_is_given() {
        let off = cards(&[("STRIPE_WEBHOOK_SECRET", "whsec_1")]).expect("no fault");
        assert!(off.account.is_none());
        assert_eq!(off.base_url.as_str(), "https://api.stripe.com/");
    }

    #[test]
    fn a_key_without_the_secret_of_its_webhooks_is_a_fault() {
        let error = cards(&[("STRIPE_SECRET_KEY", "sk_1")]).expect_err("a fault");
        assert!(
            error.contains("STRIPE_WEBHOOK_SECRET is required"),
            "{error}"
        );
    }

    #[test]
    fn a_key_travels_in_the_clear_to_loopback_alone() {
        for good in [
            &[("STRIPE_BASE_URL", "https://cards.example")],
            &[("STRIPE_BASE_URL", "http://127.0.0.1:12111")],
            &[("STRIPE_BASE_URL", "http://[::1]:12111")],
            &[("STRIPE_BASE_URL", "http://localhost:12111")],
        ] {
            assert!(cards(good).is_ok(), "{good:?}");
        }
        for bad in [
            &[("STRIPE_BASE_URL", "http://cards.example")],
            &[("STRIPE_BASE_URL", "http://10.0.0.1")],
            &[("STRIPE_BASE_URL", "http://127.0.0.1.example")],
            &[("STRIPE_BASE_URL", "ftp://127.0.0.1")],
            &[("STRIPE_BASE_URL", "api.stripe.com")],
        ] {
            let error = cards(bad).expect_err("a fault");
            assert!(error.contains("STRIPE_BASE_URL"), "{bad:?}: {error}");
        }
    }
}
