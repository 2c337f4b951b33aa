//! Money: integer minor units (cents) and a currency, never a float.
//!
//! The wire keeps the seed's decimal number; it is read from its source text, so `9.99` is 999 and
//! nothing between. What is finer than a cent is refused.

use std::fmt;

use thiserror::Error;

use crate::decimal::{Decimal, UnitsError};

/// What is traded where nobody says otherwise.
pub const DEFAULT_CURRENCY: &str = "USD";
/// The dearest package, in minor units: 1,000,000.00.
pub const PRICE_MINOR_MAX: i64 = 100_000_000;

/// An amount in minor units, from zero to [`PRICE_MINOR_MAX`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct Price(i64);

/// Why a text is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PriceError {
    /// No number, or a negative one.
    #[error("must be a decimal number such as 9.99, zero or more")]
    Shape,
    /// Finer than a cent.
    #[error("must have at most two decimals")]
    Decimals,
    /// Above the maximum.
    #[error("must be at most 1000000.00")]
    TooLarge,
}

impl Price {
    /// Reads the source text of a JSON number, however it is written.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let minor = parse_minor(text)?;
        if minor < 0 {
            Err(PriceError::Shape)
        } else if minor > PRICE_MINOR_MAX {
            Err(PriceError::TooLarge)
        } else {
            Ok(Self(minor))
        }
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&decimal_text(self.0))
    }
}

/// Reads an amount that may be negative, but no larger than a price either way. In minor units.
pub fn parse_signed_minor(text: &str) -> Result<i64, PriceError> {
    let minor = parse_minor(text)?;
    if minor.unsigned_abs() > PRICE_MINOR_MAX.unsigned_abs() {
        return Err(PriceError::TooLarge);
    }
    Ok(minor)
}

fn parse_minor(text: &str) -> Result<i64, PriceError> {
    let number = Decimal::parse(text).ok_or(PriceError::Shape)?;
    number.in_units(2).map_err(|error| match error {
        UnitsError::Finer => PriceError::Decimals,
        UnitsError::TooLarge => PriceError::TooLarge,
    })
}

/// An amount as decimal text: `9.99`, `-0.05`.
pub fn decimal_text(amount_minor: i64) -> String {
    let sign = if amount_minor < 0 { "-" } else { "" };
    let minor = amount_minor.unsigned_abs();
    format!("{sign}{}.{:02}", minor / 100, minor % 100)
}

/// An amount as the seed's JSON number. Its text is exact up to 2^53 minor units, far beyond what the
/// schema takes.
pub fn decimal_number(amount_minor: i64) -> serde_json::Number {
    serde_json::from_str(&decimal_text(amount_minor)).expect("decimal text is a JSON number")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_from_its_text_exactly() {
        for (text, minor) in [
            ("9.99", 999),
            ("0", 0),
            ("5", 500),
            ("5.5", 550),
            ("5.50", 550),
            ("0.010", 1),
            ("1E+2", 10_000),
            ("999e-2", 999),
            ("-0", 0),
        ] {
            assert_eq!(Price::parse(text).map(Price::minor), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (text, error) in [
            ("-1", PriceError::Shape),
            ("1.", PriceError::Shape),
            (".5", PriceError::Shape),
            ("NaN", PriceError::Shape),
            ("", PriceError::Shape),
            ("9.999", PriceError::Decimals),
            ("20.000000000000000001", PriceError::Decimals),
            ("-0.01", PriceError::Shape),
            ("1000000.01", PriceError::TooLarge),
            ("99999999999999999999", PriceError::TooLarge),
        ] {
            assert_eq!(Price::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_amount_is_shown_to_the_cent() {
        for (minor, text) in [
            (0, "0.00"),
            (-5, "-0.05"),
            (-1234, "-12.34"),
            (i64::MIN, "-92233720368547758.08"),
        ] {
            assert_eq!(decimal_text(minor), text);
        }
        assert_eq!(decimal_number(999).to_string(), "9.99");
    }

    #[test]
    fn a_signed_amount_is_a_price_either_way() {
        for (text, expected) in [
            ("12.34", Ok(1234)),
            ("-0.05", Ok(-5)),
            ("--1", Err(PriceError::Shape)),
            ("-1.001", Err(PriceError::Decimals)),
        ] {
            assert_eq!(parse_signed_minor(text), expected, "{text}");
        }
    }

    #[test]
    fn a_price_prints_as_it_was_read() {
        assert_eq!(Price::parse("9.9").expect("a price").to_string(), "9.90");
    }
}
