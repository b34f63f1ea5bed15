//! What mailbox names are written in, and what they read as.
//!
//! ```text
//! Entw&APw-rfe         modified UTF-7 (RFC 3501, section 5.1.3): Entwürfe
//! "Entwürfe"           UTF-8 (RFC 9051, section 5.1; RFC 6855, section 3)
//! ```
//!
//! It promises to decode only what RFC 3501 allows, since two names that read the same would be two
//! mailboxes: what breaks a rule is left as it is.

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Base64 with `,` for `/`, without padding; bits that are left over have to be zero.
const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// What mailbox names are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailboxNames {
    /// `Entw&APw-rfe`
    #[default]
    ModifiedUtf7,
    /// `Entwürfe`
    Utf8,
}

impl MailboxNames {
    /// What the name reads as; `None` where that is the name itself, or where the name breaks a rule.
    pub fn decoded(self, name: &[u8]) -> Option<String> {
        match self {
            Self::ModifiedUtf7 => decoded(name),
            Self::Utf8 => None,
        }
    }
}

/// What a name in modified UTF-7 reads as; `None` where that is the name itself, or where the name
/// breaks a rule.
fn decoded(name: &[u8]) -> Option<String> {
    if !name.contains(&b'&') {
        return None;
    }
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    let mut is_behind_shift = false;
    while let Some((octet, behind)) = rest.split_first() {
        match octet {
            b'&' => {
                let end = behind.iter().position(|octet| *octet == b'-')?;
                let (shifted, behind) = behind.split_at(end);
                match shifted {
                    [] => text.push('&'),
                    // `-&` is a superfluous shift.
                    _ if is_behind_shift => return None,
                    _ => push_shifted(&mut text, shifted)?,
                }
                is_behind_shift = !shifted.is_empty();
                rest = &behind[1..];
            }
            b' '..=b'~' => {
                text.push(char::from(*octet));
                is_behind_shift = false;
                rest = behind;
            }
            _ => return None,
        }
    }
    Some(text)
}

/// Adds what UTF-16 in base64 stands for. Printable US-ASCII stands for itself, and never here.
fn push_shifted(text: &mut String, shifted: &[u8]) -> Option<()> {
    let octets = BASE64.decode(shifted).ok()?;
    let (units, odd) = octets.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    for character in char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))) {
        let character = character.ok()?;
        if matches!(character, ' '..='~') {
            return None;
        }
        text.push(character);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::assert_linear;
    use proptest::prelude::*;

    /// RFC 3501, section 5.1.3, the other way round.
    fn encoded(text: &str) -> String {
        let mut name = String::new();
        let mut units = Vec::new();
        let flush = |name: &mut String, units: &mut Vec<u8>| {
            if !units.is_empty() {
                name.push('&');
                name.push_str(&BASE64.encode(std::mem::take(units)));
                name.push('-');
            }
        };
        for character in text.chars() {
            match character {
                ' '..='~' => {
                    flush(&mut name, &mut units);
                    name.push(character);
                    if character == '&' {
                        name.push('-');
                    }
                }
                other => {
                    let wide = other.encode_utf16(&mut [0; 2]).to_vec();
                    units.extend(wide.iter().flat_map(|unit| unit.to_be_bytes()));
                }
            }
        }
        flush(&mut name, &mut units);
        name
    }

    #[test]
    fn names_read_as_what_they_stand_for() {
        for (name, text) in [
            // RFC 3501, section 5.1.3
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("&AOk-", "é"),
            ("R&-D", "R&D"),
            ("&2D3cTQ-", "👍"),
            (
                "[Gmail]/Corbeille &- &AMk-t&AOk-",
                "[Gmail]/Corbeille & Été",
            ),
        ] {
            assert_eq!(decoded(name.as_bytes()).as_deref(), Some(text));
            assert_eq!(encoded(text), name);
        }
        assert_eq!(decoded(b"INBOX"), None);
        assert_eq!(decoded("Entwürfe".as_bytes()), None);
    }

    #[test]
    fn a_name_that_breaks_a_rule_is_left_as_it_is() {
        for (name, why) in [
            ("R&D", "never shifted back"),
            ("R&D-", "one character of base64"),
            ("&AO-", "half a unit of UTF-16"),
            ("&AOl-", "left over bits that are not zero"),
            ("&AOk=-", "padding"),
            ("&AO/k-", "not its alphabet"),
            ("&AGE-", "an a, which stands for itself"),
            ("&U,BTFw-&ZeVnLIqe-", "a superfluous shift"),
            ("&2D0-", "half a surrogate pair"),
            ("&3E3YPQ-", "surrogates in the wrong order"),
            ("&AOk-\u{e9}", "UTF-8 besides"),
            ("a&-\tb", "a control octet"),
        ] {
            assert_eq!(decoded(name.as_bytes()), None, "{name}: {why}");
        }
    }

    #[test]
    fn a_long_name_is_decoded_in_one_pass() {
        assert_linear(
            4_000,
            |size| "&AOk-&-".repeat(size),
            |name| assert!(decoded(name.as_bytes()).is_some()),
        );
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[ -~é世👍]{0,20}") {
            let name = encoded(&text);
            prop_assert_eq!(decoded(name.as_bytes()).unwrap_or(name), text);
        }

        #[test]
        fn every_other_name_is_looked_at_without_harm(name in "[&A-D,+/=-]{0,12}") {
            if let Some(text) = decoded(name.as_bytes()) {
                prop_assert_eq!(encoded(&text), name);
            }
        }
    }
}
