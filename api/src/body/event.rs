//! What passes between the tokenizer and whoever listens to it.

use super::error::BodyError;
use super::path::Path;

/// What the tokenizer found at a path. A value in an object comes after its whole key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Null,
    Bool(bool),
    /// The source text of a number.
    Number(&'a str),
    /// A whole string, escapes resolved.
    String(&'a str),
    /// Raw bytes of a string that is [`Delivery::Fragments`], never empty and free of `"` and `\`.
    /// Nobody has checked them for UTF-8 and control characters: the receiver must.
    Fragment(&'a [u8]),
    /// An escape between two fragments; `letter` is the byte after its backslash.
    Escape {
        letter: u8,
        character: char,
    },
    FragmentsEnd,
}

/// How a string value is handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As one [`Event::String`], collected and checked.
    Whole,
    /// As any number of [`Event::Fragment`] and [`Event::Escape`], then [`Event::FragmentsEnd`].
    Fragments,
}

/// Takes the events. An error stops the tokenizer, which must then be dropped.
pub trait Receiver {
    /// A string value opens at `path`.
    fn string_start(&mut self, path: Path<'_>) -> Result<Delivery, BodyError>;

    /// `event` happened to the value at `path`.
    fn receive(&mut self, path: Path<'_>, event: Event<'_>) -> Result<(), BodyError>;
}
