//! Encoded words, which say in US-ASCII what is none (RFC 2047).
//!
//! ```text
//! =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= aus =?iso-8859-1?B?S/ZsbiA=?= =?iso-8859-1?B?KFJoZWluKQ==?=
//! ```
//!
//! For people to read: the text of the wire stands beside it. Not a check: words longer than 75
//! characters and characters cut in two by the border of two words are common, and are decoded. It
//! promises to leave as it is what is no encoded word, or has a character set that nobody knows.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;

/// Mailers leave out the padding, and some have bits left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One encoded word: `=?charset*language?encoding?text?=`.
struct Word {
    charset: &'static Encoding,
    octets: Vec<u8>,
}

/// What the text reads as; `None` where there is no encoded word in it.
pub fn decoded(text: &[u8]) -> Option<String> {
    memchr::memmem::find(text, b"=?")?;
    let mut read = String::with_capacity(text.len());
    // Words of one character set that follow each other, not yet decoded.
    let mut open: Option<Word> = None;
    // White space that is left out if another word follows.
    let mut space: &[u8] = b"";
    let mut has_words = false;
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((word, behind)) = word(rest) {
            has_words = true;
            match &mut open {
                Some(before) if before.charset == word.charset => before.octets.extend(word.octets),
                open => close(&mut read, open.replace(word)),
            }
            rest = behind;
            space = leading_space(rest);
            rest = &rest[space.len()..];
            continue;
        }
        close(&mut read, open.take());
        read.push_str(&String::from_utf8_lossy(std::mem::take(&mut space)));
        let end = memchr::memmem::find(&rest[1..], b"=?").map_or(rest.len(), |at| at + 1);
        read.push_str(&String::from_utf8_lossy(&rest[..end]));
        rest = &rest[end..];
    }
    close(&mut read, open);
    read.push_str(&String::from_utf8_lossy(space));
    has_words.then_some(read)
}

fn close(read: &mut String, word: Option<Word>) {
    if let Some(Word { charset, octets }) = word {
        let (text, _) = charset.decode_without_bom_handling(&octets);
        read.push_str(&text);
    }
}

fn leading_space(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|octet| !b" \t\r\n".contains(octet));
    &text[..end.unwrap_or(text.len())]
}

/// The encoded word at the beginning of `text`, and what follows it.
fn word(text: &[u8]) -> Option<(Word, &[u8])> {
    /// Octets of a character set's name and a language: none comes near it.
    const LABEL: usize = 80;
    let rest = text.strip_prefix(b"=?")?;
    let end = rest.iter().take(LABEL).position(|octet| *octet == b'?')?;
    let (label, rest) = (&rest[..end], &rest[end + 1..]);
    let charset = label.split(|octet| *octet == b'*').next()?;
    let charset = Encoding::for_label_no_replacement(charset)?;
    let [encoding, b'?', rest @ ..] = rest else {
        return None;
    };
    let end = rest
        .iter()
        .position(|octet| *octet == b'?' || octet.is_ascii_whitespace())?;
    let (encoded, rest) = rest.split_at(end);
    let rest = rest.strip_prefix(b"?=")?;
    let octets = match encoding {
        b'B' | b'b' => BASE64.decode(encoded).ok()?,
        b'Q' | b'q' => from_q(encoded)?.into_owned(),
        _ => return None,
    };
    Some((Word { charset, octets }, rest))
}

/// RFC 2047, section 4.2.
fn from_q(encoded: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !encoded.iter().any(|octet| b"_=".contains(octet)) {
        return Some(Cow::Borrowed(encoded));
    }
    let mut octets = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter().copied();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'_' => b' ',
            b'=' => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    Some(Cow::Owned(octets))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::assert_linear;
    use proptest::prelude::*;

    #[test]
    fn words_read_as_what_they_stand_for() {
        for (text, read) in [
            // RFC 2047, section 8
            ("=?US-ASCII?Q?Keith_Moore?=", "Keith Moore"),
            (
                "=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=",
                "Keld Jørn Simonsen",
            ),
            ("=?ISO-8859-1?Q?Andr=E9?= Pirard", "André Pirard"),
            (
                "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= \
                 =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
                "If you can read this you understand the example.",
            ),
            ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=", "ab"),
            ("=?ISO-8859-1?Q?a_b?=", "a b"),
            ("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"),
            // RFC 2231, section 5
            ("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"),
            // A character that two words share
            ("=?UTF-8?B?w6nD?= =?utf-8?Q?=A9!?=", "éé!"),
            ("=?utf-8?B?w6k?= tail ", "é tail "),
            ("Re: =?shift_jis?B?k/qWew==?=", "Re: 日本"),
        ] {
            assert_eq!(decoded(text.as_bytes()).as_deref(), Some(read), "{text}");
        }
    }

    #[test]
    fn what_is_no_encoded_word_is_left_as_it_is() {
        for text in [
            "plain",
            "a =? b",
            "=?UTF-8?Q?open",
            "=?UTF-8?X?abc?=",
            "=?no-such-charset?Q?abc?=",
            // The Encoding Standard has no decoder for these any more.
            "=?ISO-2022-KR?B?GyQpQw4xW0BMGyhC?=",
            "=?HZ-GB-2312?Q?~{VPND~}?=",
            "=?UTF-8?Q?=4?=",
            "=?UTF-8?Q?=XY?=",
            "=?UTF-8?B?%%?=",
            "=?UTF-8?Q?with space?=",
        ] {
            assert_eq!(decoded(text.as_bytes()), None, "{text}");
        }
        let mixed = decoded(b"=?x?Q?a?= =?UTF-8?Q?b?=  =?UTF-8?Q?open");
        assert_eq!(mixed.as_deref(), Some("=?x?Q?a?= b  =?UTF-8?Q?open"));
    }

    #[test]
    fn a_long_text_is_decoded_in_one_pass() {
        for piece in ["=?UTF-8?Q?=C3=A9?= ", "=?UTF-8?Q?a", "=?", "=?utf-8"] {
            assert_linear(
                2_000,
                |size| piece.repeat(size),
                |text| {
                    decoded(text.as_bytes());
                },
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_looked_at_without_harm(text in "(=\\?|utf-8|\\?|Q|B|=C3|\\?=| |é|_){0,16}") {
            decoded(text.as_bytes());
        }
    }
}
