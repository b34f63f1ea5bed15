//! A mailbox's name as people write it: INBOX in upper case (RFC 9051, section 5.1), modified UTF-7
//! read (RFC 3501, section 5.1.3). What is neither stays as it is.
//!
//! ```text
//! Entw&APw-rfe    Entwürfe
//! A &- B          A & B
//! R&D             R&D, since that is no UTF-7
//! ```

use std::sync::Arc;

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use crate::limits;

const MODIFIED: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name that these octets are; no longer than [`limits::MAILBOX_NAME`].
pub fn mailbox_name(octets: &[u8]) -> Arc<str> {
    if octets.eq_ignore_ascii_case(b"INBOX") {
        return "INBOX".into();
    }
    let octets = &octets[..octets.len().min(limits::MAILBOX_NAME)];
    let name = String::from_utf8_lossy(octets);
    match decoded(&name) {
        Some(decoded) => decoded.into(),
        None => name.into(),
    }
}

fn decoded(name: &str) -> Option<String> {
    let mut rest = name;
    let mut decoded = String::new();
    while let Some((plain, shifted)) = rest.split_once('&') {
        let (encoded, behind) = shifted.split_once('-')?;
        decoded.push_str(plain);
        match encoded {
            "" => decoded.push('&'),
            encoded => {
                let octets = MODIFIED.decode(encoded).ok()?;
                let (units, odd) = octets.as_chunks::<2>();
                let units = units.iter().map(|unit| u16::from_be_bytes(*unit));
                let text: Result<String, _> = char::decode_utf16(units).collect();
                decoded.push_str(&text.ok().filter(|_| odd.is_empty())?);
            }
        }
        rest = behind;
    }
    decoded.push_str(rest);
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (octets, name) in [
            ("inBox", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("A &- B", "A & B"),
            ("R&D", "R&D"),
            ("a&b-c", "a&b-c"),
            ("Grün", "Grün"),
        ] {
            assert_eq!(&*mailbox_name(octets.as_bytes()), name);
        }
    }
}
