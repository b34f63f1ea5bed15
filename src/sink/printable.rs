//! Octets from the wire, made fit for a terminal.
//!
//! Not a decoder: quoted-printable, encoded words and UTF-7 mailbox names stay as they were sent.
//!
//! Promises: what comes out is valid UTF-8 without C0, DEL, C1, bidirectional or invisible
//! characters; each of those is shown as what it is, `\r`, `\x1b`, `\u{202e}`, and an octet that is
//! no UTF-8 as `\xff`. A backslash stays one backslash. Nothing is allocated, and plain ASCII is
//! passed over an octet at a time.

use std::fmt;

use unicode_width::UnicodeWidthChar;

/// Combining marks that one character may carry; natural languages need no more, and a pile of
/// them would run into the rows above.
const MARKS: u8 = 4;

/// A stretch of octets as it may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown<'a> {
    /// As it was sent.
    Plain(&'a str),
    /// In place of so many octets that may not be shown.
    Escape(Escape, usize),
}

/// What stands in place of a character that may not be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// `\t`, `\n`, `\r`: the letter.
    Letter(char),
    /// `\x1b`: a control octet, or one that is no UTF-8.
    Octet(u8),
    /// `\u{202e}`
    Char(char),
}

impl fmt::Display for Escape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Letter(letter) => write!(f, "\\{letter}"),
            Self::Octet(octet) => write!(f, "\\x{octet:02x}"),
            Self::Char(c) => write!(f, "\\u{{{:x}}}", u32::from(*c)),
        }
    }
}

/// The octets as they may be shown, a stretch at a time.
pub fn shown(octets: &[u8]) -> Stretches<'_> {
    Stretches { rest: octets }
}

/// A whole text as it may be shown, for one that is short.
pub fn escaped(text: &str) -> String {
    let mut fit = String::with_capacity(text.len());
    for stretch in shown(text.as_bytes()) {
        match stretch {
            Shown::Plain(plain) => fit.push_str(plain),
            Shown::Escape(escape, _) => fit.push_str(&escape.to_string()),
        }
    }
    fit
}

/// Columns that a shown text takes.
pub fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.chars().map(char_columns).sum()
}

/// Columns that a shown character takes.
pub fn char_columns(c: char) -> usize {
    if c.is_ascii() {
        return 1;
    }
    c.width().unwrap_or(0)
}

/// See [`shown`].
pub struct Stretches<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Stretches<'a> {
    type Item = Shown<'a>;

    fn next(&mut self) -> Option<Shown<'a>> {
        let length = plain_length(self.rest);
        if length > 0 {
            let (plain, rest) = self.rest.split_at(length);
            self.rest = rest;
            return std::str::from_utf8(plain).ok().map(Shown::Plain);
        }
        let first = *self.rest.first()?;
        let (escape, octets) = match (first, decode(self.rest)) {
            (b'\t', _) => (Escape::Letter('t'), 1),
            (b'\n', _) => (Escape::Letter('n'), 1),
            (b'\r', _) => (Escape::Letter('r'), 1),
            (_, Some(c)) if !c.is_ascii() => (Escape::Char(c), c.len_utf8()),
            (octet, _) => (Escape::Octet(octet), 1),
        };
        self.rest = &self.rest[octets..];
        Some(Shown::Escape(escape, octets))
    }
}

/// How many octets from the beginning may be shown as they are.
fn plain_length(octets: &[u8]) -> usize {
    let mut at = 0;
    let mut marks = MARKS; // none may come first: it would combine with what we wrote before
    while let Some(&octet) = octets.get(at) {
        if matches!(octet, b' '..=b'~') {
            at += 1;
            marks = 0;
            continue;
        }
        let Some(c) = decode(&octets[at..]).filter(|c| !c.is_ascii() && !is_hidden(*c)) else {
            break;
        };
        if char_columns(c) > 0 {
            marks = 0;
        } else if marks < MARKS {
            marks += 1;
        } else {
            break;
        }
        at += c.len_utf8();
    }
    at
}

/// The character at the beginning, if the octets there are UTF-8.
fn decode(octets: &[u8]) -> Option<char> {
    let length = match octets.first()? {
        0x00..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    std::str::from_utf8(octets.get(..length)?)
        .ok()?
        .chars()
        .next()
}

/// Whether a character outside of ASCII is a control, turns the writing direction, or cannot be
/// seen. Variation selectors are among them: they can carry a hidden message, and terminals do not
/// agree about the width of what they select.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}'         // C1
        | '\u{ad}'                  // soft hyphen
        | '\u{34f}'                 // combining grapheme joiner
        | '\u{61c}'                 // Arabic letter mark
        | '\u{115f}'..='\u{1160}'   // Hangul fillers
        | '\u{17b4}'..='\u{17b5}'   // Khmer inherent vowels
        | '\u{180b}'..='\u{180f}'   // Mongolian selectors and vowel separator
        | '\u{200b}'..='\u{200f}'   // zero width, and direction marks
        | '\u{2028}'..='\u{202e}'   // line and paragraph separator, embeddings, overrides
        | '\u{2060}'..='\u{206f}'   // word joiner, invisible operators, isolates
        | '\u{3164}'                // Hangul filler
        | '\u{fe00}'..='\u{fe0f}'   // variation selectors
        | '\u{feff}'                // byte order mark
        | '\u{ffa0}'                // halfwidth Hangul filler
        | '\u{fff0}'..='\u{fffb}'   // unassigned ignorable, interlinear annotation
        | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
        | '\u{1d173}'..='\u{1d17a}' // musical format controls
        | '\u{e0000}'..='\u{e0fff}' // tags, variation selectors supplement
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(octets: &[u8]) -> String {
        shown(octets)
            .map(|stretch| match stretch {
                Shown::Plain(plain) => plain.to_owned(),
                Shown::Escape(escape, _) => escape.to_string(),
            })
            .collect()
    }

    #[test]
    fn every_single_octet_is_fit_to_be_shown() {
        for octet in 0..=u8::MAX {
            let text = fit(&[octet]);
            assert!(text.chars().all(|c| (' '..='~').contains(&c)), "{octet:#x}");
        }
        assert_eq!(fit(b"a\\b\r\n\t\x1b[31m\x7f"), r"a\b\r\n\t\x1b[31m\x7f");
    }

    #[test]
    fn what_is_no_utf8_is_shown_octet_by_octet() {
        assert_eq!(fit(b"caf\xe9 \xc3"), r"caf\xe9 \xc3");
        assert_eq!(fit(b"\xed\xa0\x80"), r"\xed\xa0\x80"); // a surrogate
        assert_eq!(fit("Grüße, 世界".as_bytes()), "Grüße, 世界");
    }

    #[test]
    fn what_cannot_be_seen_is_shown() {
        let hidden = [
            0x85, 0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
            0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0xfe0f,
            0xfeff, 0xfff9, 0xfffa, 0xfffb, 0xe0001, 0xe0041, 0xe007f, 0xe0100,
        ];
        for code in hidden {
            let c = char::from_u32(code).unwrap();
            assert_eq!(
                fit(format!("a{c}b").as_bytes()),
                format!("a\\u{{{code:x}}}b")
            );
        }
    }

    #[test]
    fn combining_marks_need_a_character_to_stand_on_and_do_not_pile_up() {
        assert_eq!(fit("e\u{301}".as_bytes()), "e\u{301}");
        assert_eq!(fit("\u{301}e".as_bytes()), "\\u{301}e");
        let pile = format!("e{}", "\u{301}".repeat(6));
        assert_eq!(
            fit(pile.as_bytes()),
            format!("e{}\\u{{301}}\\u{{301}}", "\u{301}".repeat(4))
        );
    }

    #[test]
    fn the_octets_that_escapes_stand_for_are_counted() {
        let octets: usize = shown("ä\u{202e}\x00x".as_bytes())
            .map(|stretch| match stretch {
                Shown::Plain(plain) => plain.len(),
                Shown::Escape(_, octets) => octets,
            })
            .sum();
        assert_eq!(octets, 2 + 3 + 1 + 1);
    }
}
