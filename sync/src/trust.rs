//! Which servers are trusted, in the terms of libpq: any, by the chain of the certificate, or by the chain and the
//! name.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Which part of a server's certificate is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "postgres"), allow(dead_code, reason = "only Postgres has the others"))]
pub(crate) enum Check {
    /// Nothing: `prefer`, `require`, and no `sslmode` at all.
    Nothing,
    /// That a trusted certificate authority has signed it: `verify-ca`.
    Chain,
    /// Also that it is for the server's name: `verify-full`.
    ChainAndName,
}

/// Verifies a server's certificate, and accepts a self-signed one if it is among the given ones.
#[derive(Debug)]
pub(crate) struct Trust {
    check: Check,
    /// Verifies chain and name; `None` if nothing is verified.
    verifier: Option<Arc<dyn ServerCertVerifier>>,
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    is_warned: AtomicBool,
}

impl Trust {
    /// With a verifier of chain and name, or none; and with certificates that are accepted as they are.
    pub(crate) fn new(
        check: Check,
        verifier: Option<Arc<dyn ServerCertVerifier>>,
        roots: &[CertificateDer<'static>],
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Trust { check, verifier, roots: roots.to_vec(), provider, is_warned: AtomicBool::new(false) }
    }

    /// Whether a refused certificate is acceptable nevertheless: the name does not matter if only the chain counts, and
    /// a given self-signed certificate is accepted, as other libraries do and `webpki` does not.
    fn forgive(&self, error: Error, certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> Result<(), Error> {
        let is_given = self.roots.iter().any(|root| root.as_ref() == certificate.as_ref());
        let error = match error {
            // `webpki` checks the validity period before it reports that it is an authority.
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
            // A certificate without subject alternative names has its name only in the subject, which is no longer
            // read.
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
