//! Why a server's certificate is not good, in words for people.
//!
//! Each reads behind "the server's certificate does not verify: ".

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, OtherError};

use super::{certificate, keys};

/// Names shown of a certificate that is for many.
const NAMES_SHOWN: usize = 5;

/// The words, on their way through the TLS library.
#[derive(Debug)]
struct Explained(String);

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Explained {}

/// Puts words to the error while the certificate is at hand; the library hands out the error alone.
pub(super) fn explained(
    error: rustls::Error,
    presented: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> rustls::Error {
    let rustls::Error::InvalidCertificate(error) = error else {
        return error;
    };
    let why = words(&error, presented, name);
    rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Explained(
        why,
    )))))
}

/// The same of the proof that the server has the certificate's key. A key that cannot be checked is no fault
/// of the certificate's.
pub(super) fn of_the_proof(error: rustls::Error, presented: &CertificateDer<'_>) -> rustls::Error {
    let told = |why: String| OtherError(Arc::new(Explained(why)));
    match (keys::unknown(presented), error) {
        (Some(kind), _) => rustls::Error::Other(told(format!(
            "its certificate's key ({kind}) is of a kind that mailscope cannot check; it can check {}; \
             --insecure goes without",
            keys::KNOWN
        ))),
        (None, rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
            rustls::Error::InvalidCertificate(CertificateError::Other(told(
                "the server did not prove that the certificate is its own (its signature is wrong)"
                    .into(),
            )))
        }
        (None, error) => error,
    }
}

fn words(
    error: &CertificateError,
    presented: &CertificateDer<'_>,
    name: &ServerName<'_>,
) -> String {
    let Some(read) = certificate::read(presented) else {
        return "it cannot be read".into();
    };
    let subject = certificate::printable(read.subject());
    let self_signed = read.subject() == read.issuer();
    let date = |time: x509_parser::time::ASN1Time| certificate::rfc3339(time.to_datetime());
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            // It may be that of an authority between, whose date is not at hand.
            let own = read.validity().not_after;
            if own < x509_parser::time::ASN1Time::now() {
                format!("it expired on {}", date(own))
            } else {
                "one of the authorities that vouch for it expired".into()
            }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => format!(
            "it is valid only from {} on; is this computer's clock right?",
            date(read.validity().not_before)
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!(
                "it is for {}, not for {}",
                shown(certificate::names(&read)),
                name.to_str()
            )
        }
        // webpki looks at this before it looks for an issuer.
        CertificateError::UnknownIssuer | CertificateError::Other(_) if self_signed => {
            format!("it is self-signed ({subject}), so nobody vouches for it")
        }
        CertificateError::UnknownIssuer => format!(
            "no authority that is trusted here vouches for it (issued by {})",
            certificate::printable(read.issuer())
        ),
        CertificateError::BadEncoding => "it is malformed".into(),
        CertificateError::BadSignature => "its signature is wrong".into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not for TLS servers".into()
        }
        CertificateError::Other(_) if read.is_ca() => {
            format!("it is that of an authority ({subject}), not of a server")
        }
        other => other.to_string(),
    }
}

fn shown(names: Vec<String>) -> String {
    match names.len() {
        0 => "no host at all (its common name does not count)".into(),
        count if count <= NAMES_SHOWN => names.join(", "),
        count => format!(
            "{} and {} more",
            names[..NAMES_SHOWN].join(", "),
            count - NAMES_SHOWN
        ),
    }
}
