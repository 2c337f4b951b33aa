//! A place in the log, as clients keep it.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// All up to that position has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Of the log: positions of another one mean nothing here.
    pub epoch: i32,
    pub position: i64,
}

/// Why a text is no cursor.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("is no cursor of this event log")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.epoch, self.position)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, position) = text.split_once('-').ok_or(CursorError)?;
        let cursor = Self {
            epoch: i32::from_str_radix(epoch, 16).map_err(|_| CursorError)?,
            position: position.parse().map_err(|_| CursorError)?,
        };
        // One spelling for each: `+1` and `007` are none.
        (cursor.position >= 0 && cursor.to_string() == text)
            .then_some(cursor)
            .ok_or(CursorError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for cursor in [(0, 0), (i32::MAX, i64::MAX), (0x5f3a, 1024)] {
            let (epoch, position) = cursor;
            let cursor = Cursor { epoch, position };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in [
            "", "-", "5f3a", "5f3a-", "-1", "5f3a--1", "5F3A-1", "5f3a-+1", "5f3a-007", "zz-1",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
