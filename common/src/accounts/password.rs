//! Passwords: argon2id with the parameters that OWASP recommends (19 MiB, two passes, one lane).

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use super::AccountError;
use crate::limits::{PASSWORD_CHARS, PASSWORD_HASHES_MAX};

/// Hashes and checks passwords, a few at once; clones share the few.
#[derive(Debug, Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// The hash of a password that nobody has: what a wrong e-mail address is checked against.
    nobody: Arc<str>,
}

impl Passwords {
    /// Works out a hash, so it takes some tens of milliseconds.
    pub fn new() -> Result<Self, AccountError> {
        let nobody = hash(&crate::ids::random_hex::<32>().into())?;
        Ok(Self {
            slots: Arc::new(Semaphore::new(PASSWORD_HASHES_MAX)),
            nobody: nobody.into(),
        })
    }

    /// Refuses a password that is too short, too long, or tells itself.
    pub fn check(password: &SecretString, names: &[&str]) -> Result<(), AccountError> {
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

    /// The hash in the PHC form.
    pub async fn hash(&self, password: &SecretString) -> Result<String, AccountError> {
        let password = password.clone();
        self.work(move || hash(&password)).await
    }

    /// Whether the password is that of the hash. Without a hash it is not, and takes as long.
    pub async fn verify(
        &self,
        password: &SecretString,
        hash: Option<String>,
    ) -> Result<bool, AccountError> {
        let (password, nobody) = (password.clone(), Arc::clone(&self.nobody));
        self.work(move || {
            let (text, is_somebody) = match &hash {
                Some(hash) => (hash.as_str(), true),
                None => (&*nobody, false),
            };
            let hash = PasswordHash::new(text).map_err(failed)?;
            let bytes = password.expose_secret().as_bytes();
            let fits = Argon2::default().verify_password(bytes, &hash).is_ok();
            Ok(fits && is_somebody)
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AccountError> + Send + 'static,
    ) -> Result<T, AccountError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _slot = slot.map_err(failed)?;
            work()
        })
        .await
        .map_err(failed)?
    }
}

fn hash(password: &SecretString) -> Result<String, AccountError> {
    let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
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
        let (right, wrong) = ("correct horse".into(), "correct house".into());
        let hash = passwords.hash(&right).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(passwords.verify(&right, Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(&wrong, Some(hash)).await.unwrap());
        assert!(!passwords.verify(&right, None).await.unwrap());
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
