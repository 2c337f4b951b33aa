//! Why something about a listing did not happen.

use thiserror::Error;

use super::LicenseError;

/// One variant per decision of a caller.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// No such listing, or it is not the caller's.
    #[error("no such listing")]
    NotFound,
    /// The caller knew another version than the current one.
    #[error("the listing is at version {current} by now")]
    VersionChanged { current: i64 },
    /// The key came before with other content.
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyConflict,
    /// It was shown, so it is no draft any more.
    #[error("a listing that was shown cannot become a draft; pause it")]
    NoDraft,
    /// No such package, review or seller, or it is not the caller's.
    #[error("no such {0}")]
    Unknown(&'static str),
    /// The caller knew another version of the package.
    #[error("the package is at version {current} by now")]
    PackageChanged { current: i64 },
    /// Only who bought a package says how it is.
    #[error("only those who bought a package review it")]
    NotBought,
    /// A field that does not fit.
    #[error("{field} {message}")]
    Field {
        field: &'static str,
        message: String,
    },
    /// Mode and supply do not fit each other.
    #[error("{} {_0}", .0.field())]
    License(LicenseError),
    /// It was removed, for good.
    #[error("the listing was removed, and a removed listing stays as it is")]
    Removed,
    /// Live purchases were made in the mode that it has.
    #[error("the package has been sold as {0}, so its license mode stays")]
    SoldAsListed(super::LicenseMode),
    /// More have been sold than the wanted supply.
    #[error("{taken} of the package are sold or being bought, so the supply cannot be {supply}")]
    SupplyBelowTaken { supply: i32, taken: i32 },
    /// What cannot be, was: a defect of ours, which trying again does not mend.
    #[error("a defect: {0}")]
    Defect(String),
    /// PostgreSQL did not answer or refused.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
