//! Where in a JSON document the tokenizer stands.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};

/// Characters of one key that an error message repeats.
const KEY_SHOWN_CHARACTERS: usize = 64;

/// An array or object that is still open.
#[derive(Debug)]
pub(super) enum Frame {
    /// `key` is the member being read, `seen` every key so far.
    Object {
        key: Option<String>,
        seen: HashSet<String>,
    },
    /// `index` is the element being read.
    Array { index: usize },
}

impl Frame {
    pub(super) fn object() -> Self {
        Self::Object {
            key: None,
            seen: HashSet::new(),
        }
    }

    pub(super) fn array() -> Self {
        Self::Array { index: 0 }
    }
}

/// One step from a value to a value inside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

/// The way from the root to a value; shown as `packages[2].name`, and the root as nothing.
#[derive(Debug, Clone, Copy)]
pub struct Path<'a>(pub(super) &'a [Frame]);

impl<'a> Path<'a> {
    /// The steps, from the root on.
    pub fn steps(self) -> impl Iterator<Item = Step<'a>> {
        self.0.iter().filter_map(|frame| match frame {
            Frame::Object { key, .. } => key.as_deref().map(Step::Key),
            Frame::Array { index } => Some(Step::Index(*index)),
        })
    }

    /// How many steps away the root is; 0 for the root.
    pub fn depth(self) -> usize {
        self.steps().count()
    }
}

impl Display for Path<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().enumerate() {
            match step {
                Step::Index(index) => write!(out, "[{index}]")?,
                Step::Key(key) => {
                    if position > 0 {
                        out.write_str(".")?;
                    }
                    match key.char_indices().nth(KEY_SHOWN_CHARACTERS) {
                        Some((end, _)) => write!(out, "{}…", key[..end].escape_debug())?,
                        None => write!(out, "{}", key.escape_debug())?,
                    }
                }
            }
        }
        Ok(())
    }
}
