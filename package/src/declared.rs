//! What a seller says about a package: its type, its two models and its epsilon. Claims only; the
//! verdict compares them with what the bytes show.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kind of payload that a package carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PackageType {
    /// One or more vectors of the source model's space.
    Vector,
    /// A key/value cache, layer by layer.
    Memory,
    /// The states of a reasoning chain, step by step.
    Chain,
}

impl PackageType {
    /// Every package type, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Vector, Self::Memory, Self::Chain];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vector => "vector",
            Self::Memory => "memory",
            Self::Chain => "chain",
        }
    }
}

impl fmt::Display for PackageType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no package type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the package type must be vector, memory or chain")]
pub struct UnknownPackageType;

impl FromStr for PackageType {
    type Err = UnknownPackageType;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|known| known.as_str() == text)
            .ok_or(UnknownPackageType)
    }
}

/// The seller's claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// The kind of payload.
    pub package_type: PackageType,
    /// The model whose states are carried.
    pub source_model: String,
    /// The model that they are carried to.
    pub target_model: String,
    /// The alignment error that the seller claims, as a fraction.
    pub epsilon: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_type_reads_back_from_its_own_text() {
        for package_type in PackageType::ALL {
            assert_eq!(package_type.to_string().parse(), Ok(package_type));
            let json = serde_json::to_string(&package_type).unwrap();
            assert_eq!(json, format!("\"{package_type}\""));
        }
        assert_eq!("Vector".parse::<PackageType>(), Err(UnknownPackageType));
    }
}
