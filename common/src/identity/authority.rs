//! How far a credential reaches, and the one comparison of two of them.
//!
//! The comparison takes both sides apart field by field: a new dimension that it does not compare is a
//! field that nobody uses, and does not compile.

use std::fmt;

use super::{KeyLimits, Permission};
use crate::ids::ApiKeyId;

/// All that a key or a session may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub permissions: Vec<Permission>,
    pub limits: KeyLimits,
    /// The line whose purchases count against the daily budget; none for a key that begins one.
    pub line: Option<ApiKeyId>,
}

/// In what one credential reaches further than another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    Permissions,
    BudgetDay,
    BudgetPurchase,
    PackageTypes,
    Expiry,
}

impl Dimension {
    /// The field of a key in which it shows.
    pub fn field(self) -> &'static str {
        match self {
            Self::Permissions => "permissions",
            Self::BudgetDay => "budgetDayMinor",
            Self::BudgetPurchase => "budgetPurchaseMinor",
            Self::PackageTypes => "packageTypes",
            Self::Expiry => "expiresAt",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field())
    }
}

impl Authority {
    /// Everything that the owner of an account may do.
    pub fn full() -> Self {
        Self {
            permissions: Permission::ALL.to_vec(),
            limits: KeyLimits::default(),
            line: None,
        }
    }

    /// The first dimension in which this reaches further than the other; none if it is within it.
    pub fn wider_in(&self, other: &Self) -> Option<Dimension> {
        let Self {
            permissions,
            limits:
                KeyLimits {
                    budget_day_minor,
                    budget_purchase_minor,
                    package_types,
                    expires_at,
                },
            line,
        } = self;
        let may = permissions
            .iter()
            .all(|each| other.permissions.contains(each));
        // Two lines would be two budgets, however small each of them is.
        let shares_budget = other.limits.budget_day_minor.is_none() || *line == other.line;
        let types_fit = other.limits.package_types.as_ref().is_none_or(|allowed| {
            let wanted = package_types.as_ref();
            wanted.is_some_and(|wanted| wanted.iter().all(|each| allowed.contains(each)))
        });
        let limits = &other.limits;
        let comparisons = [
            (Dimension::Permissions, may),
            (
                Dimension::BudgetDay,
                is_at_most(budget_day_minor, &limits.budget_day_minor) && shares_budget,
            ),
            (
                Dimension::BudgetPurchase,
                is_at_most(budget_purchase_minor, &limits.budget_purchase_minor),
            ),
            (Dimension::PackageTypes, types_fit),
            (
                Dimension::Expiry,
                is_at_most(expires_at, &limits.expires_at),
            ),
        ];
        comparisons
            .into_iter()
            .find_map(|(dimension, is_within)| (!is_within).then_some(dimension))
    }

    /// What a key that this one makes may do, if that is no more than this one.
    pub fn hand_on(
        &self,
        permissions: &[Permission],
        limits: KeyLimits,
    ) -> Result<Self, Dimension> {
        let new = Self {
            permissions: permissions.to_vec(),
            // What a key with a budget makes spends from that budget.
            line: self.line.filter(|_| self.limits.budget_day_minor.is_some()),
            limits,
        };
        match new.wider_in(self) {
            None => Ok(new),
            Some(dimension) => Err(dimension),
        }
    }
}

/// Whether a limit is at least as tight as another; none is no limit.
fn is_at_most<T: PartialOrd>(one: &Option<T>, other: &Option<T>) -> bool {
    other
        .as_ref()
        .is_none_or(|other| one.as_ref().is_some_and(|one| one <= other))
}

#[cfg(test)]
#[path = "authority_tests.rs"]
mod tests;
