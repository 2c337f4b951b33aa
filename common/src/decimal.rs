//! Decimal numbers as JSON writes them. `100`, `100.0`, `1E+2` and `0.1e3` are one number; it is read from
//! its text, digit by digit, and never becomes a float.

use thiserror::Error;

/// Digits of the largest `i64`.
const DIGITS_MAX: i64 = 19;

/// A number: its significant digits times a power of ten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; empty for zero.
    digits: String,
    /// The power of ten that the last digit stands for.
    exponent: i64,
}

/// Why a number is not so many whole units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnitsError {
    /// It lies between two of them.
    #[error("it is finer than a unit")]
    Finer,
    /// More than `i64` holds.
    #[error("it is too large")]
    TooLarge,
}

impl Decimal {
    /// Reads the text of a JSON number.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let mut digits = format!("{whole}{fraction}");
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut exponent = exponent - i64::try_from(fraction.len()).ok()?;
        let significant = digits.trim_end_matches('0').len();
        exponent += i64::try_from(digits.len() - significant).ok()?;
        digits.truncate(significant);
        let leading_zeros = digits.len() - digits.trim_start_matches('0').len();
        digits.drain(..leading_zeros);
        if digits.is_empty() {
            (exponent, digits) = (0, String::new());
        }
        Some(Self {
            is_negative: is_negative && !digits.is_empty(),
            digits,
            exponent,
        })
    }

    /// The number in units of which each has so many decimals: 9.99 is 999 of two.
    pub fn in_units(&self, decimals: u8) -> Result<i64, UnitsError> {
        if self.digits.is_empty() {
            return Ok(0);
        }
        let zeros = self.exponent.saturating_add(i64::from(decimals));
        if zeros < 0 {
            return Err(UnitsError::Finer);
        }
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        if length.saturating_add(zeros) > DIGITS_MAX {
            return Err(UnitsError::TooLarge);
        }
        let sign = if self.is_negative { "-" } else { "" };
        let zeros = "0".repeat(usize::try_from(zeros).unwrap_or_default());
        let text = format!("{sign}{}{zeros}", self.digits);
        text.parse().map_err(|_| UnitsError::TooLarge)
    }
}

/// One that is too long to be read is as large as any that matters.
fn parse_exponent(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(sign * digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000_000))
}

/// A whole number, however it is written.
pub fn parse_whole(text: &str) -> Option<i64> {
    Decimal::parse(text)?.in_units(0).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_of_a_number_is_that_number() {
        for text in [
            "100", "100.0", "100.000", "1e2", "1E+2", "0.1e3", "10000e-2", "0100",
        ] {
            let read = Decimal::parse(text).unwrap();
            assert_eq!(read.in_units(0), Ok(100), "{text}");
            assert_eq!(read.in_units(2), Ok(10_000), "{text}");
        }
        for text in ["0", "-0", "0.0", "0e99999999999999999999", "-0.000e-5"] {
            let read = Decimal::parse(text).unwrap();
            assert_eq!(
                (read.in_units(0), read.is_negative),
                (Ok(0), false),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_exact_is_not_rounded() {
        for (text, error) in [
            ("0.001", UnitsError::Finer),
            ("20.000000000000000001", UnitsError::Finer),
            ("1e-3", UnitsError::Finer),
            ("1e-99999999999999999999", UnitsError::Finer),
            ("1e17", UnitsError::TooLarge),
            ("92233720368547758.08", UnitsError::TooLarge),
            ("1e99999999999999999999", UnitsError::TooLarge),
        ] {
            assert_eq!(
                Decimal::parse(text).unwrap().in_units(2),
                Err(error),
                "{text}"
            );
        }
        let least = Decimal::parse("-92233720368547758.08").unwrap();
        assert_eq!(least.in_units(2), Ok(i64::MIN));
    }

    #[test]
    fn what_is_no_json_number_is_none() {
        for text in [
            "", "-", "1.", ".5", "1e", "1e+", "+1", "NaN", "1,5", "0x1", "1 ", "--1", "١",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_with_zeros_and_exponents_added_stays_what_it_is(
            minor in any::<i64>(), zeros in 0_usize..30, shift in -30_i64..30
        ) {
            let sign = if minor < 0 { "-" } else { "" };
            let text = format!("{sign}{}.{}e{}", minor.unsigned_abs(), "0".repeat(zeros + 1), -2);
            prop_assert_eq!(Decimal::parse(&text).unwrap().in_units(2), Ok(minor));
            let zeros = "0".repeat(usize::try_from(shift.max(0)).unwrap());
            let moved = format!("{minor}{zeros}E{}", -shift.max(0));
            prop_assert_eq!(parse_whole(&moved), Some(minor));
        }
    }
}
