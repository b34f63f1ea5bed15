//! Where in a message's grammar a line is (RFC 9051, section 9), as far as the framer needs it:
//! whether `{3}` at the end of the line announces a literal or is text.
//!
//! ```text
//! S: * OK see ticket {5}      human-readable text: no literal
//! S: * OK [X {5}              a response code whose `[` is open: a literal
//! C: a LOGIN "x {5}           within a quoted string: no literal
//! ```

use memchr::{memchr, memchr2};

use super::framer::Lines;
use crate::event::{Peer, Status};

/// Where in a message's grammar the framer is: as much as is needed to know whether `{3}` at the
/// end of a line announces a literal or is human-readable text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// In the first word of a response: `*`, `+` or a tag.
    FirstWord { first: u8, length: usize },
    /// In the second word of a response: a status or not.
    SecondWord {
        untagged: bool,
        word: [u8; 7],
        length: usize,
    },
    /// At the beginning of `resp-text`.
    BeforeText,
    /// In arguments, where strings may stand.
    Data(Quote),
    /// In a response code whose `[` is open.
    Code(Quote),
    /// In human-readable text, or in a plain line.
    Text,
}

/// Where around quoted strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// Outside, and a string may begin here.
    Before,
    /// Outside, within an atom or a number.
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

impl Quote {
    fn read(self, octet: u8) -> Self {
        match (self, octet) {
            (Self::Before, b'"') => Self::Inside,
            (Self::Inside, b'\\') => Self::Escaped,
            (Self::Inside, b'"') => Self::Outside,
            (Self::Inside | Self::Escaped, _) => Self::Inside,
            (_, b' ' | b'(' | b'[') => Self::Before,
            _ => Self::Outside,
        }
    }

    /// As [`read`](Self::read) of one octet after the other, from one that changes something to
    /// the next: most octets of a large response are read here.
    fn read_all(mut self, mut text: &[u8]) -> Self {
        while !text.is_empty() {
            let change = match self {
                Self::Before | Self::Outside => memchr(b'"', text),
                Self::Inside => memchr2(b'"', b'\\', text),
                Self::Escaped => Some(0),
            };
            let passed = change.unwrap_or(text.len());
            if let Some(last) = text[..passed].last() {
                self = self.read(*last);
            }
            if let Some(octet) = change.map(|change| text[change]) {
                self = self.read(octet);
            }
            text = text.get(passed + 1..).unwrap_or_default();
        }
        self
    }

    fn is_outside(self) -> bool {
        matches!(self, Self::Before | Self::Outside)
    }
}

impl Context {
    pub(super) fn at_start(from: Peer, lines: Lines) -> Self {
        match (lines, from) {
            (Lines::Plain | Lines::Opaque, _) => Self::Text,
            (Lines::Messages, Peer::Client) => Self::Data(Quote::Before),
            (Lines::Messages, Peer::Server) => Self::FirstWord {
                first: 0,
                length: 0,
            },
        }
    }

    pub(super) fn read(&mut self, mut text: &[u8]) {
        if let Self::FirstWord { length: 0, .. } = self
            && let Some(data) = behind_number(text)
        {
            *self = Self::Data(Quote::Before);
            text = data;
        }
        while let Some((octet, rest)) = text.split_first() {
            match self {
                Self::Text => return,
                Self::Data(quote) => {
                    *quote = quote.read_all(text);
                    return;
                }
                _ => *self = self.next(*octet),
            }
            text = rest;
        }
    }

    fn next(self, octet: u8) -> Self {
        match self {
            // As many spaces may stand before a word as the server likes.
            Self::FirstWord { length: 0, .. } | Self::SecondWord { length: 0, .. }
                if octet == b' ' =>
            {
                self
            }
            Self::FirstWord { first, length } => match (octet, first, length) {
                (b' ', b'+', 1) => Self::BeforeText,
                (b' ', ..) => Self::SecondWord {
                    untagged: (first, length) == (b'*', 1),
                    word: [0; 7],
                    length: 0,
                },
                (_, _, 0) => Self::FirstWord {
                    first: octet,
                    length: 1,
                },
                _ => Self::FirstWord {
                    first,
                    length: length + 1,
                },
            },
            Self::SecondWord {
                untagged,
                mut word,
                length,
            } => {
                // What is tagged and no status is malformed, and no literal stands in it.
                let other = match untagged {
                    true => Self::Data(Quote::Before),
                    false => Self::Text,
                };
                if octet == b' ' && is_status(&word[..length]) {
                    return Self::BeforeText;
                }
                match word.get_mut(length) {
                    Some(place) if octet != b' ' => *place = octet,
                    _ => return other,
                }
                Self::SecondWord {
                    untagged,
                    word,
                    length: length + 1,
                }
            }
            Self::BeforeText => match octet {
                b'[' => Self::Code(Quote::Outside),
                _ => Self::Text,
            },
            Self::Data(quote) => Self::Data(quote.read(octet)),
            Self::Code(quote) => match octet {
                b']' if quote.is_outside() => Self::Text,
                _ => Self::Code(quote.read(octet)),
            },
            Self::Text => Self::Text,
        }
    }

    /// At a line's end: the line end itself was read already.
    pub(super) fn may_hold_a_literal(self) -> bool {
        matches!(self, Self::Data(quote) | Self::Code(quote) if quote.is_outside())
    }

    pub(super) fn after_literal(&mut self) {
        match self {
            Self::Data(quote) | Self::Code(quote) => *quote = Quote::Outside,
            _ => {}
        }
    }
}

/// What stands behind `* 3 `, the head of nearly every response with a literal: no status is a number.
fn behind_number(text: &[u8]) -> Option<&[u8]> {
    let number = text.strip_prefix(b"* ")?;
    let digits = number
        .iter()
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    let (digits, rest) = number.split_at(digits);
    rest.strip_prefix(b" ").filter(|_| !digits.is_empty())
}

fn is_status(word: &[u8]) -> bool {
    Status::parse(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_passed_over_as_octet_by_octet() {
        const OCTETS: &[u8] = b"* 1O\"";
        const LENGTH: u32 = 7;
        let start = Context::at_start(Peer::Server, Lines::Messages);
        for number in 0..OCTETS.len().pow(LENGTH) {
            let digits = (0..LENGTH).map(|place| number / OCTETS.len().pow(place));
            let text: Vec<u8> = digits.map(|digit| OCTETS[digit % OCTETS.len()]).collect();
            let (mut whole, mut single) = (start, start);
            whole.read(&text);
            for octet in &text {
                single.read(std::slice::from_ref(octet));
            }
            assert_eq!(whole, single, "{text:?}");
        }
        let (mut whole, mut single) = (start, start);
        let text = b"* 123456789 FETCH (BODY[] ";
        whole.read(text);
        text.chunks(1).for_each(|octet| single.read(octet));
        assert_eq!(whole, single);
    }

    #[test]
    fn arguments_read_in_runs_are_read_as_octet_by_octet() {
        const OCTETS: &[u8] = b"\"\\( x";
        const LENGTH: u32 = 6;
        for number in 0..OCTETS.len().pow(LENGTH) {
            let digits = (0..LENGTH).map(|place| number / OCTETS.len().pow(place));
            let text: Vec<u8> = digits.map(|digit| OCTETS[digit % OCTETS.len()]).collect();
            for quote in [Quote::Before, Quote::Outside, Quote::Inside, Quote::Escaped] {
                let single = text.iter().fold(quote, |quote, octet| quote.read(*octet));
                assert_eq!(quote.read_all(&text), single, "{quote:?} {text:?}");
            }
        }
    }
}
