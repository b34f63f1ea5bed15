//! What a certificate says, for a transcript and for error messages. It judges nothing.

use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::{CertificateDer, pem};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use std::net::IpAddr;

/// The certificate of a [`Secured`](crate::event::Secured): `subject`, `issuer`, `names`,
/// `not_before` and `not_after` (RFC 3339, UTC), `sha256` (hex), `chain` (the subjects of the
/// certificates sent with it), `further` (those certificates, each with all of these but `names`)
/// and, where it was for us to judge, `verified`.
///
/// Of one that cannot be read there is the `sha256` alone.
pub(super) fn describe(chain: &[CertificateDer<'_>], verified: Option<bool>) -> Value {
    let mut described = Map::new();
    let Some((leaf, further)) = chain.split_first() else {
        return Value::Object(described);
    };
    if let Some(read) = read(leaf) {
        identify(&mut described, &read);
        described.insert("names".into(), json!(names(&read)));
        date(&mut described, &read);
    }
    described.insert("sha256".into(), hex(&sha256(leaf), "").into());
    let subjects: Vec<_> = further
        .iter()
        .map(|certificate| read(certificate).map(|read| printable(read.subject())))
        .collect();
    described.insert("chain".into(), json!(subjects));
    let further: Vec<_> = further.iter().map(describe_further).collect();
    described.insert("further".into(), further.into());
    if let Some(verified) = verified {
        described.insert("verified".into(), verified.into());
    }
    Value::Object(described)
}

fn describe_further(certificate: &CertificateDer<'_>) -> Value {
    let mut described = Map::new();
    if let Some(read) = read(certificate) {
        identify(&mut described, &read);
        date(&mut described, &read);
    }
    described.insert("sha256".into(), hex(&sha256(certificate), "").into());
    Value::Object(described)
}

fn identify(described: &mut Map<String, Value>, read: &X509Certificate<'_>) {
    described.insert("subject".into(), printable(read.subject()).into());
    described.insert("issuer".into(), printable(read.issuer()).into());
}

fn date(described: &mut Map<String, Value>, read: &X509Certificate<'_>) {
    let validity = read.validity();
    for (name, time) in [
        ("not_before", validity.not_before),
        ("not_after", validity.not_after),
    ] {
        described.insert(name.into(), rfc3339(time.to_datetime()).into());
    }
}

/// Parses one certificate.
pub(super) fn read<'a>(certificate: &'a CertificateDer<'_>) -> Option<X509Certificate<'a>> {
    X509Certificate::from_der(certificate)
        .ok()
        .map(|(_, read)| read)
}

/// What is wrong with a PEM file, without its content.
pub(super) fn pem_words(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::NoItemsFound => "there is none in PEM",
        pem::Error::MissingSectionEnd { .. } => "its PEM is cut short: an END line is missing",
        _ => "its PEM is malformed",
    }
}

/// The hosts that a certificate is for (RFC 5280, section 4.2.1.6).
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    names
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(without_controls(name)),
            GeneralName::IPAddress(octets) => address(octets).map(|address| address.to_string()),
            _ => None,
        })
        .collect()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        Some(octets.into())
    } else {
        <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
    }
}

/// A subject or issuer for people: `CN=imap.example.com`. The peer wrote it, so that control
/// characters are replaced.
pub(super) fn printable(name: &X509Name<'_>) -> String {
    without_controls(&name.to_string())
}

fn without_controls(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}

/// `2026-11-23T12:00:00Z`
pub(super) fn rfc3339(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// The fingerprint of the DER octets.
pub(super) fn sha256(octets: &[u8]) -> Vec<u8> {
    match TLS13_AES_128_GCM_SHA256.tls13() {
        Some(suite) => suite.common.hash_provider.hash(octets).as_ref().to_vec(),
        // That suite is one of TLS 1.3.
        None => Vec::new(),
    }
}

/// Hexadecimal digits, the octets set apart by `between`.
pub(super) fn hex(octets: &[u8], between: &str) -> String {
    let pairs: Vec<_> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    pairs.join(between)
}

#[cfg(test)]
mod tests {
    use super::super::Authority;
    use super::*;

    #[test]
    fn a_minted_certificate_described() {
        let authority = Authority::ephemeral().unwrap();
        let leaf = authority.leaf(None).unwrap();
        let described = describe(&leaf.cert, Some(true));
        assert_eq!(described["subject"], "CN=localhost");
        assert_eq!(described["names"], json!(["localhost", "127.0.0.1", "::1"]));
        assert_eq!(described["chain"], json!([described["issuer"]]));
        let [issuer] = described["further"].as_array().unwrap().as_slice() else {
            panic!("{described}");
        };
        assert_eq!(issuer["subject"], described["issuer"]);
        assert_eq!(issuer["issuer"], described["issuer"]);
        let fingerprint = authority.fingerprint_sha256().replace(':', "");
        assert_eq!(issuer["sha256"], fingerprint.to_ascii_lowercase());
        assert!(issuer["not_after"].is_string());
        assert_eq!(described["sha256"].as_str().unwrap().len(), 64);
        assert_eq!(described["verified"], true);
        let not_after = described["not_after"].as_str().unwrap();
        assert!(
            OffsetDateTime::parse(not_after, &Rfc3339).is_ok(),
            "{not_after}"
        );
        assert!(not_after.ends_with('Z'), "{not_after}");
        assert!(describe(&leaf.cert, None).get("verified").is_none());
    }

    #[test]
    fn an_unreadable_certificate_has_a_fingerprint() {
        let described = describe(&[CertificateDer::from(b"abc".to_vec())], Some(false));
        assert_eq!(
            described["sha256"],
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(described.get("subject"), None);
    }

    #[test]
    fn control_characters_of_a_peer_are_replaced() {
        assert_eq!(
            without_controls("a\u{1b}[31m\u{9b}b"),
            "a\u{fffd}[31m\u{fffd}b"
        );
    }
}
