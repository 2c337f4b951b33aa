//! Who may connect: so many connections in all, and so many of one network.

use std::net::IpAddr;

use crate::admission::{Admission, Full, Holder, Network, Place};
use crate::config::RateConfig;
use crate::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX};
use crate::telemetry::metrics;

/// Counts connections.
#[derive(Debug)]
pub struct Doorkeeper {
    connections: Admission,
    /// Whose addresses are exempt from the share; `None` exempts all.
    rates: Option<RateConfig>,
}

impl Doorkeeper {
    /// Counts connections per network, unless it is trusted. Behind proxies of ours the peers are those
    /// proxies, so they count only in all.
    pub fn new(rates: &RateConfig) -> Self {
        Self {
            connections: Admission::new(CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX),
            rates: (rates.proxies == 0).then(|| rates.clone()),
        }
    }

    /// Counts connections in all alone.
    pub fn unshared() -> Self {
        Self {
            connections: Admission::new(CONNECTIONS_MAX, CONNECTIONS_MAX),
            rates: None,
        }
    }

    /// A place for a connection from there, if there is one.
    pub(super) fn admit(&self, peer: IpAddr) -> Option<Place> {
        let is_counted = self.rates.as_ref().is_some_and(|it| !it.trusts(peer));
        let holder = is_counted.then(|| Holder::Network(Network::of(peer)));
        let reason = match self.connections.try_take(holder.as_slice()) {
            Ok(place) => return Some(place),
            Err(Full::Everywhere) => "full",
            Err(Full::For(_)) => "share",
        };
        close(reason);
        None
    }
}

/// Notes why a connection was closed.
pub(super) fn close(reason: &'static str) {
    metrics()
        .http_connections_closed
        .with_label_values(&[reason])
        .inc();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_holds_its_share_of_connections_gets_no_more() {
        let rates = RateConfig {
            trusted: vec!["198.51.100.0/24".parse().unwrap()],
            ..RateConfig::default()
        };
        let doorkeeper = Doorkeeper::new(&rates);
        let admit = |address: &str| doorkeeper.admit(address.parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..CONNECTIONS_PER_NETWORK_MAX {
            held.extend(admit("192.0.2.1"));
        }
        assert_eq!(held.len(), CONNECTIONS_PER_NETWORK_MAX);
        assert!(admit("192.0.2.1").is_none());
        assert!(admit("192.0.2.2").is_some(), "others connect");
        for _ in 0..=CONNECTIONS_PER_NETWORK_MAX {
            held.push(admit("198.51.100.7").expect("a trusted address has no share"));
        }
        held.clear();
        assert!(admit("192.0.2.1").is_some(), "places are given back");
    }

    #[test]
    fn proxies_of_ours_have_no_share() {
        let rates = RateConfig {
            proxies: 1,
            ..RateConfig::default()
        };
        let doorkeeper = Doorkeeper::new(&rates);
        let proxy = "10.0.0.1".parse().unwrap();
        let held: Vec<Place> = (0..=CONNECTIONS_PER_NETWORK_MAX)
            .filter_map(|_| doorkeeper.admit(proxy))
            .collect();
        assert_eq!(held.len(), CONNECTIONS_PER_NETWORK_MAX + 1);
    }
}
