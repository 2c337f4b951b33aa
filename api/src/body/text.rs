//! The inside of a JSON string: finds its end and resolves its escapes, in pieces of any length.
//!
//! Raw bytes pass through unseen but for `"` and `\`, at memchr's speed; judging them (control
//! characters, UTF-8) is the tokenizer's.

use super::error::SyntaxFault;

/// What the head of the input is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scanned<'a> {
    /// Bytes without `"` and `\`, at least one.
    Raw(&'a [u8]),
    /// A whole escape; `letter` is the byte after its backslash.
    Escape { letter: u8, character: char },
    /// Part of an escape.
    Partial,
    /// The closing quote.
    End,
}

/// The scanner between two pieces of a string; after the closing quote, ready for the next string.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Scanner {
    state: State,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Plain,
    Backslash,
    /// Within the four digits of `\uXXXX`; `high` is the surrogate before it.
    Hex {
        high: Option<u16>,
        digits: u8,
        value: u16,
    },
    /// After a high surrogate, before the backslash of the low one.
    LowBackslash {
        high: u16,
    },
    /// After that backslash.
    LowLetter {
        high: u16,
    },
}

impl Scanner {
    /// Scans the head of `input`, which is not empty, and returns how many bytes that took.
    /// A fault is that of the first byte.
    pub(super) fn next<'a>(
        &mut self,
        input: &'a [u8],
    ) -> Result<(usize, Scanned<'a>), SyntaxFault> {
        let byte = input[0];
        let (state, scanned) = match self.state {
            State::Plain => match byte {
                b'"' => (State::Plain, Scanned::End),
                b'\\' => (State::Backslash, Scanned::Partial),
                _ => {
                    let length = memchr::memchr2(b'"', b'\\', input).unwrap_or(input.len());
                    return Ok((length, Scanned::Raw(&input[..length])));
                }
            },
            State::Backslash if byte == b'u' => (State::hex(None), Scanned::Partial),
            State::Backslash => (State::Plain, short_escape(byte)?),
            State::Hex {
                high,
                digits,
                value,
            } => hex_digit(high, digits, value, byte)?,
            State::LowBackslash { high } if byte == b'\\' => {
                (State::LowLetter { high }, Scanned::Partial)
            }
            State::LowLetter { high } if byte == b'u' => (State::hex(Some(high)), Scanned::Partial),
            State::LowBackslash { .. } | State::LowLetter { .. } => {
                return Err(SyntaxFault::LoneSurrogate);
            }
        };
        self.state = state;
        Ok((1, scanned))
    }
}

impl State {
    fn hex(high: Option<u16>) -> Self {
        Self::Hex {
            high,
            digits: 0,
            value: 0,
        }
    }
}

fn short_escape(letter: u8) -> Result<Scanned<'static>, SyntaxFault> {
    let character = match letter {
        b'"' | b'\\' | b'/' => char::from(letter),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => {
            return Err(SyntaxFault::Unexpected {
                found: letter,
                expected: "one of `\"\\/bfnrtu` after a backslash",
            });
        }
    };
    Ok(Scanned::Escape { letter, character })
}

/// Takes one of the four digits; the last one makes a character, or the high half of one.
fn hex_digit(
    high: Option<u16>,
    digits: u8,
    value: u16,
    byte: u8,
) -> Result<(State, Scanned<'static>), SyntaxFault> {
    let digit = char::from(byte)
        .to_digit(16)
        .ok_or(SyntaxFault::Unexpected {
            found: byte,
            expected: "four hexadecimal digits after `\\u`",
        })?;
    let value = (value << 4) | digit as u16;
    let digits = digits + 1;
    if digits < 4 {
        let state = State::Hex {
            high,
            digits,
            value,
        };
        return Ok((state, Scanned::Partial));
    }
    if high.is_none() && (0xD800..0xDC00).contains(&value) {
        return Ok((State::LowBackslash { high: value }, Scanned::Partial));
    }
    let character = char::decode_utf16(high.into_iter().chain([value]))
        .next()
        .and_then(Result::ok)
        .ok_or(SyntaxFault::LoneSurrogate)?;
    let letter = b'u';
    Ok((State::Plain, Scanned::Escape { letter, character }))
}
