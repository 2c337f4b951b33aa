//! The states of the tokenizer: what has been read of a token, or what may come next.

use super::number::Number;
use super::path::Frame;

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    Between(Expect),
    Literal { word: &'static str, matched: usize },
    Number(Number),
    String { role: Role, start: u64 },
}

impl State {
    /// After a whole value, inside `parent` or at the root.
    pub(super) fn after_value(parent: Option<&Frame>) -> Self {
        Self::Between(match parent {
            None => Expect::Nothing,
            Some(Frame::Array { .. }) => Expect::CommaOrArrayEnd,
            Some(Frame::Object { .. }) => Expect::CommaOrObjectEnd,
        })
    }

    pub(super) fn is_fragments(self) -> bool {
        matches!(
            self,
            Self::String {
                role: Role::Fragments,
                ..
            }
        )
    }
}

/// What a string is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    Value,
    /// A value that the receiver takes in fragments.
    Fragments,
}

/// What the grammar allows between tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    Root,
    Value,
    ElementOrArrayEnd,
    KeyOrObjectEnd,
    Key,
    Colon,
    CommaOrArrayEnd,
    CommaOrObjectEnd,
    Nothing,
}

impl Expect {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Root | Self::Value => "a value",
            Self::ElementOrArrayEnd => "a value or `]`",
            Self::KeyOrObjectEnd => "a key in double quotes or `}`",
            Self::Key => "a key in double quotes",
            Self::Colon => "`:`",
            Self::CommaOrArrayEnd => "`,` or `]`",
            Self::CommaOrObjectEnd => "`,` or `}`",
            Self::Nothing => "the end of the body",
        }
    }
}
