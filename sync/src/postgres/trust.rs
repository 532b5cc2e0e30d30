//! Which servers are believed, by the words of libpq: none, the chain of the certificate, or the chain and the name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::source::Failure;

/// How much of a server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// Nothing: `prefer`, `require`, and no `sslmode` at all.
    Nothing,
    /// That a certificate authority which is trusted has signed it: `verify-ca`.
    Chain,
    /// Also that it is for the server's name: `verify-full`.
    ChainAndName,
}

/// A certificate and its key, by which a client shows who it is.
pub(super) type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The certificates in a text in PEM.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = read.map_err(|problem| Failure::new(format!("no certificate in PEM: {problem}")))?;
    if certificates.is_empty() {
        return Err(Failure::new("there is no certificate, expected one in PEM"));
    }
    Ok(certificates)
}

/// TLS that verifies so much, by these certificates or, without any, by those that the machine trusts.
pub(super) fn config(
    check: Check,
    roots: &[CertificateDer<'static>],
    identity: Option<Identity>,
) -> Result<Arc<ClientConfig>, Failure> {
    let provider = Arc::new(ring::default_provider());
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
    let trust = Trust {
        check,
        verifier,
        roots: roots.to_vec(),
        provider: Arc::clone(&provider),
        is_warned: AtomicBool::new(false),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trust));
    Ok(Arc::new(match identity {
        Some((certificates, key)) => builder.with_client_auth_cert(certificates, key)?,
        None => builder.with_no_client_auth(),
    }))
}

#[derive(Debug)]
struct Trust {
    check: Check,
    /// Verifies chain and name; none where nothing is verified.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    is_warned: AtomicBool,
}

impl Trust {
    /// Whether a refused certificate is good enough all the same: its name where only the chain counts, and one that is
    /// its own authority where it is given as it is, which other libraries take and `webpki` does not.
    fn forgive(&self, error: Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let is_given = self.roots.iter().any(|root| root.as_ref() == certificate.as_ref());
        let error = match error {
            // `webpki` has looked at its times before it says that it is an authority.
            Error::InvalidCertificate(CertificateError::Other(_)) if is_given => {
                match verify_server_name(&ParsedCertificate::try_from(certificate)?, name) {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                }
            }
            error => error,
        };
        match &error {
            Error::InvalidCertificate(CertificateError::NotValidForName) if self.check == Check::Chain => Ok(()),
            // A certificate without a list of names has one in its subject only, which nothing reads any more.
            Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. })
                if self.check == Check::Chain || (is_given && presented.is_empty()) =>
            {
                Ok(())
            }
            _ => Err(error),
        }
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(verifier) = &self.verifier else {
            if !self.is_warned.swap(true, Ordering::Relaxed) {
                let name = server_name.to_str();
                tracing::warn!(
                    "esclusa: the certificate of `{name}` is not verified; `sslmode=verify-full` verifies it, by the roots \
                     of this machine or those in `sslrootcert`"
                );
            }
            return Ok(ServerCertVerified::assertion());
        };
        let verified = verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        verified.or_else(|error| self.forgive(error, end_entity, server_name).map(|()| ServerCertVerified::assertion()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
