//! Whom we believe to be the server: `--server-ca FILE`, `--insecure`, or the system's roots.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::{certificate, keys, provider, verdict};
use crate::error::{Doing, Error, Result};

/// Which server certificates are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerTrust {
    /// Those that this system's authorities vouch for.
    System,
    /// Those that an authority in this PEM file vouches for, and those that are in it themselves.
    File(PathBuf),
    /// Those that this authority vouches for, which is one of ours.
    Authority(CertificateDer<'static>),
    /// All: `--insecure`.
    Nothing,
}

impl ServerTrust {
    /// Reads the files once, for all connections of the run.
    pub(super) fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>> {
        let algorithms = provider().signature_verification_algorithms;
        Ok(match self {
            Self::System => Arc::new(Checked {
                roots: webpki(system_roots()?)?,
                pinned: Vec::new(),
                algorithms,
            }),
            Self::File(path) => {
                let certificates = read_file(path)?;
                Arc::new(Checked {
                    roots: webpki(roots_among(&certificates, path)?)?,
                    pinned: certificates,
                    algorithms,
                })
            }
            Self::Authority(authority) => {
                let mut roots = RootCertStore::empty();
                roots
                    .add(authority.clone())
                    .doing(|| "trust our own authority".into())?;
                Arc::new(Checked {
                    roots: webpki(roots)?,
                    pinned: Vec::new(),
                    algorithms,
                })
            }
            Self::Nothing => Arc::new(Unchecked { algorithms }),
        })
    }

    /// Whether a connection that comes about was verified.
    pub(super) fn verifies(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

fn system_roots() -> Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Systems carry some that are malformed; those are trusted by nobody.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = match found.errors.first() {
            Some(error) => format!("none is found ({error})"),
            None => "none is found".to_owned(),
        };
        return Err(
            Error::new("load this system's certificate authorities", why)
                .hint("--server-ca FILE with the authority of the server's certificate, in PEM"),
        );
    }
    Ok(roots)
}

fn read_file(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let reading = || format!("read the certificates in {}", path.display());
    let octets = std::fs::read(path).map_err(|error| {
        Error::new(reading(), error).hint("--server-ca FILE, a file with certificates in PEM")
    })?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&octets)
        .collect::<Result<_, _>>()
        .map_err(|error| {
            Error::new(reading(), certificate::pem_words(&error)).hint("a whole PEM file")
        })?;
    if certificates.is_empty() {
        return Err(Error::new(reading(), "there is none in PEM").hint(
            "a file with -----BEGIN CERTIFICATE-----; one in DER becomes that by \
             `openssl x509 -inform der -in FILE -out FILE.pem`",
        ));
    }
    Ok(certificates)
}

/// The authorities among the certificates. Others are good for themselves only: their keys lie on
/// servers, and must not vouch for names that those servers do not have.
fn roots_among(certificates: &[CertificateDer<'static>], path: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates.iter().enumerate() {
        let reading = || format!("read certificate {} in {}", index + 1, path.display());
        let read = certificate::read(certificate)
            .ok_or_else(|| Error::new(reading(), "it is malformed").hint("leave it out"))?;
        // Version 1 knows no extensions, so a root of that age cannot say that it is one.
        let old_root = read.version().0 == 0 && read.subject() == read.issuer();
        if read.is_ca() || old_root {
            roots.add(certificate.clone()).doing(reading)?;
        }
    }
    Ok(roots)
}

fn webpki(roots: RootCertStore) -> Result<Option<Arc<WebPkiServerVerifier>>> {
    if roots.is_empty() {
        return Ok(None);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map(Some)
        .doing(|| "set up TLS to the server".into())
}

/// Believes authorities, and certificates that it knows octet for octet.
#[derive(Debug)]
struct Checked {
    roots: Option<Arc<WebPkiServerVerifier>>,
    /// webpki itself never takes an authority's certificate for a server's, which many
    /// self-signed ones are.
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Checked {
    fn check(
        &self,
        presented: &CertificateDer<'_>,
        further: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if self.pinned.contains(presented) {
            check_time(presented, now)?;
            return verify_server_name(&ParsedCertificate::try_from(presented)?, name);
        }
        match &self.roots {
            Some(roots) => roots
                .verify_server_cert(presented, further, name, &[], now)
                .map(|_| ()),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }
}

fn check_time(presented: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let read = certificate::read(presented).ok_or(CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < read.validity().not_before.timestamp() {
        Err(CertificateError::NotValidYet)
    } else if now > read.validity().not_after.timestamp() {
        Err(CertificateError::Expired)
    } else {
        Ok(())
    }
}

impl ServerCertVerifier for Checked {
    fn verify_server_cert(
        &self,
        presented: &CertificateDer<'_>,
        further: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.check(presented, further, name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => Err(verdict::explained(error, presented, name)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        presented: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, presented, signature, &self.algorithms)
            .map_err(|error| verdict::of_the_proof(error, presented))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        presented: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, presented, signature, &self.algorithms)
            .map_err(|error| verdict::of_the_proof(error, presented))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Believes everybody, but has the peer prove that the certificate it shows is its own, so that
/// the transcript names the right one.
struct Unchecked {
    algorithms: WebPkiSupportedAlgorithms,
}

impl fmt::Debug for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unchecked")
    }
}

/// Whether webpki can read the certificate, which takes version 3, and its key. For others the proof is
/// waived: `openssl x509 -req` makes version 1, old devices have short keys, and people have such servers at
/// home.
fn can_be_proved(presented: &CertificateDer<'_>) -> bool {
    ParsedCertificate::try_from(presented).is_ok() && keys::unknown(presented).is_none()
}

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _presented: &CertificateDer<'_>,
        _further: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        presented: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if !can_be_proved(presented) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(message, presented, signature, &self.algorithms)
            .map_err(|error| verdict::of_the_proof(error, presented))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        presented: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if !can_be_proved(presented) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(message, presented, signature, &self.algorithms)
            .map_err(|error| verdict::of_the_proof(error, presented))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        schemes.extend(keys::UNKNOWN_SCHEMES);
        schemes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(content: &[u8]) -> Error {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.pem");
        std::fs::write(&path, content).unwrap();
        let error = ServerTrust::File(path.clone()).verifier().unwrap_err();
        assert!(
            error.to_string().contains(&*path.to_string_lossy()),
            "{error}"
        );
        assert!(error.what_to_try().is_some(), "{error}");
        error
    }

    #[test]
    fn a_file_without_certificates_is_named() {
        assert!(error_of(b"").why().contains("none in PEM"));
        assert!(
            error_of(b"\x30\x82\x01\x02")
                .what_to_try()
                .unwrap()
                .contains("-inform der")
        );
        error_of(b"-----BEGIN CERTIFICATE-----\nAAAA\n");
        let malformed = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(error_of(malformed).to_string().contains("certificate 1"));
        let missing = ServerTrust::File("no/such/file.pem".into());
        let error = missing.verifier().unwrap_err();
        assert!(error.to_string().contains("no/such/file.pem"), "{error}");
        assert!(
            error.what_to_try().unwrap().contains("--server-ca"),
            "{error}"
        );
    }
}
