//! The number grammar of RFC 8259 section 6, one byte at a time. Keeps no text and no value.

/// How far into a number the bytes so far reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Minus,
    Zero,
    Integer,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
}

impl Number {
    /// The state after the first byte, if a number can start with it.
    pub(super) fn start(byte: u8) -> Option<Self> {
        match byte {
            b'-' => Some(Self::Minus),
            b'0' => Some(Self::Zero),
            b'1'..=b'9' => Some(Self::Integer),
            _ => None,
        }
    }

    /// The state after one more byte; `None` when that byte is not part of the number.
    pub(super) fn next(self, byte: u8) -> Option<Self> {
        match (self, byte) {
            (Self::Minus, b'0') => Some(Self::Zero),
            (Self::Minus, b'1'..=b'9') | (Self::Integer, b'0'..=b'9') => Some(Self::Integer),
            (Self::Zero | Self::Integer, b'.') => Some(Self::Point),
            (Self::Point | Self::Fraction, b'0'..=b'9') => Some(Self::Fraction),
            (Self::Zero | Self::Integer | Self::Fraction, b'e' | b'E') => Some(Self::Exponent),
            (Self::Exponent, b'+' | b'-') => Some(Self::ExponentSign),
            (Self::Exponent | Self::ExponentSign | Self::ExponentDigits, b'0'..=b'9') => {
                Some(Self::ExponentDigits)
            }
            _ => None,
        }
    }

    /// Whether a number may end here.
    pub(super) fn is_complete(self) -> bool {
        matches!(
            self,
            Self::Zero | Self::Integer | Self::Fraction | Self::ExponentDigits
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_number(text: &str) -> bool {
        let (first, rest) = text.as_bytes().split_first().unwrap();
        rest.iter()
            .try_fold(Number::start(*first), |state, &byte| {
                state.map(|state| state.next(byte))
            })
            .flatten()
            .is_some_and(Number::is_complete)
    }

    #[test]
    fn numbers_follow_the_grammar() {
        for good in [
            "0", "-0", "10", "0.5", "-1.25", "1e9", "1E+9", "0e-0", "2.5e10",
        ] {
            assert!(is_number(good), "{good}");
        }
        for bad in [
            "-", "+1", "00", "01", "-01", ".5", "1.", "1.e5", "1e", "1e+", "0x1", "1_0", "--1",
        ] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
