//! The certificates by which a server is verified: those that the system trusts, and those that an app adds.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::certificates::provider;
use crate::source::Failure;
use crate::trust::{Check, Trust};

/// A configuration that trusts the system's certificates and these.
///
/// On a system without any, as in an empty container, only stores behind https fail.
pub(super) fn tls(roots: &[CertificateDer<'static>], is_needed: bool) -> Result<ClientConfig, Failure> {
    let provider = provider();
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match Verifier::new_with_extra_roots(roots.iter().cloned(), Arc::clone(&provider)) {
        Ok(verifier) => {
            let trust = Trust::new(Check::ChainAndName, Some(Arc::new(verifier)), roots, provider);
            builder.dangerous().with_custom_certificate_verifier(Arc::new(trust))
        }
        Err(error) if is_needed => return Err(Failure::from(error)),
        Err(_) => builder.with_root_certificates(RootCertStore::empty()),
    };
    Ok(builder.with_no_client_auth())
}
