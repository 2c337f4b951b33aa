//! Free loopback ports. A port is not held between the look and its use: whoever binds it retries.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// `preferred` if it is free, otherwise any free port; 0 prefers none.
pub fn free(preferred: u16) -> io::Result<u16> {
    if preferred != 0 && is_free(preferred) {
        return Ok(preferred);
    }
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Whether nobody listens on the port. (Rust's listener sets SO_REUSEADDR, so old connections in
/// TIME_WAIT do not count.)
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
