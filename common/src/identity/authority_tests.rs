//! Whatever a key makes or replaces allows no act that the key itself does not.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use package::PackageType;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

/// Something that a credential is used for.
#[derive(Debug, Clone)]
struct Act {
    permission: Permission,
    price_minor: i64,
    package_type: PackageType,
    at: DateTime<Utc>,
    /// What the keys of each line have spent within the day.
    spent: [i64; 3],
}

const TYPES: [PackageType; 3] = [PackageType::Vector, PackageType::Memory, PackageType::Chain];

fn line(number: usize) -> ApiKeyId {
    ApiKeyId(Uuid::from_u128(number as u128))
}

fn time(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute * 60, 0).unwrap()
}

/// What the product enforces, said without any comparison of credentials.
fn allows(authority: &Authority, act: &Act) -> bool {
    let limits = &authority.limits;
    let number = authority.line.map_or(2, |line| line.0.as_u128() as usize);
    authority.permissions.contains(&act.permission)
        && limits.expires_at.is_none_or(|end| act.at < end)
        && limits
            .budget_purchase_minor
            .is_none_or(|most| act.price_minor <= most)
        && limits
            .package_types
            .as_ref()
            .is_none_or(|types| types.contains(&act.package_type))
        && limits
            .budget_day_minor
            .is_none_or(|budget| act.spent[number] + act.price_minor <= budget)
}

fn permissions() -> impl Strategy<Value = Vec<Permission>> {
    proptest::sample::subsequence(Permission::ALL.to_vec(), 1..=Permission::ALL.len())
}

fn limits() -> impl Strategy<Value = KeyLimits> {
    (
        option::of(0..4_i64),
        option::of(0..4_i64),
        option::of(proptest::sample::subsequence(TYPES.to_vec(), 1..=3)),
        option::of(0..4_i64),
    )
        .prop_map(|(day, purchase, package_types, minute)| KeyLimits {
            budget_day_minor: day,
            budget_purchase_minor: purchase,
            package_types,
            expires_at: minute.map(time),
        })
}

fn authorities() -> impl Strategy<Value = Authority> {
    (permissions(), limits(), 0..2_usize).prop_map(|(permissions, limits, number)| Authority {
        permissions,
        limits,
        line: Some(line(number)),
    })
}

fn acts() -> impl Strategy<Value = Act> {
    (
        proptest::sample::select(Permission::ALL.to_vec()),
        0..4_i64,
        proptest::sample::select(TYPES.to_vec()),
        0..5_i64,
        [0..4_i64, 0..4, 0..4],
    )
        .prop_map(
            |(permission, price_minor, package_type, minute, spent)| Act {
                permission,
                price_minor,
                package_type,
                at: time(minute),
                spent,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_key_that_is_made_allows_nothing_that_its_maker_does_not(
        maker in authorities(), permissions in permissions(), limits in limits(), acts in vec(acts(), 20),
    ) {
        if let Ok(new) = maker.hand_on(&permissions, limits) {
            for act in acts {
                prop_assert!(!allows(&new, &act) || allows(&maker, &act), "{act:?}");
            }
        }
    }

    #[test]
    fn a_key_within_another_allows_nothing_that_the_other_does_not(
        one in authorities(), other in authorities(), acts in vec(acts(), 20),
    ) {
        if one.wider_in(&other).is_none() {
            for act in acts {
                prop_assert!(!allows(&one, &act) || allows(&other, &act), "{act:?}");
            }
        }
    }

    #[test]
    fn being_within_is_reflexive_and_transitive(
        one in authorities(), other in authorities(), third in authorities(),
    ) {
        prop_assert_eq!(one.wider_in(&one), None);
        prop_assert_eq!(one.wider_in(&Authority::full()), None);
        if one.wider_in(&other).is_none() && other.wider_in(&third).is_none() {
            prop_assert_eq!(one.wider_in(&third), None);
        }
    }

    #[test]
    fn what_a_maker_has_it_can_hand_on(maker in authorities()) {
        let same = maker.hand_on(&maker.permissions, maker.limits.clone());
        prop_assert!(same.is_ok(), "{same:?}");
    }
}

#[test]
fn each_dimension_alone_makes_a_key_wider() {
    let narrow = Authority {
        permissions: Permission::ALL[1..].to_vec(),
        limits: KeyLimits {
            budget_day_minor: Some(1),
            budget_purchase_minor: Some(1),
            package_types: Some(vec![PackageType::Vector]),
            expires_at: Some(time(1)),
        },
        line: Some(line(0)),
    };
    let but = |change: fn(&mut Authority)| {
        let mut wider = narrow.clone();
        change(&mut wider);
        wider.wider_in(&narrow).map(Dimension::field)
    };
    let found = [
        but(|it| it.permissions.push(Permission::Upload)),
        but(|it| it.limits.budget_day_minor = None),
        but(|it| it.limits.budget_day_minor = Some(2)),
        but(|it| it.line = Some(line(1))),
        but(|it| it.limits.budget_purchase_minor = None),
        but(|it| it.limits.package_types = None),
        but(|it| it.limits.package_types = Some(vec![PackageType::Vector, PackageType::Chain])),
        but(|it| it.limits.expires_at = None),
        but(|it| it.limits.expires_at = Some(time(2))),
    ];
    assert!(found.iter().all(Option::is_some), "{found:?}");
    let distinct: BTreeSet<_> = found.iter().flatten().collect();
    assert_eq!(distinct.len(), 5);
}
