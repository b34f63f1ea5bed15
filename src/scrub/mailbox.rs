//! Mailboxes' names: words replaced in UTF-8 as in modified UTF-7 (RFC 3501, section 5.1.3).
//!
//! INBOX and hierarchy delimiters stay; so does a special-use attribute in a name's place.
//!
//! ```text
//! Entw&APw-rfe/2024     becomes     Kqmz&AOQ-wty/5813
//! ```

use base64::Engine;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::text::{Keep, Words};

pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A name, with quotes if it has some, and what is to stay of it.
pub fn mailbox(words: &mut Words, name: &[u8], keep: Keep) -> Vec<u8> {
    let bare = name.iter().skip_while(|octet| **octet == b'"');
    if bare.clone().next() == Some(&b'\\') {
        return words.octets(name, None, Keep::Protocol); // Gmail's labels: \Inbox
    }
    let Some(parts) = parts(name) else {
        let all: Vec<char> = String::from_utf8_lossy(name).chars().collect();
        note(words, &all, keep);
        return words.octets(name, None, keep);
    };
    let all: Vec<char> = parts.iter().flat_map(|part| part.text.clone()).collect();
    note(words, &all, keep);
    let new = words.characters(&all, keep);
    let mut instead = Vec::with_capacity(name.len());
    let mut position = 0;
    for part in parts {
        let text = &new[position..position + part.text.len()];
        position += text.len();
        let text: String = text.iter().collect();
        match part.is_shifted {
            false => instead.extend_from_slice(text.as_bytes()),
            true => {
                let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                instead.push(b'&');
                instead.extend(BASE64.encode(units).into_bytes());
                instead.push(b'-');
            }
        }
    }
    match instead.len() == name.len() {
        true => instead,
        false => words.octets(name, None, keep),
    }
}

/// The words are a mailbox's, INBOX excepted.
fn note(words: &mut Words, name: &[char], keep: Keep) {
    let text: String = name.iter().filter(|c| **c != '"').collect();
    let rest = match text.get(..5) {
        Some(inbox) if inbox.eq_ignore_ascii_case("INBOX") => 5,
        _ => 0,
    };
    if keep != Keep::Everything {
        words.are_private(&text.chars().skip(rest).collect::<Vec<_>>());
    }
}

/// A stretch of a name, in base64 or not.
struct Part {
    text: Vec<char>,
    is_shifted: bool,
}

/// The name's parts; `None` if it is not modified UTF-7.
fn parts(name: &[u8]) -> Option<Vec<Part>> {
    let mut rest = std::str::from_utf8(name).ok().filter(|n| n.is_ascii())?;
    let mut parts = Vec::new();
    let plain = |text: &str| Part {
        text: text.chars().collect(),
        is_shifted: false,
    };
    while let Some((before, shifted)) = rest.split_once('&') {
        let (base64, behind) = shifted.split_once('-')?;
        parts.push(plain(before));
        parts.push(match base64 {
            "" => plain("&-"),
            base64 => Part {
                text: decoded(base64)?,
                is_shifted: true,
            },
        });
        rest = behind;
    }
    parts.push(plain(rest));
    Some(parts)
}

/// What stands in base64 between `&` and `-`.
pub(super) fn decoded(base64: &str) -> Option<Vec<char>> {
    let octets = BASE64.decode(base64).ok()?;
    if octets.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = octets
        .chunks_exact(2)
        .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
        .collect();
    Some(String::from_utf16(&units).ok()?.chars().collect())
}
