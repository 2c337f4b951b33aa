//! Passwords: argon2id with the parameters that OWASP recommends (19 MiB, two passes, one lane).

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::{PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rand::Rng as _;
use secrecy::{ExposeSecret as _, SecretString};
use unicode_normalization::UnicodeNormalization as _;

use super::{AccountError, Device};
use crate::admission::Holder;
use crate::fair_queue::{Entry, FairQueue, Rules, Turn};
use crate::ids::UserId;
use crate::limits::{
    PASSWORD_CHARS, PASSWORD_COST_HALF_LIFE, PASSWORD_HASH_COST, PASSWORD_HASHES_MAX,
    PASSWORD_KNOWN_LEAD, PASSWORD_SHARE_MAX, PASSWORD_WAITING_MAX, SIGN_IN_LOOKUP_COST,
    SIGN_IN_LOOKUPS_MAX, SIGN_IN_LOOKUPS_WAITING_MAX,
};

/// Hashes and checks passwords, a few at once and fair between clients; clones share the few.
#[derive(Debug, Clone)]
pub struct Passwords {
    queue: FairQueue<Holder>,
    lookups: FairQueue<Holder>,
    /// The hash of a password that nobody has: what a name that nobody has is checked against.
    nobody: Arc<str>,
}

/// Whose work a hash is.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// Who pays for it: an account for its own sessions and devices, else the network; so that neighbours
    /// use up nothing of the account.
    payer: Holder,
    is_known: bool,
    is_capped: bool,
}

impl Client {
    /// Somebody at that device, in a network that signed in before or not.
    pub fn at(device: &Device, is_known: bool) -> Self {
        Self {
            payer: Holder::Network(device.network()),
            is_known,
            is_capped: !device.is_trusted,
        }
    }

    /// A session or a device of that account.
    pub fn of(account: UserId) -> Self {
        Self {
            payer: Holder::Account(account),
            is_known: true,
            is_capped: true,
        }
    }

    fn entry(self) -> Entry<Holder> {
        Entry {
            tenant: self.payer,
            cost: PASSWORD_HASH_COST,
            lead: match self.is_known {
                true => PASSWORD_KNOWN_LEAD,
                false => Duration::ZERO,
            },
            is_capped: self.is_capped,
        }
    }
}

impl Passwords {
    /// Works out a hash, so it takes some tens of milliseconds.
    pub fn new() -> Result<Self, AccountError> {
        let nobody = hash(&crate::ids::random_hex::<32>().into(), &Self::new_salt())?;
        let rules = Rules {
            running_max: hashes_max(),
            waiting_max: PASSWORD_WAITING_MAX,
            share_max: PASSWORD_SHARE_MAX,
            half_life: PASSWORD_COST_HALF_LIFE,
        };
        let of_lookups = Rules {
            running_max: SIGN_IN_LOOKUPS_MAX,
            waiting_max: SIGN_IN_LOOKUPS_WAITING_MAX,
            ..rules
        };
        Ok(Self {
            queue: FairQueue::new(rules),
            lookups: FairQueue::new(of_lookups),
            nobody: nobody.into(),
        })
    }

    /// A random salt, as the PHC form writes it.
    pub fn new_salt() -> String {
        let mut bytes = [0_u8; Salt::RECOMMENDED_LENGTH];
        rand::rng().fill_bytes(&mut bytes);
        let salt = Salt::new(&bytes).expect("the recommended length");
        salt.to_salt_string().to_string()
    }

    /// Refuses a password that is too short, too long, or tells itself.
    pub fn check(password: &SecretString, names: &[&str]) -> Result<(), AccountError> {
        let password = prepared(password);
        let text = password.expose_secret();
        let (least, most) = PASSWORD_CHARS;
        if !(least..=most).contains(&text.chars().count()) {
            let message = format!("must have {least} to {most} characters");
            return Err(AccountError::field("password", message));
        }
        let lower = text.to_lowercase();
        let is_told = names.iter().any(|name| lower == name.to_lowercase());
        let mut chars = text.chars();
        let first = chars.next();
        if is_told || chars.all(|char| Some(char) == first) {
            let message = "must not be your name, your e-mail address or one character repeated";
            return Err(AccountError::field("password", message));
        }
        Ok(())
    }

    /// The hash in the PHC form, under that salt.
    pub async fn hash(
        &self,
        client: Client,
        password: &SecretString,
        salt: &str,
    ) -> Result<String, AccountError> {
        let (password, salt) = (password.clone(), salt.to_owned());
        self.work(client, move || hash(&password, &salt)).await
    }

    /// Whether the password is that of the hash. Without a hash it is not, and takes as long.
    pub async fn verify(
        &self,
        client: Client,
        password: &SecretString,
        hash: Option<String>,
    ) -> Result<bool, AccountError> {
        let (password, nobody) = (password.clone(), Arc::clone(&self.nobody));
        self.work(client, move || {
            let (text, is_somebody) = match &hash {
                Some(hash) => (hash.as_str(), true),
                None => (&*nobody, false),
            };
            let hash = PasswordHash::new(text).map_err(failed)?;
            let password = prepared(&password);
            let bytes = password.expose_secret().as_bytes();
            let fits = Argon2::default().verify_password(bytes, &hash).is_ok();
            Ok(fits && is_somebody)
        })
        .await
    }

    /// A turn to look up who may be tried: what it takes of the database is fair between networks too.
    pub(super) async fn lookup_turn(&self, device: &Device) -> Result<Turn<Holder>, AccountError> {
        let entry = Entry {
            cost: SIGN_IN_LOOKUP_COST,
            ..Client::at(device, false).entry()
        };
        self.lookups.enter(entry).await.map_err(AccountError::Busy)
    }

    /// Does it in turn. The turn belongs to the work: it ends with it, not with the request.
    async fn work<T: Send + 'static>(
        &self,
        client: Client,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let turn = self.queue.enter(client.entry()).await;
        let turn = turn.map_err(AccountError::Busy)?;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        })
        .await
        .map_err(failed)?
    }
}

/// Half of the cores: the other half goes on serving requests while passwords are hashed.
fn hashes_max() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, PASSWORD_HASHES_MAX)
}

/// The salt of a hash in the PHC form, as it is written there.
pub(super) fn salt_of(hash: &str) -> Option<&str> {
    hash.split('$').nth(4)
}

/// A password as it is compared (the OpaqueString profile of RFC 8265): however its letters are composed, and
/// whichever space its keyboard has.
fn prepared(password: &SecretString) -> SecretString {
    let spaces = |char: char| {
        if char.is_whitespace() && !char.is_control() {
            ' '
        } else {
            char
        }
    };
    let prepared: String = password.expose_secret().chars().map(spaces).nfc().collect();
    prepared.into()
}

fn hash(password: &SecretString, salt: &str) -> Result<String, AccountError> {
    let salt = Salt::from_b64(salt).map_err(failed)?;
    let password = prepared(password);
    let password = password.expose_secret().as_bytes();
    let hash = Argon2::default().hash_password_with_salt(password, &salt);
    Ok(hash.map_err(failed)?.to_string())
}

fn failed(error: impl std::fmt::Display) -> AccountError {
    AccountError::Hashing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_and_nobody_has_one() {
        let passwords = Passwords::new().unwrap();
        let device = Device {
            user_agent: String::new(),
            address: [192, 0, 2, 1].into(),
            is_trusted: false,
            token: None,
        };
        let client = Client::at(&device, false);
        let (right, wrong) = ("correct horse".into(), "correct house".into());
        let other_space = "correct\u{a0}horse".into();
        let salt = Passwords::new_salt();
        let hash = passwords.hash(client, &right, &salt).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_eq!(salt_of(&hash), Some(salt.as_str()));
        assert_eq!(passwords.hash(client, &right, &salt).await.unwrap(), hash);
        let fits = async |password, hash| passwords.verify(client, password, hash).await.unwrap();
        assert!(fits(&right, Some(hash.clone())).await);
        assert!(fits(&other_space, Some(hash.clone())).await);
        assert!(!fits(&wrong, Some(hash)).await);
        assert!(!fits(&right, None).await);
    }

    #[test]
    fn a_password_is_the_same_however_it_is_composed() {
        let bytes = |text: &str| prepared(&text.into()).expose_secret().to_owned();
        assert_eq!(bytes("ho\u{308}rse\u{3000}Å"), bytes("hörse A\u{30a}"));
        assert_ne!(bytes("hörse"), bytes("horse"));
        assert_ne!(bytes("ﬁve"), bytes("five"));
    }

    #[test]
    fn a_password_that_is_easily_guessed_is_refused() {
        for text in ["short", "aaaaaaaaaaaaaa", "Grace.Hopper", &"x".repeat(129)] {
            let refused = Passwords::check(&text.to_owned().into(), &["grace.hopper"]);
            assert!(refused.is_err(), "{text}");
        }
        let good = "a long enough phrase".to_owned().into();
        assert!(Passwords::check(&good, &["grace.hopper"]).is_ok());
    }
}
