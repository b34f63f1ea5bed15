//! Whom mailscope is to a server that asks for a client certificate: `--server-cert FILE`,
//! `--server-key FILE`.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};

use super::certificate;
use crate::error::{Error, Result};

/// A client's certificate with its chain and key.
#[derive(Clone)]
pub struct ClientIdentity {
    key: Arc<CertifiedKey>,
}

impl ClientIdentity {
    /// Reads it from PEM: the client's own certificate, the chain behind it if the server needs
    /// that, and the key (PKCS#8, PKCS#1 or SEC1), all of which may be in one file.
    ///
    /// # Errors
    ///
    /// A file cannot be read or has not what is looked for; the key is encrypted, is of a kind that
    /// mailscope has not, or is not that of the first certificate.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self> {
        let chain = read_chain(certificates)?;
        let signing = read_key(key)?;
        if !belong_together(&chain[0], &*signing) {
            return Err(Error::new(
                format!(
                    "use the client certificate in {} with the key in {}",
                    certificates.display(),
                    key.display()
                ),
                "the key does not belong to the file's first certificate",
            )
            .hint(
                "the key that was made with the certificate; the certificate itself comes before \
                 those of authorities",
            ));
        }
        Ok(Self {
            key: Arc::new(CertifiedKey::new(chain, signing)),
        })
    }

    /// The certificates, the client's own first.
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }
}

impl fmt::Debug for ClientIdentity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.chain().first().and_then(certificate::read);
        let subject = own.map(|read| certificate::printable(read.subject()));
        f.debug_tuple("ClientIdentity").field(&subject).finish()
    }
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let reading = || format!("read the client certificate in {}", path.display());
    let octets = std::fs::read(path).map_err(|error| {
        Error::new(reading(), error).hint("--server-cert FILE, a file with certificates in PEM")
    })?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&octets)
        .collect::<Result<_, _>>()
        .map_err(|error| {
            Error::new(reading(), certificate::pem_words(&error)).hint("a whole PEM file")
        })?;
    let Some(own) = chain.first() else {
        return Err(Error::new(reading(), "there is none in PEM").hint(
            "a file with -----BEGIN CERTIFICATE-----; one in PKCS#12 (.p12, .pfx) becomes that by \
             `openssl pkcs12 -in FILE -nokeys -out FILE.pem`",
        ));
    };
    match certificate::read(own) {
        Some(_) => Ok(chain),
        None => Err(Error::new(reading(), "its first certificate is malformed")
            .hint("a file whose first certificate is the client's own")),
    }
}

fn read_key(path: &Path) -> Result<Arc<dyn SigningKey>> {
    let failed =
        |why: &str| Error::new(format!("read the client's key in {}", path.display()), why);
    let octets = std::fs::read(path).map_err(|error| {
        failed(&error.to_string()).hint("--server-key FILE, a file with a private key in PEM")
    })?;
    if is_encrypted(&octets) {
        return Err(failed("it is encrypted with a passphrase").hint(format!(
            "a copy without one, that only you can read: `(umask 077; openssl pkey -in {} -out key.pem)`",
            path.display()
        )));
    }
    let key = PrivateKeyDer::from_pem_slice(&octets).map_err(|error| {
        failed(certificate::pem_words(&error)).hint(
            "a file with -----BEGIN PRIVATE KEY-----; one in PKCS#12 (.p12, .pfx) becomes that by \
             `openssl pkcs12 -in FILE -nocerts -nodes -out FILE.pem`",
        )
    })?;
    any_supported_type(&key).map_err(|_| {
        failed("it is malformed, or of a kind that mailscope has not")
            .hint("a key of RSA (2048 to 8192 bits), ECDSA (P-256, P-384) or Ed25519")
    })
}

/// Both ways in which PEM tells that there is a passphrase (RFC 5958, section 3; RFC 1421).
fn is_encrypted(pem: &[u8]) -> bool {
    let holds = |text: &[u8]| memchr::memmem::find(pem, text).is_some();
    holds(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || holds(b"Proc-Type: 4,ENCRYPTED")
}

/// By their public keys. The TLS library's own comparison knows no certificates of version 1, which
/// `openssl x509 -req` makes and servers take.
fn belong_together(certificate: &CertificateDer<'_>, key: &dyn SigningKey) -> bool {
    match (certificate::read(certificate), key.public_key()) {
        (Some(read), Some(public)) => read.public_key().raw == public.as_ref(),
        // What cannot be compared is for the server to judge.
        (_, None) => true,
        (None, _) => false,
    }
}

/// Answers one handshake's question for a client certificate, and remembers whether it came.
#[derive(Debug)]
pub(super) struct Answer {
    identity: Option<ClientIdentity>,
    was_asked: AtomicBool,
    has_shown: AtomicBool,
}

impl Answer {
    pub(super) fn new(identity: Option<&ClientIdentity>) -> Self {
        Self {
            identity: identity.cloned(),
            was_asked: AtomicBool::new(false),
            has_shown: AtomicBool::new(false),
        }
    }

    /// The certificates that the server was shown; none of them where it asked in vain.
    pub(super) fn given(&self) -> Option<&[CertificateDer<'static>]> {
        if !self.was_asked.load(Ordering::Relaxed) {
            return None;
        }
        let shown = self.identity.as_ref();
        let shown = shown.filter(|_| self.has_shown.load(Ordering::Relaxed));
        Some(shown.map_or(&[], ClientIdentity::chain))
    }
}

impl ResolvesClientCert for Answer {
    /// The one there is, whatever authorities the server names: which one it takes is for it to say.
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.was_asked.store(true, Ordering::Relaxed);
        let identity = self.identity.as_ref()?;
        identity.key.key.choose_scheme(schemes)?;
        self.has_shown.store(true, Ordering::Relaxed);
        Some(Arc::clone(&identity.key))
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}
