//! Certificates in PEM, and the cryptography that TLS uses.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::source::Failure;

/// The certificates in a text in PEM.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = read.map_err(|_| Failure::new("a certificate cannot be read, expected PEM"))?;
    if certificates.is_empty() {
        return Err(Failure::new("there is no certificate, expected PEM"));
    }
    Ok(certificates)
}

/// The cryptography that the app has chosen for its process, or else `ring`.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().cloned().unwrap_or_else(|| Arc::new(ring::default_provider()))
}
