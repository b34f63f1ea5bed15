//! An authority as an Apple configuration profile (`.mobileconfig`), which iPhones, iPads and Macs
//! install, show and remove as one thing.
//!
//! A property list with one payload of type `com.apple.security.root`. Its identifiers follow from
//! the certificate, so that installing it twice replaces it and does not pile up. It is not
//! signed: mailscope has no certificate that Apple's systems would know.

use plist::{Dictionary, Value};

use super::{Authority, certificate};
use crate::error::{Doing, Result};

/// The profile as XML.
pub(super) fn profile(authority: &Authority) -> Result<Vec<u8>> {
    let name = authority.name();
    let identifier = format!(
        "mailscope.authority.{}",
        certificate::hex(&certificate::sha256(&authority.certificate), "")
    );
    let mut root = payload(
        "com.apple.security.root",
        &format!("{identifier}.root"),
        &name,
        &format!("Vouches for TLS servers: {}.", authority.scope),
    );
    root.insert("PayloadCertificateFileName".into(), "mailscope.cer".into());
    root.insert(
        "PayloadContent".into(),
        Value::Data(authority.certificate.to_vec()),
    );
    let mut profile = payload(
        "Configuration",
        &identifier,
        &name,
        "The certificate authority of a mailscope that records mail sessions. Remove it when you \
         are done.",
    );
    profile.insert("PayloadOrganization".into(), "mailscope".into());
    profile.insert(
        "PayloadContent".into(),
        Value::Array(vec![Value::Dictionary(root)]),
    );
    let mut xml = Vec::new();
    Value::Dictionary(profile)
        .to_writer_xml(&mut xml)
        .doing(|| "write the authority as a configuration profile".into())?;
    xml.push(b'\n');
    Ok(xml)
}

/// The keys that every payload has.
fn payload(kind: &str, identifier: &str, name: &str, description: &str) -> Dictionary {
    let mut payload = Dictionary::new();
    for (key, value) in [
        ("PayloadType", kind),
        ("PayloadIdentifier", identifier),
        ("PayloadUUID", &uuid(identifier)),
        ("PayloadDisplayName", name),
        ("PayloadDescription", description),
    ] {
        payload.insert(key.into(), value.into());
    }
    payload.insert("PayloadVersion".into(), 1.into());
    payload
}

/// A UUID that follows from the identifier: version 8 of SHA-256 (RFC 9562, section 5.8 and
/// appendix B.2).
fn uuid(identifier: &str) -> String {
    let mut octets = certificate::sha256(identifier.as_bytes());
    octets.truncate(16);
    if let [_, _, _, _, _, _, version, _, variant, ..] = octets.as_mut_slice() {
        *version = *version & 0x0f | 0x80;
        *variant = *variant & 0x3f | 0x80;
    }
    let groups = [0..4, 4..6, 6..8, 8..10, 10..16]
        .map(|group| certificate::hex(octets.get(group).unwrap_or_default(), ""));
    groups.join("-").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_profile_holds_the_certificate_and_the_same_identifiers_each_time() {
        let authority = Authority::ephemeral().unwrap();
        let xml = profile(&authority).unwrap();
        assert_eq!(xml, profile(&authority).unwrap());
        let read = Value::from_reader_xml(Cursor::new(&xml)).unwrap();
        let outer = read.as_dictionary().unwrap();
        let root = outer["PayloadContent"].as_array().unwrap()[0]
            .as_dictionary()
            .unwrap();
        assert_eq!(root["PayloadContent"].as_data(), Some(&authority.der()[..]));
        assert_eq!(
            outer["PayloadDisplayName"].as_string(),
            Some(&*authority.name())
        );
        assert_ne!(outer["PayloadUUID"], root["PayloadUUID"]);
        let other = profile(&Authority::ephemeral().unwrap()).unwrap();
        assert_ne!(xml, other);
    }

    #[test]
    fn a_uuid_of_version_8() {
        let uuid = uuid("abc");
        // SHA-256 of "abc" with version and variant put in.
        assert_eq!(uuid, "BA7816BF-8F01-8FEA-8141-40DE5DAE2223");
    }
}
