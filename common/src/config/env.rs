//! Reads variables and collects what is wrong with them, instead of stopping at the first.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

/// All faults of the environment, one a line.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the environment has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

type Lookup = Box<dyn Fn(&str) -> Option<String>>;

/// A source of variables that remembers every fault.
pub struct Env {
    lookup: Lookup,
    faults: Vec<String>,
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Env {
    /// The process environment.
    pub fn process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// Any other source, for tests.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self {
            lookup: Box::new(lookup),
            faults: Vec::new(),
        }
    }

    /// The value, or its default; an empty value counts as absent.
    pub fn or<T>(&mut self, name: &str, default: T) -> T
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.optional(name).unwrap_or(default)
    }

    /// The value, if there is one.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, &error.to_string());
                None
            }
        }
    }

    /// The value; its absence is a fault, and `None` then only a placeholder.
    pub fn required<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        if self.text(name).is_none() {
            self.fault(name, "is required");
            return None;
        }
        self.optional(name)
    }

    /// A secret that must be there.
    pub fn secret(&mut self, name: &str) -> Option<SecretString> {
        self.required::<String>(name).map(SecretString::from)
    }

    /// Comma-separated values.
    pub fn list<T>(&mut self, name: &str) -> Vec<T>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let text = self.text(name).unwrap_or_default();
        let mut values = Vec::new();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            match item.parse() {
                Ok(value) => values.push(value),
                Err(error) => self.fault(name, &format!("{item}: {error}")),
            }
        }
        values
    }

    /// Records what is wrong with a variable.
    pub fn fault(&mut self, name: &str, what: &str) {
        self.faults.push(format!("{name} {what}"));
    }

    /// The configuration, if every part of it was sound.
    pub fn finish<T>(self, config: Option<T>) -> Result<T, ConfigError> {
        match config {
            Some(config) if self.faults.is_empty() => Ok(config),
            _ => Err(ConfigError(self.faults)),
        }
    }

    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_reported_at_once() {
        let mut env = Env::new(|name| (name == "PORT").then(|| "many".to_owned()));
        let port: Option<u16> = env.required("PORT");
        let url: Option<String> = env.required("DATABASE_URL");
        let error = env
            .finish(port.zip(url))
            .expect_err("two faults")
            .to_string();
        assert!(error.contains("PORT invalid digit"), "{error}");
        assert!(error.contains("DATABASE_URL is required"), "{error}");
    }
}
