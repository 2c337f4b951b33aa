//! A push tokenizer for JSON (RFC 8259): bytes in, in chunks of any length; events with their path out.
//!
//! Guarantees: memory is bounded by [`JsonLimits`], whatever arrives; events and errors depend on the
//! bytes alone, never on how they were cut into chunks; whatever is accepted is JSON in UTF-8 without
//! duplicate keys (`a_document_is_judged_as_serde_json_judges_it` in `tests/json_body.rs`). Keeps no
//! document and does not know what any field means. Long strings need not be kept either: the receiver
//! may take one in fragments, and then judges its bytes itself.

use std::fmt::{self, Debug, Formatter};

use super::error::{BodyError, SizeLimit, SyntaxFault};
use super::event::{Delivery, Event, Receiver};
use super::number::Number;
use super::path::{Frame, Path};
use super::state::{Expect, Role, State};
use super::text::{Scanned, Scanner};

/// What one document may cost.
#[derive(Debug, Clone, Copy)]
pub struct JsonLimits {
    /// Arrays and objects open at once.
    pub depth_max: usize,
    /// Bytes of one key, string or number, escapes resolved.
    pub scalar_bytes_max: usize,
    /// Bytes of everything but strings taken in fragments: also punctuation and white space.
    pub text_bytes_max: usize,
}

/// The tokenizer between two chunks.
pub struct Tokenizer {
    limits: JsonLimits,
    state: State,
    scanner: Scanner,
    frames: Vec<Frame>,
    /// The scalar being collected.
    scalar: Vec<u8>,
    /// Bytes of the body taken so far.
    offset: u64,
    text_bytes: usize,
}

impl Debug for Tokenizer {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.debug_struct("Tokenizer")
            .field("state", &self.state)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    pub fn new(limits: JsonLimits) -> Self {
        Self {
            limits,
            state: State::Between(Expect::Root),
            scanner: Scanner::default(),
            frames: Vec::new(),
            scalar: Vec::new(),
            offset: 0,
            text_bytes: 0,
        }
    }

    /// Takes the next bytes of the body.
    pub fn feed(
        &mut self,
        mut chunk: &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<(), BodyError> {
        while !chunk.is_empty() {
            let used = if self.state.is_fragments() {
                self.step(chunk, receiver)?
            } else {
                let left = self.limits.text_bytes_max - self.text_bytes;
                if left == 0 {
                    return Err(self.too_large(SizeLimit::Text, self.limits.text_bytes_max));
                }
                let used = self.step(&chunk[..left.min(chunk.len())], receiver)?;
                self.text_bytes += used;
                used
            };
            self.offset += used as u64;
            chunk = &chunk[used..];
        }
        Ok(())
    }

    /// Ends the body.
    pub fn finish(mut self, receiver: &mut impl Receiver) -> Result<(), BodyError> {
        if let (State::Number(number), true) = (self.state, self.frames.is_empty())
            && number.is_complete()
        {
            self.number_end(receiver)?;
        }
        match self.state {
            State::Between(Expect::Nothing) => Ok(()),
            State::Between(Expect::Root) => Err(BodyError::Empty),
            _ => Err(BodyError::Truncated {
                field: self.field(),
                offset: self.offset,
            }),
        }
    }

    /// Takes at least one byte of `input`, or changes the state; returns the bytes taken.
    fn step(&mut self, input: &[u8], receiver: &mut impl Receiver) -> Result<usize, BodyError> {
        match self.state {
            State::Between(expect) => self.between(expect, input, receiver),
            State::Literal { word, matched } => {
                self.literal(word, matched, input[0], receiver)?;
                Ok(1)
            }
            State::Number(number) => self.number(number, input, receiver),
            State::String { role, start } => self.string(role, start, input, receiver),
        }
    }

    fn between(
        &mut self,
        expect: Expect,
        input: &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<usize, BodyError> {
        let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let blank = input.iter().take_while(is_blank).count();
        if blank > 0 {
            return Ok(blank);
        }
        let byte = input[0];
        match (expect, byte, self.frames.last_mut()) {
            (Expect::ElementOrArrayEnd | Expect::CommaOrArrayEnd, b']', _) => {
                self.close(Event::ArrayEnd, receiver)?;
            }
            (Expect::KeyOrObjectEnd | Expect::CommaOrObjectEnd, b'}', _) => {
                self.close(Event::ObjectEnd, receiver)?;
            }
            (Expect::Root | Expect::Value | Expect::ElementOrArrayEnd, ..) => {
                self.value_start(expect, byte, receiver)?;
            }
            (Expect::KeyOrObjectEnd | Expect::Key, b'"', _) => self.string_open(Role::Key),
            (Expect::Colon, b':', _) => self.state = State::Between(Expect::Value),
            (Expect::CommaOrObjectEnd, b',', Some(Frame::Object { key, .. })) => {
                *key = None;
                self.state = State::Between(Expect::Key);
            }
            (Expect::CommaOrArrayEnd, b',', Some(Frame::Array { index })) => {
                *index += 1;
                self.state = State::Between(Expect::Value);
            }
            _ => return Err(self.unexpected(byte, expect.describe())),
        }
        Ok(1)
    }

    fn value_start(
        &mut self,
        expect: Expect,
        byte: u8,
        receiver: &mut impl Receiver,
    ) -> Result<(), BodyError> {
        match byte {
            b'{' => self.open(Frame::object(), receiver)?,
            b'[' => self.open(Frame::array(), receiver)?,
            b'"' => match receiver.string_start(Path(&self.frames))? {
                Delivery::Whole => self.string_open(Role::Value),
                Delivery::Fragments => self.string_open(Role::Fragments),
            },
            b't' => self.literal_open("true"),
            b'f' => self.literal_open("false"),
            b'n' => self.literal_open("null"),
            0xEF if expect == Expect::Root => {
                return Err(self.syntax(0, SyntaxFault::ByteOrderMark));
            }
            _ => match Number::start(byte) {
                Some(number) => {
                    self.scalar.clear();
                    self.collect(&[byte])?;
                    self.state = State::Number(number);
                }
                None => return Err(self.unexpected(byte, expect.describe())),
            },
        }
        Ok(())
    }

    fn open(&mut self, frame: Frame, receiver: &mut impl Receiver) -> Result<(), BodyError> {
        if self.frames.len() == self.limits.depth_max {
            return Err(BodyError::TooDeep {
                field: self.field(),
                offset: self.offset,
                depth_max: self.limits.depth_max,
            });
        }
        let (event, expect) = match frame {
            Frame::Object { .. } => (Event::ObjectStart, Expect::KeyOrObjectEnd),
            Frame::Array { .. } => (Event::ArrayStart, Expect::ElementOrArrayEnd),
        };
        receiver.receive(Path(&self.frames), event)?;
        self.frames.push(frame);
        self.state = State::Between(expect);
        Ok(())
    }

    fn close(&mut self, event: Event<'_>, receiver: &mut impl Receiver) -> Result<(), BodyError> {
        self.frames.pop();
        self.value_end();
        receiver.receive(Path(&self.frames), event)
    }

    fn value_end(&mut self) {
        self.state = State::after_value(self.frames.last());
    }

    fn literal_open(&mut self, word: &'static str) {
        self.state = State::Literal { word, matched: 1 };
    }

    fn literal(
        &mut self,
        word: &'static str,
        matched: usize,
        byte: u8,
        receiver: &mut impl Receiver,
    ) -> Result<(), BodyError> {
        if word.as_bytes()[matched] != byte {
            return Err(self.unexpected(byte, word));
        }
        let matched = matched + 1;
        self.state = State::Literal { word, matched };
        if matched < word.len() {
            return Ok(());
        }
        self.value_end();
        let event = match word {
            "null" => Event::Null,
            _ => Event::Bool(word == "true"),
        };
        receiver.receive(Path(&self.frames), event)
    }

    fn number(
        &mut self,
        mut number: Number,
        input: &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<usize, BodyError> {
        for (index, &byte) in input.iter().enumerate() {
            let Some(next) = number.next(byte) else {
                self.collect(&input[..index])?;
                if !number.is_complete() {
                    let expected = "the rest of a number";
                    let found = byte;
                    return Err(self.syntax(index, SyntaxFault::Unexpected { found, expected }));
                }
                self.number_end(receiver)?;
                return Ok(index);
            };
            number = next;
        }
        self.collect(input)?;
        self.state = State::Number(number);
        Ok(input.len())
    }

    fn number_end(&mut self, receiver: &mut impl Receiver) -> Result<(), BodyError> {
        self.value_end();
        let text = str::from_utf8(&self.scalar).expect("the number grammar is ASCII");
        receiver.receive(Path(&self.frames), Event::Number(text))
    }

    fn string_open(&mut self, role: Role) {
        self.scalar.clear();
        let start = self.offset;
        self.state = State::String { role, start };
    }

    fn string(
        &mut self,
        role: Role,
        start: u64,
        input: &[u8],
        receiver: &mut impl Receiver,
    ) -> Result<usize, BodyError> {
        let scanned = self.scanner.next(input);
        let (used, scanned) = scanned.map_err(|fault| self.syntax(0, fault))?;
        let path = Path(&self.frames);
        match (role, scanned) {
            (_, Scanned::Partial) => {}
            (Role::Fragments, Scanned::Raw(bytes)) => {
                receiver.receive(path, Event::Fragment(bytes))?;
            }
            (Role::Fragments, Scanned::Escape { letter, character }) => {
                receiver.receive(path, Event::Escape { letter, character })?;
            }
            (Role::Fragments, Scanned::End) => {
                receiver.receive(path, Event::FragmentsEnd)?;
                self.value_end();
            }
            (_, Scanned::Raw(bytes)) => {
                let control = bytes.iter().position(|&byte| byte < b' ');
                self.collect(&bytes[..control.unwrap_or(bytes.len())])?;
                if let Some(index) = control {
                    let fault = SyntaxFault::ControlCharacter(bytes[index]);
                    return Err(self.syntax(index, fault));
                }
            }
            (_, Scanned::Escape { character, .. }) => {
                self.collect(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
            (_, Scanned::End) => self.string_end(role, start, receiver)?,
        }
        Ok(used)
    }

    fn string_end(
        &mut self,
        role: Role,
        start: u64,
        receiver: &mut impl Receiver,
    ) -> Result<(), BodyError> {
        let Ok(text) = str::from_utf8(&self.scalar) else {
            return Err(BodyError::Syntax {
                field: self.field(),
                offset: start,
                fault: SyntaxFault::InvalidUtf8,
            });
        };
        let (Role::Key, Some(Frame::Object { key, seen })) = (role, self.frames.last_mut()) else {
            self.state = State::after_value(self.frames.last());
            return receiver.receive(Path(&self.frames), Event::String(text));
        };
        *key = Some(text.to_owned());
        if !seen.insert(text.to_owned()) {
            return Err(BodyError::DuplicateKey {
                field: self.field(),
                offset: start,
            });
        }
        self.state = State::Between(Expect::Colon);
        Ok(())
    }

    fn collect(&mut self, bytes: &[u8]) -> Result<(), BodyError> {
        if self.scalar.len() + bytes.len() > self.limits.scalar_bytes_max {
            return Err(self.too_large(SizeLimit::Scalar, self.limits.scalar_bytes_max));
        }
        self.scalar.extend_from_slice(bytes);
        Ok(())
    }

    fn field(&self) -> String {
        Path(&self.frames).to_string()
    }

    fn unexpected(&self, found: u8, expected: &'static str) -> BodyError {
        self.syntax(0, SyntaxFault::Unexpected { found, expected })
    }

    /// A fault `index` bytes from here.
    fn syntax(&self, index: usize, fault: SyntaxFault) -> BodyError {
        BodyError::Syntax {
            field: self.field(),
            offset: self.offset + index as u64,
            fault,
        }
    }

    fn too_large(&self, limit: SizeLimit, bytes_max: usize) -> BodyError {
        BodyError::TooLarge {
            field: self.field(),
            limit,
            bytes_max: bytes_max as u64,
        }
    }
}
