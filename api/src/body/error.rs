//! What can be wrong with a request body, one variant per answer a client can act on.
//!
//! Owns the words: each error names the field by its path (`packages[2].vectorData`; empty is the
//! body itself) and, where it helps, the byte offset in the body. Messages quote field names, clipped,
//! and never a value. Mapping to HTTP status codes is the caller's.

use std::fmt::{self, Display, Formatter};

/// Why a body was refused. Nothing of a refused body may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Nothing but white space arrived.
    #[error("the request body is empty")]
    Empty,
    /// The bytes are not JSON (RFC 8259).
    #[error("invalid JSON at byte {offset}, in {}: {fault}", subject(.field))]
    Syntax {
        field: String,
        offset: u64,
        fault: SyntaxFault,
    },
    /// The body ended before its JSON value did.
    #[error("the body ends after {offset} bytes, inside {}", subject(.field))]
    Truncated { field: String, offset: u64 },
    /// One object holds the same key twice; `offset` is where the second key starts.
    #[error("{} is given twice, again at byte {offset}", subject(.field))]
    DuplicateKey { field: String, offset: u64 },
    /// Arrays and objects are nested too deeply.
    #[error("{} at byte {offset} is nested deeper than {depth_max} levels", subject(.field))]
    TooDeep {
        field: String,
        offset: u64,
        depth_max: usize,
    },
    /// A limit was met while reading `field`.
    #[error("{} exceeds the limit of {bytes_max} bytes for {limit}", subject(.field))]
    TooLarge {
        field: String,
        limit: SizeLimit,
        bytes_max: u64,
    },
    /// An array has too many elements.
    #[error("{} has more than {count_max} elements", subject(.field))]
    TooMany { field: String, count_max: usize },
    /// The value has another JSON type than the field needs.
    #[error("{} must be {expected}", subject(.field))]
    WrongType {
        field: String,
        expected: &'static str,
    },
    /// Two fields that exclude each other, such as `vectorData` and `chainData`.
    #[error("{} cannot be sent together with `{other}`", subject(.field))]
    ConflictingFields { field: String, other: &'static str },
    /// The value is not strict base64; the offset counts the value's characters, escapes resolved.
    #[error("{} is not valid base64 at character {offset_in_value}: {reason}", subject(.field))]
    InvalidBase64 {
        field: String,
        offset_in_value: u64,
        reason: Base64Reason,
    },
}

impl BodyError {
    /// The stable, machine-readable name of the variant.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "EMPTY_BODY",
            Self::Syntax { .. } => "INVALID_JSON",
            Self::Truncated { .. } => "TRUNCATED_BODY",
            Self::DuplicateKey { .. } => "DUPLICATE_KEY",
            Self::TooDeep { .. } => "TOO_DEEP",
            Self::TooLarge { .. } => "TOO_LARGE",
            Self::TooMany { .. } => "TOO_MANY",
            Self::WrongType { .. } => "WRONG_TYPE",
            Self::ConflictingFields { .. } => "CONFLICTING_FIELDS",
            Self::InvalidBase64 { .. } => "INVALID_BASE64",
        }
    }

    /// The path of the field at fault; empty when it is the body itself.
    pub fn field(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Syntax { field, .. }
            | Self::Truncated { field, .. }
            | Self::DuplicateKey { field, .. }
            | Self::TooDeep { field, .. }
            | Self::TooLarge { field, .. }
            | Self::TooMany { field, .. }
            | Self::WrongType { field, .. }
            | Self::ConflictingFields { field, .. }
            | Self::InvalidBase64 { field, .. } => field,
        }
    }
}

fn subject(field: &str) -> String {
    if field.is_empty() {
        "the body".to_owned()
    } else {
        format!("`{field}`")
    }
}

/// How the JSON grammar was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntaxFault {
    /// `expected` describes what the grammar allows here.
    Unexpected { found: u8, expected: &'static str },
    /// A raw byte below 0x20 in a string.
    ControlCharacter(u8),
    /// A string whose bytes are not UTF-8.
    InvalidUtf8,
    /// `\uD800`..`\uDFFF` that is not half of a pair.
    LoneSurrogate,
    /// The body starts with 0xEF, as a UTF-8 byte order mark does.
    ByteOrderMark,
}

impl Display for SyntaxFault {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found, expected } => {
                write!(out, "found `{}`, expected {expected}", found.escape_ascii())
            }
            Self::ControlCharacter(byte) => {
                write!(out, "control character 0x{byte:02x} must be escaped")
            }
            Self::InvalidUtf8 => out.write_str("the string that starts here is not UTF-8"),
            Self::LoneSurrogate => out.write_str("a \\u surrogate without its other half"),
            Self::ByteOrderMark => out.write_str("a byte order mark is not allowed"),
        }
    }
}

/// Which limit a body met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeLimit {
    /// One key, string or number outside the blobs.
    Scalar,
    /// Everything outside the blobs: keys, values, punctuation and white space.
    Text,
    /// The decoded blobs, together.
    Blobs,
}

impl Display for SizeLimit {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Scalar => "a single value",
            Self::Text => "everything but the package data",
            Self::Blobs => "all package data together, decoded",
        })
    }
}

/// How a value breaks RFC 4648 section 4, with the padding of section 3.2 and the canonical form of 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base64Reason {
    /// A byte outside every base64 alphabet.
    Character(u8),
    /// `-` or `_`.
    UrlSafeAlphabet(u8),
    /// Space, tab or line break.
    WhiteSpace,
    /// A JSON escape other than `\/`, by the letter after the backslash.
    Escape(u8),
    /// `=` where data must stand.
    MisplacedPadding,
    /// Something follows the padding.
    DataAfterPadding,
    /// The value ends within a group of four.
    MissingPadding,
    /// The bits under the padding are not zero.
    NonCanonical,
}

impl Display for Base64Reason {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(byte) => write!(
                out,
                "`{}` is not in the base64 alphabet",
                byte.escape_ascii()
            ),
            Self::UrlSafeAlphabet(byte) => write!(
                out,
                "`{}` belongs to the URL-safe alphabet; use the standard one, with `+` and `/`",
                byte.escape_ascii()
            ),
            Self::WhiteSpace => out.write_str("white space and line breaks are not allowed"),
            Self::Escape(letter) => write!(
                out,
                "the escape `\\{}` is not allowed, only `\\/` is",
                letter.escape_ascii()
            ),
            Self::MisplacedPadding => out.write_str("`=` may only end the value"),
            Self::DataAfterPadding => out.write_str("nothing may follow the padding"),
            Self::MissingPadding => {
                out.write_str("the length must be a multiple of four, padded with `=`")
            }
            Self::NonCanonical => {
                out.write_str("the last character carries bits that would be lost")
            }
        }
    }
}
