//! What people type to sign in, and what their device adds to it.

use std::net::IpAddr;

use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::DeviceToken;
use super::email::normal_email;
use crate::admission::Network;

/// Whom somebody wants to sign in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// An address, in lower case. Several accounts may claim it.
    Email(String),
    /// A name, which one account has.
    Username(String),
}

impl Login {
    /// By an e-mail address.
    pub fn email(text: &str) -> Self {
        Self::Email(normal_email(text).unwrap_or_else(|| text.trim().to_lowercase()))
    }

    /// By a user name.
    pub fn username(text: &str) -> Self {
        Self::Username(text.trim().to_owned())
    }

    /// The address, if it is one.
    pub(super) fn as_email(&self) -> Option<&str> {
        match self {
            Self::Email(email) => Some(email),
            Self::Username(_) => None,
        }
    }

    /// The name, if it is one.
    pub(super) fn as_username(&self) -> Option<&str> {
        match self {
            Self::Email(_) => None,
            Self::Username(name) => Some(name),
        }
    }

    /// What its tries are counted under: nothing that a log or Redis shows.
    pub(super) fn subject(&self) -> String {
        let (kind, text) = match self {
            Self::Email(text) => ("email", text),
            Self::Username(text) => ("username", text),
        };
        let digest = Sha256::digest(format!("{kind}:{text}"));
        hex::encode(&digest[..16])
    }
}

/// A login with its password.
#[derive(Debug)]
pub struct Credentials {
    pub login: Login,
    pub password: SecretString,
}

/// Who signs in from where, as sessions show it.
#[derive(Debug, Clone)]
pub struct Device {
    pub user_agent: String,
    pub address: IpAddr,
    /// Whether caps per address are lifted for it.
    pub is_trusted: bool,
    /// What an earlier sign-in left on it.
    pub token: Option<DeviceToken>,
}

impl Device {
    /// The network that it is in.
    pub fn network(&self) -> Network {
        Network::of(self.address)
    }

    /// What finds its token in the database.
    pub(super) fn digest(&self) -> Option<Vec<u8>> {
        self.token.as_ref().map(DeviceToken::digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_token_has_one_shape_and_hides_itself() {
        let token = DeviceToken::generate();
        assert!(DeviceToken::parse(token.expose()).is_some());
        assert!(!format!("{token:?}").contains(token.expose()));
        for text in ["", "dt_", "dt_12", &token.expose().to_uppercase()] {
            assert!(DeviceToken::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_name_that_looks_like_an_address_is_counted_apart_from_it() {
        let (email, name) = (Login::email(" A@b.c "), Login::username("a@b.c"));
        assert_eq!(email, Login::Email("a@b.c".to_owned()));
        assert_ne!(email.subject(), name.subject());
    }
}
