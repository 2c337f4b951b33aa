//! A strict JSON reader for safetensors headers: objects, strings and unsigned integers, read in
//! place. It builds no tree, has no recursion, and accepts nothing that the header format has no use
//! for: no fractions, no nested values beyond what the caller asks for.

use std::borrow::Cow;

/// Where and why the text is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{expected} expected at byte {position}")]
pub(crate) struct JsonError {
    pub(crate) expected: &'static str,
    pub(crate) position: usize,
}

/// A cursor over JSON text.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// What is left after the value, spaces included.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    /// The next byte that is no whitespace, not consumed.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip_whitespace();
        self.text.as_bytes().get(self.position).copied()
    }

    /// Consumes `byte`.
    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.position += 1;
            return Ok(());
        }
        Err(self.error(expected))
    }

    /// Whether another element follows in an object or array that ends with `close`: consumes the
    /// comma before it, or the end itself.
    pub(crate) fn next_element(&mut self, first: bool, close: u8) -> Result<bool, JsonError> {
        if self.peek() == Some(close) {
            self.position += 1;
            return Ok(false);
        }
        if !first {
            self.expect(b',', "`,` or the end of the list")?;
        }
        Ok(true)
    }

    /// A string, unescaped; borrowed when it has no escapes.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.expect(b'"', "a string")?;
        let start = self.position;
        let mut unescaped = String::new();
        let mut copied_to = start;
        loop {
            match self.text.as_bytes().get(self.position) {
                Some(b'"') => break,
                Some(b'\\') => {
                    unescaped.push_str(&self.text[copied_to..self.position]);
                    self.position += 1;
                    unescaped.push(self.escape()?);
                    copied_to = self.position;
                }
                Some(0x20..) => self.position += 1,
                Some(_) => return Err(self.error("an escaped control character")),
                None => return Err(self.error("the end of the string")),
            }
        }
        let tail = &self.text[copied_to..self.position];
        self.position += 1;
        if copied_to == start {
            return Ok(Cow::Borrowed(tail));
        }
        unescaped.push_str(tail);
        Ok(Cow::Owned(unescaped))
    }

    /// A non-negative integer without sign, fraction, exponent or leading zero.
    pub(crate) fn unsigned(&mut self) -> Result<u64, JsonError> {
        const EXPECTED: &str = "an integer from 0 to 2^64 - 1";
        self.skip_whitespace();
        let digits = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let text = &self.rest()[..digits];
        let ends_well = !matches!(self.rest().as_bytes().get(digits), Some(b'.' | b'e' | b'E'));
        let no_leading_zero = digits == 1 || !text.starts_with('0');
        match text.parse() {
            Ok(value) if ends_well && no_leading_zero => {
                self.position += digits;
                Ok(value)
            }
            _ => Err(self.error(EXPECTED)),
        }
    }

    pub(crate) fn error(&self, expected: &'static str) -> JsonError {
        JsonError {
            expected,
            position: self.position,
        }
    }

    fn skip_whitespace(&mut self) {
        let spaces = self
            .rest()
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        self.position += spaces.count();
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let byte = self.text.as_bytes().get(self.position).copied();
        let character = match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.position += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.error("an escape character")),
        };
        self.position += 1;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        const LOW: &str = "the low half of a surrogate pair";
        let first = self.four_hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.error("a character, not half a pair"));
        }
        if !self.rest().starts_with("\\u") {
            return Err(self.error(LOW));
        }
        self.position += 2;
        let second = self.four_hex()?;
        if !(0xdc00..0xe000).contains(&second) {
            return Err(self.error(LOW));
        }
        let scalar = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        char::from_u32(scalar).ok_or_else(|| self.error(LOW))
    }

    fn four_hex(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.position..self.position + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0, |value, byte| {
                char::from(*byte)
                    .to_digit(16)
                    .map(|digit| value * 16 + digit)
            })
        });
        let value = value.ok_or_else(|| self.error("four hexadecimal digits"))?;
        self.position += 4;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_agree_with_serde_json(text in "(\\PC|[\"\\\\/bfnrtu0-9a-fA-Fd8]|\\\\u[dD][89a-fA-F][0-9a-f]{2}){0,24}") {
            let quoted = format!("\"{text}\"");
            let ours = Reader::new(&quoted);
            let mut ours = ours;
            let read = ours.string().map(Cow::into_owned).ok().filter(|_| ours.rest().is_empty());
            let theirs: Option<String> = serde_json::from_str(&quoted).ok();
            prop_assert_eq!(read, theirs);
        }

        #[test]
        fn written_strings_are_read_back(text in any::<String>()) {
            let quoted = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(Reader::new(&quoted).string().unwrap(), text);
        }

        #[test]
        fn integers_agree_with_serde_json(text in "-?[0-9]{1,21}(\\.[0-9]|e1|E)?") {
            let mut ours = Reader::new(&text);
            let read = ours.unsigned().ok().filter(|_| ours.rest().is_empty());
            prop_assert_eq!(read, serde_json::from_str(&text).ok());
        }
    }
}
