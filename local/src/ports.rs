//! Free loopback ports, kept from others until their server is about to bind them.
//!
//! Chosen below the ephemeral range: while a server is down, a client that keeps trying to reach
//! it would otherwise sooner or later be given the server's own port as its source, and hold it.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::time::Instant;

use crate::limits;

/// Linux hands out 32768 and above to clients, macOS 49152 and above.
const RANGE: Range<u16> = 20_000..32_768;
/// Of so many tries one is free, unless hardly any port is.
const ATTEMPTS_MAX: u32 = 100;

/// Chosen ports, all different. While this lives nobody else can bind them; drop it just before
/// their servers start.
#[derive(Debug)]
pub struct Reserved<const COUNT: usize> {
    ports: [u16; COUNT],
    _listeners: Vec<TcpListener>,
}

impl<const COUNT: usize> Reserved<COUNT> {
    /// The ports, in the order of the wishes.
    pub fn ports(&self) -> [u16; COUNT] {
        self.ports
    }
}

/// Reserves each wished port, or any free one where it is taken; 0 is no wish.
pub fn reserve<const COUNT: usize>(wishes: [u16; COUNT]) -> io::Result<Reserved<COUNT>> {
    let mut ports = wishes;
    let mut listeners = Vec::with_capacity(COUNT);
    for port in &mut ports {
        let listener = if *port == 0 {
            bind_any()?
        } else {
            bind(*port).or_else(|_| bind_any())?
        };
        *port = listener.local_addr()?.port();
        listeners.push(listener);
    }
    Ok(Reserved {
        ports,
        _listeners: listeners,
    })
}

/// `wish` if it is free, otherwise any free port; 0 is no wish. Nothing keeps others from it.
pub fn free(wish: u16) -> io::Result<u16> {
    Ok(reserve([wish])?.ports()[0])
}

/// Whether nobody listens on the port; always true of 0.
pub fn is_free(port: u16) -> bool {
    bind(port).is_ok()
}

/// Binds a server's own address. A port that was freed a moment ago may still be held: a child
/// that is being forked has a copy of every socket until it executes. That passes within
/// milliseconds, so a taken port is tried again for a while.
pub async fn listen(address: SocketAddr) -> io::Result<tokio::net::TcpListener> {
    let deadline = Instant::now() + limits::LISTEN_PATIENCE;
    loop {
        match tokio::net::TcpListener::bind(address).await {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                tokio::time::sleep(limits::LISTEN_INTERVAL).await;
            }
            result => return result,
        }
    }
}

fn bind_any() -> io::Result<TcpListener> {
    let mut result = bind(rand::random_range(RANGE));
    for _ in 1..ATTEMPTS_MAX {
        if result.is_ok() {
            break;
        }
        result = bind(rand::random_range(RANGE));
    }
    result
}

/// The standard library sets SO_REUSEADDR, so old connections in TIME_WAIT do not count.
fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_nobody_elses_until_it_is_dropped() {
        let first = reserve([0, 0]).unwrap();
        let [one, two] = first.ports();
        assert_ne!(one, two);
        assert_ne!(free(one).unwrap(), one);
        assert!(!is_free(two));
        drop(first);
        assert_eq!(free(one).unwrap(), one);
    }

    #[test]
    fn no_port_is_one_that_clients_are_given() {
        let ports = reserve([0; 16]).unwrap().ports();
        assert!(ports.iter().all(|port| RANGE.contains(port)), "{ports:?}");
    }
}
