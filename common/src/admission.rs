//! Admission control: how many places there are, and how many of them one client may hold.
//!
//! A place is asked for in the name of everyone who is responsible for the work: the network that it
//! comes from, and the account if one is known. It is given if there is room in all and room for each
//! of them, or refused at once; nobody queues here. A [`Place`] is owned: move it into the work that
//! uses the resource (the task, the blocking closure, the response body), so that it is given back when
//! the work ends, not when the request does.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::ids::UserId;

/// The addresses that one client commands: an IPv4 address, or the /64 of an IPv6 address, because
/// whoever has one address of those has all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network that an address belongs to.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let prefix = address.to_bits() >> 64 << 64;
                IpAddr::V6(prefix.into())
            }
            address => address,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whose share a place counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    Network(Network),
    Account(UserId),
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// All places are taken.
    Everywhere,
    /// This holder has its share already.
    For(Holder),
}

/// Places of one kind; clones share them.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    places_max: usize,
    share_max: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// Holders that hold nothing have no entry.
    by_holder: HashMap<Holder, usize>,
}

/// The right to use what was asked for; given back when dropped.
#[derive(Debug)]
#[must_use = "the place is given back when this is dropped"]
pub struct Place {
    admission: Admission,
    holders: Vec<Holder>,
}

impl Admission {
    /// So many places in all, and so many at most for each holder.
    pub fn new(places_max: usize, share_max: usize) -> Self {
        Self(Arc::new(Inner {
            places_max,
            share_max,
            taken: Mutex::default(),
        }))
    }

    /// A place in the name of all these holders, or of none.
    pub fn try_take(&self, holders: &[Holder]) -> Result<Place, Full> {
        let mut taken = self.taken();
        if taken.all >= self.0.places_max {
            return Err(Full::Everywhere);
        }
        let held = |holder: &Holder| taken.by_holder.get(holder).copied().unwrap_or_default();
        if let Some(full) = holders.iter().find(|it| held(it) >= self.0.share_max) {
            return Err(Full::For(*full));
        }
        taken.all += 1;
        for holder in holders {
            *taken.by_holder.entry(*holder).or_default() += 1;
        }
        drop(taken);
        Ok(Place {
            admission: self.clone(),
            holders: holders.to_vec(),
        })
    }

    /// Places that are taken now.
    pub fn taken_count(&self) -> usize {
        self.taken().all
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.all -= 1;
        for holder in &self.holders {
            if let Some(count) = taken.by_holder.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    taken.by_holder.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Holder {
        Holder::Network(Network::of(text.parse().unwrap()))
    }

    #[test]
    fn a_holder_has_its_share_and_leaves_the_rest_to_others() {
        let admission = Admission::new(5, 2);
        let (greedy, other) = (network("192.0.2.1"), network("192.0.2.2"));
        let first = admission.try_take(&[greedy]).unwrap();
        let _second = admission.try_take(&[greedy]).unwrap();
        assert_eq!(
            admission.try_take(&[greedy]).unwrap_err(),
            Full::For(greedy)
        );
        let _third = admission.try_take(&[other]).unwrap();
        drop(first);
        let _fourth = admission.try_take(&[greedy]).unwrap();
        let _fifth = admission.try_take(&[]).unwrap();
        let _sixth = admission.try_take(&[]).unwrap();
        assert_eq!(admission.try_take(&[other]).unwrap_err(), Full::Everywhere);
        assert_eq!(admission.taken_count(), 5);
    }

    #[test]
    fn an_account_has_one_share_from_all_its_addresses() {
        let admission = Admission::new(10, 1);
        let account = Holder::Account(UserId::new());
        let _place = admission
            .try_take(&[network("192.0.2.1"), account])
            .unwrap();
        let elsewhere = admission.try_take(&[network("192.0.2.2"), account]);
        assert_eq!(elsewhere.unwrap_err(), Full::For(account));
        assert!(
            admission.try_take(&[network("192.0.2.2")]).is_ok(),
            "a refusal takes from nobody"
        );
    }

    #[test]
    fn addresses_of_one_client_are_one_network() {
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
