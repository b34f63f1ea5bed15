//! An authority as an Apple configuration profile (`.mobileconfig`), which iPhones, iPads and Macs
//! install, show and remove as one thing.
//!
//! A property list with one payload of type `com.apple.security.root`. Its identifiers follow from
//! the certificate, so that installing it twice replaces it and does not pile up. It is not
//! signed: mailscope has no certificate that Apple's systems would know.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Authority, certificate};

/// The profile as XML: a property list of few kinds of values.
pub(super) fn profile(authority: &Authority) -> Vec<u8> {
    let name = authority.name();
    let identifier = format!(
        "mailscope.authority.{}",
        certificate::hex(&certificate::sha256(&authority.certificate), "")
    );
    let content = STANDARD.encode(&authority.certificate);
    let root = dictionary(&format!(
        "{}{}{}",
        payload(
            "com.apple.security.root",
            &format!("{identifier}.root"),
            &name,
            &format!("Vouches for TLS servers: {}.", authority.scope),
        ),
        string("PayloadCertificateFileName", "mailscope.cer"),
        entry("PayloadContent", &format!("<data>{content}</data>"))
    ));
    let profile = dictionary(&format!(
        "{}{}{}",
        payload(
            "Configuration",
            &identifier,
            &name,
            "The certificate authority of a mailscope that records mail sessions. Remove it when \
             you are done.",
        ),
        string("PayloadOrganization", "mailscope"),
        entry("PayloadContent", &format!("<array>\n{root}</array>"))
    ));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \
         \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n{profile}</plist>\n"
    )
    .into_bytes()
}

/// The keys that every payload has.
fn payload(kind: &str, identifier: &str, name: &str, description: &str) -> String {
    let mut keys = String::new();
    for (key, value) in [
        ("PayloadType", kind),
        ("PayloadIdentifier", identifier),
        ("PayloadUUID", &uuid(identifier)),
        ("PayloadDisplayName", name),
        ("PayloadDescription", description),
    ] {
        keys.push_str(&string(key, value));
    }
    keys.push_str(&entry("PayloadVersion", "<integer>1</integer>"));
    keys
}

fn dictionary(entries: &str) -> String {
    format!("<dict>\n{entries}</dict>\n")
}

fn entry(key: &str, value: &str) -> String {
    format!("<key>{key}</key>\n{value}\n")
}

fn string(key: &str, value: &str) -> String {
    entry(key, &format!("<string>{}</string>", escaped(value)))
}

/// As XML has text; what no XML may hold becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut xml = String::new();
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(xml, "&#{};", u32::from(c)); // a string takes everything
            }
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    xml
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
        let xml = profile(&authority);
        assert_eq!(xml, profile(&authority));
        let read = plist::Value::from_reader_xml(Cursor::new(&xml)).unwrap();
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
        let other = profile(&Authority::ephemeral().unwrap());
        assert_ne!(xml, other);
    }

    #[test]
    fn any_text_is_read_as_it_was() {
        for (text, is_read) in [
            ("a & b <c> \"d\" 'e' ü\u{1f600}", None),
            ("\t1\r\n2", None),
            ("\u{1}\u{b}\u{1b}", Some("\u{fffd}\u{fffd}\u{fffd}")),
        ] {
            let xml = format!(
                "<plist version=\"1.0\">{}</plist>",
                dictionary(&string("key", text))
            );
            let read = plist::Value::from_reader_xml(Cursor::new(&xml)).unwrap();
            let read = read.as_dictionary().unwrap()["key"].as_string();
            assert_eq!(read, Some(is_read.unwrap_or(text)));
        }
    }

    #[test]
    fn a_uuid_of_version_8() {
        let uuid = uuid("abc");
        // SHA-256 of "abc" with version and variant put in.
        assert_eq!(uuid, "BA7816BF-8F01-8FEA-8141-40DE5DAE2223");
    }
}
