//! What octets are in each encoding that they may be in: one after the other, whether they are or not.

use base64::Engine;
use encoding_rs::{Encoding, ISO_2022_JP};

use super::super::encoding::{BASE64, encoded_words};
use super::super::mailbox;

/// Base64 digits that are decoded.
const RUN: usize = 12;

/// How octets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `Gr=C3=BCn`, and lines that go on (RFC 2045, section 6.7).
    QuotedPrintable,
    /// `Gr%C3%BCn`.
    Percent,
    /// `name*0*=utf-8''Gr%C3; name*1*=%BCn` (RFC 2231, section 4.1).
    Continued,
    /// `Gr&APw-n` (RFC 3501, section 5.1.3).
    Utf7,
    /// `Gr\u00fcn`.
    Json,
    /// `Gr&#252;n`, `Gr&uuml;n`.
    Html,
    /// `=?utf-8?Q?Gr=C3=BCn?=` (RFC 2047).
    EncodedWords,
    /// ISO-2022-JP (RFC 1468).
    Jis,
}

impl Form {
    /// All of them.
    pub(super) const ALL: [Self; 8] = [
        Self::QuotedPrintable,
        Self::Percent,
        Self::Continued,
        Self::Utf7,
        Self::Json,
        Self::Html,
        Self::EncodedWords,
        Self::Jis,
    ];

    /// What people call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::QuotedPrintable => "quoted-printable",
            Self::Percent => "percent encoding",
            Self::Continued => "a parameter in pieces",
            Self::Utf7 => "modified UTF-7",
            Self::Json => "escapes of JSON",
            Self::Html => "escapes of HTML",
            Self::EncodedWords => "encoded words",
            Self::Jis => "ISO-2022-JP",
        }
    }

    /// The octets as they are read so; `None` where nothing in them is written so.
    pub(super) fn view(self, octets: &[u8]) -> Option<Vec<u8>> {
        let mark = match self {
            Self::QuotedPrintable | Self::EncodedWords => b'=',
            Self::Percent => b'%',
            Self::Continued => b'*',
            Self::Utf7 | Self::Html => b'&',
            Self::Json => b'\\',
            Self::Jis => 0x1b,
        };
        memchr::memchr(mark, octets)?;
        match self {
            Self::QuotedPrintable | Self::Percent => {
                let decoded = unescaped(octets, mark);
                (decoded.len() < octets.len()).then_some(decoded)
            }
            Self::Continued => joined(octets),
            Self::Utf7 => from_utf7(octets),
            Self::Json => from_json(octets),
            Self::Html => from_html(octets),
            Self::EncodedWords => from_encoded_words(octets),
            Self::Jis if !octets.is_ascii() => None,
            Self::Jis => {
                let (text, _) = ISO_2022_JP.decode_without_bom_handling(octets);
                Some(text.into_owned().into_bytes())
            }
        }
    }
}

/// Escapes and soft line ends resolved.
fn unescaped(octets: &[u8], escape: u8) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let octet = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (*first == escape, octet) {
            (true, Some(octet)) => {
                decoded.push(octet);
                rest = &behind[2..];
            }
            (true, None) if behind.starts_with(b"\r\n") => rest = &behind[2..],
            (true, None) if behind.starts_with(b"\n") => rest = &behind[1..],
            _ => decoded.push(*first),
        }
    }
    decoded
}

/// Pieces of parameters put together: what stands between a value and the next piece's is left out.
fn joined(octets: &[u8]) -> Option<Vec<u8>> {
    let mut joined: Vec<u8> = Vec::new();
    let mut position = 0;
    let mut is_any = false;
    while let Some(star) = memchr::memchr(b'*', &octets[position..]).map(|at| position + at) {
        let rest = &octets[star + 1..];
        let digits = rest.iter().take_while(|o| o.is_ascii_digit()).count();
        let behind = &rest[digits..];
        let behind = behind.strip_prefix(b"*").unwrap_or(behind);
        let is_next = digits > 0 && !rest.starts_with(b"0") && behind.starts_with(b"=");
        if is_next {
            let name = octets[position..star].iter().rev();
            let is_of_a_name = |o: &&u8| o.is_ascii_alphanumeric() || **o == b'-';
            let name = name.take_while(is_of_a_name).count();
            let value = &octets[position..star - name];
            joined.extend_from_slice(
                value
                    .trim_ascii_end()
                    .trim_suffix_of(b";")
                    .trim_suffix_of(b"\""),
            );
            position = octets.len() - behind.len() + 1;
            position += usize::from(octets.get(position) == Some(&b'"'));
            is_any = true;
        } else {
            joined.extend_from_slice(&octets[position..=star]);
            position = star + 1;
        }
    }
    joined.extend_from_slice(&octets[position..]);
    is_any.then(|| unescaped(&joined, b'%'))
}

trait TrimSuffix {
    fn trim_suffix_of(&self, suffix: &[u8]) -> &Self;
}

impl TrimSuffix for [u8] {
    fn trim_suffix_of(&self, suffix: &[u8]) -> &Self {
        self.strip_suffix(suffix).unwrap_or(self)
    }
}

/// All that may be modified UTF-7, decoded.
fn from_utf7(octets: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(octets);
    let mut rest = &*text;
    let mut decoded = String::new();
    let mut is_any = false;
    while let Some((before, shifted)) = rest.split_once('&') {
        decoded.push_str(before);
        let end = shifted.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | ','));
        let (base64, behind) = shifted.split_at(end.unwrap_or(shifted.len()));
        match (behind.strip_prefix('-'), mailbox::decoded(base64)) {
            (Some(behind), Some(text)) => {
                decoded.extend(text);
                is_any = true;
                rest = behind;
            }
            _ => {
                decoded.push('&');
                rest = shifted;
            }
        }
    }
    decoded.push_str(rest);
    is_any.then(|| decoded.into_bytes())
}

/// `\u00fc` and what else a backslash begins.
fn from_json(octets: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(octets);
    let mut decoded = String::with_capacity(text.len());
    let mut rest = &*text;
    let mut is_any = false;
    while let Some((before, behind)) = rest.split_once("\\u") {
        decoded.push_str(before);
        rest = behind;
        let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
        let Some(first) = unit(rest) else {
            decoded.push_str("\\u");
            continue;
        };
        let second = rest[4..].strip_prefix("\\u").and_then(unit);
        let pair = second.and_then(|second| String::from_utf16(&[first, second]).ok());
        let is_pair = (0xd800..0xdc00).contains(&first);
        match (pair.filter(|_| is_pair), String::from_utf16(&[first])) {
            (Some(pair), _) => {
                decoded.push_str(&pair);
                rest = &rest[10..];
            }
            (None, Ok(one)) => {
                decoded.push_str(&one);
                rest = &rest[4..];
            }
            (None, Err(_)) => decoded.push_str("\\u"),
        }
        is_any = true;
    }
    decoded.push_str(rest);
    is_any.then(|| decoded.into_bytes())
}

/// Letters that HTML names; of the others, mails have the numbers.
const ENTITIES: [(&str, char); 24] = [
    ("auml", '\u{e4}'),
    ("ouml", '\u{f6}'),
    ("uuml", '\u{fc}'),
    ("Auml", '\u{c4}'),
    ("Ouml", '\u{d6}'),
    ("Uuml", '\u{dc}'),
    ("szlig", '\u{df}'),
    ("eacute", '\u{e9}'),
    ("egrave", '\u{e8}'),
    ("ecirc", '\u{ea}'),
    ("agrave", '\u{e0}'),
    ("aacute", '\u{e1}'),
    ("acirc", '\u{e2}'),
    ("atilde", '\u{e3}'),
    ("aring", '\u{e5}'),
    ("aelig", '\u{e6}'),
    ("ccedil", '\u{e7}'),
    ("iacute", '\u{ed}'),
    ("ntilde", '\u{f1}'),
    ("oacute", '\u{f3}'),
    ("ocirc", '\u{f4}'),
    ("oslash", '\u{f8}'),
    ("uacute", '\u{fa}'),
    ("ugrave", '\u{f9}'),
];

/// `&#252;`, `&#xfc;`, `&uuml;`.
fn from_html(octets: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(octets);
    let mut decoded = String::with_capacity(text.len());
    let mut rest = &*text;
    let mut is_any = false;
    while let Some((before, behind)) = rest.split_once('&') {
        decoded.push_str(before);
        rest = behind;
        let entity = rest.split_once(';').filter(|(name, _)| name.len() <= 8);
        let letter = entity.and_then(|(name, _)| {
            let named = ENTITIES.iter().find(|(known, _)| *known == name);
            let number = match name.strip_prefix("#x").or_else(|| name.strip_prefix("#X")) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => name
                    .strip_prefix('#')
                    .and_then(|digits| digits.parse().ok()),
            };
            named
                .map(|(_, letter)| *letter)
                .or_else(|| char::from_u32(number?))
        });
        match (letter, entity) {
            (Some(letter), Some((_, behind))) => {
                decoded.push(letter);
                rest = behind;
                is_any = true;
            }
            _ => decoded.push('&'),
        }
    }
    decoded.push_str(rest);
    is_any.then(|| decoded.into_bytes())
}

/// Encoded words in their charsets; words go on from one to the next.
fn from_encoded_words(octets: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(octets.len());
    let mut position = 0;
    while let Some(group) = encoded_words(octets, position) {
        decoded.extend_from_slice(&octets[position..group[0].whole.start]);
        position = group[group.len() - 1].whole.end;
        let all: Vec<u8> = group.iter().flat_map(|word| word.decoded(octets)).collect();
        let charset = Encoding::for_label(group[0].charset.as_bytes())?;
        let (text, _) = charset.decode_without_bom_handling(&all);
        decoded.extend_from_slice(text.as_bytes());
    }
    decoded.extend_from_slice(&octets[position..]);
    (position > 0).then_some(decoded)
}

/// Every run of base64 decoded, with its line ends and without, at each alignment.
pub(super) fn base64_runs(octets: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let is_digit = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/');
    let is_line_end = |octet: &u8| matches!(octet, b'\r' | b'\n');
    let joined = octets.split(move |octet| !is_digit(octet) && !is_line_end(octet));
    let alone = octets.split(move |octet| !is_digit(octet));
    joined
        .chain(alone)
        .map(move |run| run.iter().copied().filter(|o| !is_line_end(o)).collect())
        .filter(|run: &Vec<u8>| run.len() >= RUN)
        .flat_map(|run| {
            (0..4).filter_map(move |start| {
                let run = &run[start..];
                let whole = run.len() - usize::from(run.len() % 4 == 1);
                BASE64.decode(&run[..whole]).ok()
            })
        })
}
