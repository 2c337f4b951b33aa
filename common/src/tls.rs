//! One provider of cryptography for every TLS client of a process.

/// Makes ring the provider; call it before the first `reqwest` client is built. Again does nothing.
pub fn install_provider() {
    // Fails only if a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
