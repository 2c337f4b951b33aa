//! How often a package may be sold: the mode of a license and its supply, which must fit each other.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The largest supply of a limited license, in sales.
pub const SUPPLY_MAX: i32 = 1_000_000;

/// The kinds of licenses.
#[derive(
    Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum LicenseMode {
    /// Anybody may buy.
    #[default]
    Unlimited,
    /// As many may buy as there is supply.
    Limited,
    /// One may buy.
    Exclusive,
}

impl LicenseMode {
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

impl fmt::Display for LicenseMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LicenseMode {
    type Err = LicenseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(LicenseError::Mode)
    }
}

/// Why a mode and a supply are no license.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LicenseError {
    /// No such mode.
    #[error("must be unlimited, limited or exclusive")]
    Mode,
    /// A limit without a figure.
    #[error("is required for a limited license, from 1 to {SUPPLY_MAX}")]
    SupplyMissing,
    /// A figure out of range.
    #[error("must be a whole number from 1 to {SUPPLY_MAX}")]
    SupplyRange,
    /// A figure where there is no limit, or where the limit is known.
    #[error("goes with a limited license only, not with {0}")]
    SupplySurplus(LicenseMode),
}

impl LicenseError {
    /// The field at fault.
    pub fn field(self) -> &'static str {
        match self {
            Self::Mode => "licenseMode",
            _ => "supply",
        }
    }
}

/// A mode with the supply that fits it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct License {
    mode: LicenseMode,
    supply: Option<i32>,
}

impl License {
    /// Joins both. An exclusive license has a supply of one, said or not.
    pub fn new(mode: LicenseMode, supply: Option<i64>) -> Result<Self, LicenseError> {
        let supply = match (mode, supply) {
            (LicenseMode::Unlimited, None) => None,
            (LicenseMode::Exclusive, None | Some(1)) => Some(1),
            (LicenseMode::Limited, None) => return Err(LicenseError::SupplyMissing),
            (LicenseMode::Limited, Some(supply)) => Some(
                i32::try_from(supply)
                    .ok()
                    .filter(|supply| (1..=SUPPLY_MAX).contains(supply))
                    .ok_or(LicenseError::SupplyRange)?,
            ),
            (mode, Some(_)) => return Err(LicenseError::SupplySurplus(mode)),
        };
        Ok(Self { mode, supply })
    }

    /// The mode.
    pub fn mode(self) -> LicenseMode {
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
        use LicenseMode::{Exclusive, Limited, Unlimited};
        for (mode, supply, expected) in [
            (Unlimited, None, Ok(None)),
            (
                Unlimited,
                Some(3),
                Err(LicenseError::SupplySurplus(Unlimited)),
            ),
            (Limited, Some(1), Ok(Some(1))),
            (Limited, Some(1_000_000), Ok(Some(1_000_000))),
            (Limited, Some(1_000_001), Err(LicenseError::SupplyRange)),
            (Limited, Some(0), Err(LicenseError::SupplyRange)),
            (Limited, Some(i64::MAX), Err(LicenseError::SupplyRange)),
            (Limited, None, Err(LicenseError::SupplyMissing)),
            (Exclusive, None, Ok(Some(1))),
            (Exclusive, Some(1), Ok(Some(1))),
            (
                Exclusive,
                Some(2),
                Err(LicenseError::SupplySurplus(Exclusive)),
            ),
        ] {
            let license = License::new(mode, supply);
            assert_eq!(
                license.map(License::supply),
                expected,
                "{mode} with {supply:?}"
            );
        }
    }
}
