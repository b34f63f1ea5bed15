//! Keys of certificates that cannot be checked here, so that nobody can prove to have them.

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::PublicKey;

use super::certificate;

/// What can be checked, in words.
pub(super) const KNOWN: &str = "RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384, Ed25519";

/// Bits of an RSA key that ring checks.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// How servers with such keys sign, for them to begin at all (RFC 8446, section 4.2.3).
pub(super) const UNKNOWN_SCHEMES: [SignatureScheme; 2] = [
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED448,
];

/// The kind of the certificate's key, if it is one that cannot be checked: `RSA, 1024 bits`. None for a
/// certificate that cannot be read.
pub(super) fn unknown(presented: &CertificateDer<'_>) -> Option<String> {
    kind(&certificate::read(presented)?)
}

fn kind(read: &X509Certificate<'_>) -> Option<String> {
    let key = read.public_key();
    let curve = key.algorithm.parameters.as_ref();
    let curve = curve.and_then(|curve| curve.as_oid().ok());
    // RFC 3279, section 2.3; RFC 5480, section 2.1.1.1; RFC 8410, section 3.
    match key.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" => match key.parsed() {
            Ok(PublicKey::RSA(rsa)) if RSA_BITS.contains(&rsa.key_size()) => None,
            Ok(PublicKey::RSA(rsa)) => Some(format!("RSA, {} bits", rsa.key_size())),
            _ => Some("RSA, malformed".into()),
        },
        "1.2.840.10045.2.1" => match curve.map(|curve| curve.to_id_string()).as_deref() {
            Some("1.2.840.10045.3.1.7" | "1.3.132.0.34") => None,
            Some("1.3.132.0.35") => Some("ECDSA, P-521".into()),
            Some(curve) => Some(format!("ECDSA, curve {curve}")),
            None => Some("ECDSA, a curve without a name".into()),
        },
        "1.3.101.112" => None,
        "1.3.101.113" => Some("Ed448".into()),
        "1.2.840.113549.1.1.10" => Some("RSA for PSS alone".into()),
        other => Some(format!("algorithm {other}")),
    }
}
