//! What the paths of a body mean.

use super::path::{Path, Step};

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// One package: the body itself.
    Single,
    /// `packages`, an array of at most so many, and fields beside it.
    Batch { packages_max: usize },
}

/// The array of a batch.
pub(super) const PACKAGES: &str = "packages";

/// What a path means.
pub(super) enum Place<'a> {
    /// The whole of a batch.
    Batch,
    /// Its array of packages.
    Packages,
    /// A field beside that array.
    Outer(&'a str),
    /// A package.
    Package,
    /// A field of a package.
    Member(&'a str),
    /// An element of a field that is an array.
    Element(&'a str),
    /// Inside of something that nobody asks for.
    Deeper,
}

impl Layout {
    pub(super) fn place(self, path: Path<'_>) -> Place<'_> {
        let mut steps = path.steps();
        if let Self::Batch { .. } = self {
            match (steps.next(), steps.next()) {
                (None, _) => return Place::Batch,
                (Some(Step::Key(PACKAGES)), None) => return Place::Packages,
                (Some(Step::Key(name)), None) => return Place::Outer(name),
                (Some(Step::Key(PACKAGES)), Some(Step::Index(_))) => {}
                _ => return Place::Deeper,
            }
        }
        match (steps.next(), steps.next(), steps.next()) {
            (None, ..) => Place::Package,
            (Some(Step::Key(name)), None, _) => Place::Member(name),
            (Some(Step::Key(name)), Some(Step::Index(_)), None) => Place::Element(name),
            _ => Place::Deeper,
        }
    }
}
