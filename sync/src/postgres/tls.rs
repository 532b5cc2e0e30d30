//! TLS to Postgres: verification and trusted certificates.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::certificates::provider;
use crate::source::Failure;
use crate::trust::{Check, Trust};

/// A certificate and its key, by which a client shows who it is.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// TLS that verifies a server as `check` says, by these certificates or, without any, by those that the machine trusts.
pub(super) fn config(
    check: Check,
    roots: &[CertificateDer<'static>],
    identity: Option<Identity>,
) -> Result<Arc<ClientConfig>, Failure> {
    let provider = provider();
    let verifier: Option<Arc<dyn ServerCertVerifier>> = match check {
        Check::Nothing => None,
        _ if roots.is_empty() => Some(Arc::new(rustls_platform_verifier::Verifier::new(Arc::clone(&provider))?)),
        _ => {
            let mut store = RootCertStore::empty();
            for root in roots {
                store.add(root.clone())?;
            }
            Some(WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider)).build()?)
        }
    };
    let trust = Trust::new(check, verifier, roots, Arc::clone(&provider));
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust));
    Ok(Arc::new(match identity {
        Some((certificates, key)) => builder.with_client_auth_cert(certificates, key)?,
        None => builder.with_no_client_auth(),
    }))
}
