//! How often a package may be sold: the mode of a licence and its supply, which must fit each other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest supply of a limited licence, in sales.
pub const SUPPLY_MAX: i32 = 1_000_000;

/// The kinds of licences.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum LicenceMode {
    /// Anybody may buy.
    #[default]
    Unlimited,
    /// As many may buy as there is supply.
    Limited,
    /// One may buy.
    Exclusive,
}

impl LicenceMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Unlimited, Self::Limited, Self::Exclusive];

    /// Its name on the wire and in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::Limited => "limited",
            Self::Exclusive => "exclusive",
        }
    }
}

impl fmt::Display for LicenceMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LicenceMode {
    type Err = LicenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(LicenceError::Mode)
    }
}

/// Why a mode and a supply are no licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LicenceError {
    /// No such mode.
    #[error("must be unlimited, limited or exclusive")]
    Mode,
    /// A limit without a figure.
    #[error("is required for a limited licence, from 1 to {SUPPLY_MAX}")]
    SupplyMissing,
    /// A figure out of range.
    #[error("must be a whole number from 1 to {SUPPLY_MAX}")]
    SupplyRange,
    /// A figure where there is no limit, or where the limit is known.
    #[error("goes with a limited licence only, not with {0}")]
    SupplySurplus(LicenceMode),
}

impl LicenceError {
    /// The field at fault.
    pub fn field(self) -> &'static str {
        match self {
            Self::Mode => "licenceMode",
            _ => "supply",
        }
    }
}

/// A mode with the supply that fits it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Licence {
    mode: LicenceMode,
    supply: Option<i32>,
}

impl Licence {
    /// Joins both. An exclusive licence has a supply of one, said or not.
    pub fn new(mode: LicenceMode, supply: Option<i64>) -> Result<Self, LicenceError> {
        let supply = match (mode, supply) {
            (LicenceMode::Unlimited, None) => None,
            (LicenceMode::Exclusive, None | Some(1)) => Some(1),
            (LicenceMode::Limited, None) => return Err(LicenceError::SupplyMissing),
            (LicenceMode::Limited, Some(supply)) => Some(
                i32::try_from(supply)
                    .ok()
                    .filter(|supply| (1..=SUPPLY_MAX).contains(supply))
                    .ok_or(LicenceError::SupplyRange)?,
            ),
            (mode, Some(_)) => return Err(LicenceError::SupplySurplus(mode)),
        };
        Ok(Self { mode, supply })
    }

    /// The mode.
    pub fn mode(self) -> LicenceMode {
        self.mode
    }

    /// How many may be sold in all; none without a limit.
    pub fn supply(self) -> Option<i32> {
        self.supply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_takes_the_supply_that_fits_it_and_no_other() {
        use LicenceMode::{Exclusive, Limited, Unlimited};
        for (mode, supply, expected) in [
            (Unlimited, None, Ok(None)),
            (
                Unlimited,
                Some(3),
                Err(LicenceError::SupplySurplus(Unlimited)),
            ),
            (Limited, Some(1), Ok(Some(1))),
            (Limited, Some(1_000_000), Ok(Some(1_000_000))),
            (Limited, Some(1_000_001), Err(LicenceError::SupplyRange)),
            (Limited, Some(0), Err(LicenceError::SupplyRange)),
            (Limited, Some(i64::MAX), Err(LicenceError::SupplyRange)),
            (Limited, None, Err(LicenceError::SupplyMissing)),
            (Exclusive, None, Ok(Some(1))),
            (Exclusive, Some(1), Ok(Some(1))),
            (
                Exclusive,
                Some(2),
                Err(LicenceError::SupplySurplus(Exclusive)),
            ),
        ] {
            let licence = Licence::new(mode, supply);
            assert_eq!(
                licence.map(Licence::supply),
                expected,
                "{mode} with {supply:?}"
            );
        }
    }
}
