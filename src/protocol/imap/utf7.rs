//! Mailbox names in modified UTF-7 (RFC 3501, section 5.1.3). Where UTF-8 is accepted, the same
//! mailbox has its name in UTF-8 (RFC 9755, section 3).
//!
//! ```text
//! C: a SELECT Entw&APw-rfe
//! C: b SELECT "Entwürfe"       the same
//! ```

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name in UTF-8; `None` if it is not modified UTF-7.
pub fn decoded(name: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(name).ok().filter(|n| n.is_ascii())?;
    let mut decoded = String::new();
    while let Some((plain, shifted)) = rest.split_once('&') {
        decoded.push_str(plain);
        let (base64, behind) = shifted.split_once('-')?;
        match base64 {
            "" => decoded.push('&'),
            base64 => {
                let octets = BASE64.decode(base64).ok()?;
                let units = octets.chunks(2).map(|unit| match unit {
                    [high, low] => Some(u16::from_be_bytes([*high, *low])),
                    _ => None,
                });
                let units: Vec<u16> = units.collect::<Option<_>>()?;
                decoded.push_str(&String::from_utf16(&units).ok()?);
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
    fn names_are_decoded_or_left() {
        for (name, expected) in [
            ("INBOX", Some("INBOX")),
            ("Entw&APw-rfe", Some("Entwürfe")),
            (
                "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
                Some("~peter/mail/台北/日本語"),
            ),
            ("R&-D", Some("R&D")),
            ("&2D3eAA-", Some("😀")),
            ("Tom & Jerry", None),
            ("A&B-C", None),
            ("Entwürfe", None),
        ] {
            assert_eq!(decoded(name.as_bytes()).as_deref(), expected, "{name}");
        }
    }
}
