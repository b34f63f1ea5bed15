//! Encodings in which text and octets stand in mails: quoted-printable and percent encoding, base64,
//! encoded words. Each is decoded, and written again with as many other octets in the same form.
//!
//! Not which words are in them (`text.rs`).

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;

/// Bits behind the last octet are of no meaning, and some encoders leave them set.
pub const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Text with escapes, decoded, and how each octet was written.
pub struct Escapes {
    /// The octets.
    pub decoded: Vec<u8>,
    /// Where each stands, and in how many octets: 1, or 3 as an escape.
    pub places: Vec<(usize, usize)>,
}

impl Escapes {
    /// `=` at a line's end is a line that goes on; `_` in encoded words is no part of a word either way.
    pub fn of(text: &[u8], escape: u8) -> Self {
        let mut escapes = Self {
            decoded: Vec::with_capacity(text.len()),
            places: Vec::with_capacity(text.len()),
        };
        let mut position = 0;
        while let Some(octet) = text.get(position) {
            let rest = &text[position..];
            let (decoded, length) = match (*octet == escape, hexadecimal(rest)) {
                (true, Some(octet)) => (Some(octet), 3),
                (true, None) if rest[1..].starts_with(b"\r\n") => (None, 3),
                (true, None) if rest[1..].starts_with(b"\n") => (None, 2),
                _ => (Some(*octet), 1),
            };
            if let Some(decoded) = decoded {
                escapes.decoded.push(decoded);
                escapes.places.push((position, length));
            }
            position += length;
        }
        escapes
    }

    /// Other octets, as many, written as these were.
    pub fn again(&self, text: &[u8], instead: &[u8]) -> Vec<u8> {
        let mut again = text.to_vec();
        let pairs = self.decoded.iter().zip(instead);
        for ((old, new), (position, length)) in pairs.zip(&self.places) {
            match length {
                _ if old == new => {}
                1 => again[*position] = *new,
                _ => {
                    let digits = &mut again[position + 1..position + 3];
                    let is_lower = digits.iter().any(u8::is_ascii_lowercase);
                    let digits_then = match is_lower {
                        true => format!("{new:02x}"),
                        false => format!("{new:02X}"),
                    };
                    digits.copy_from_slice(digits_then.as_bytes());
                }
            }
        }
        again
    }
}

/// The octet that `=C3` stands for.
fn hexadecimal(text: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
    match digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        true => u8::from_str_radix(digits, 16).ok(),
        false => None,
    }
}

/// Base64 with its line ends taken out, decoded; `None` if it is none.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.iter().copied().filter(|o| !o.is_ascii_whitespace());
    let digits: Vec<u8> = digits.collect();
    BASE64.decode(digits).ok()
}

/// As many octets in base64, in the lines of the base64 that was there.
pub fn in_base64_again(text: &[u8], octets: &[u8]) -> Vec<u8> {
    let encoded = BASE64.encode(octets);
    let mut digits = encoded.bytes();
    let again = text.iter().map(|octet| match octet {
        octet if octet.is_ascii_whitespace() => *octet,
        octet => digits.next().unwrap_or(*octet),
    });
    again.collect()
}

/// Other octets in the same lines: for ASCII such that no 7-bit way changes.
pub fn in_lines(octets: &[u8], instead: &[u8]) -> Vec<u8> {
    let pairs = octets.iter().zip(instead);
    let one = |(old, new): (&u8, &u8)| match old {
        b'\r' | b'\n' | b' ' | b'\t' | 0 => *old,
        0x80.. => 0x80 | *new,
        _ => b'a' + *new % 26,
    };
    pairs.map(one).collect()
}

/// `=?utf-8?Q?Gr=C3=BCn?=`
pub struct EncodedWord {
    /// All of it.
    pub whole: Range<usize>,
    /// Between the last two `?`.
    pub content: Range<usize>,
    /// The charset's label.
    pub charset: String,
    /// `B`, not `Q`.
    pub is_base64: bool,
}

impl EncodedWord {
    /// Its octets in the charset.
    pub fn decoded(&self, text: &[u8]) -> Vec<u8> {
        let content = &text[self.content.clone()];
        match self.is_base64 {
            true => from_base64(content).unwrap_or_default(),
            false => Escapes::of(content, b'=').decoded,
        }
    }
}

/// The next encoded words in one charset with white space alone between them.
pub fn encoded_words(text: &[u8], from: usize) -> Option<Vec<EncodedWord>> {
    let first = next_encoded_word(text, from)?;
    let mut group = vec![first];
    loop {
        let last = &group[group.len() - 1];
        let Some(next) = next_encoded_word(text, last.whole.end) else {
            return Some(group);
        };
        let between = &text[last.whole.end..next.whole.start];
        let is_next = between.iter().all(u8::is_ascii_whitespace);
        if !is_next || !next.charset.eq_ignore_ascii_case(&last.charset) {
            return Some(group);
        }
        group.push(next);
    }
}

fn next_encoded_word(text: &[u8], mut from: usize) -> Option<EncodedWord> {
    loop {
        let start = from + memchr::memmem::find(&text[from..], b"=?")?;
        if let Some(word) = encoded_word_at(text, start) {
            return Some(word);
        }
        from = start + 2;
    }
}

fn encoded_word_at(text: &[u8], start: usize) -> Option<EncodedWord> {
    let rest = &text[start + 2..];
    let is_end = |octet: &u8| matches!(octet, b'?' | b' ' | b'\r' | b'\n');
    let charset = rest.iter().position(is_end)?;
    let [b'?', encoding, b'?', ..] = rest[charset..] else {
        return None;
    };
    let content = start + 2 + charset + 3;
    let length = text[content..].iter().position(is_end)?;
    let content = content..content + length;
    let label = std::str::from_utf8(&rest[..charset]).ok()?;
    let label = label.split('*').next()?; // a language may follow (RFC 2231, section 5)
    let is_base64 = encoding.eq_ignore_ascii_case(&b'b');
    let is_known = is_base64 || encoding.eq_ignore_ascii_case(&b'q');
    let is_whole = text[content.end..].starts_with(b"?=");
    let can_be_read = !is_base64 || from_base64(&text[content.clone()]).is_some();
    (is_known && is_whole && can_be_read && Encoding::for_label(label.as_bytes()).is_some())
        .then_some(EncodedWord {
            whole: start..content.end + 2,
            content,
            charset: label.to_owned(),
            is_base64,
        })
}
