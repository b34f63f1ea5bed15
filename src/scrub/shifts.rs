//! Stretches of a text in which the octets of ASCII stand for other characters: ISO 2022 in seven bits, in
//! its Japanese, Korean and Chinese forms, and HZ.
//!
//! ```text
//! to ESC$B El5~ ESC(B now      JIS X 0208 (RFC 1468); ESC$(D, ESC$A, ESC(I: other sets (RFC 1554)
//! ESC$)C to SO @z8x SI now     ISO-2022-KR (RFC 1557), ISO-2022-CN (RFC 1922)
//! to ~{<:Ky2;~} now            HZ (RFC 1843)
//! ```
//!
//! Not which words are in them (`text.rs`). It promises that the stretches are the text, in one go over it.

use std::ops::Range;

/// What the octets of a stretch are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Set {
    /// As they would be without any shift.
    Plain,
    /// An escape sequence, or another mark between two stretches.
    Mark,
    /// JIS X 0208, two octets a character: those of EUC-JP without their highest bits.
    Jis,
    /// Characters of a set that is not read here.
    Other,
}

/// Octets that are read alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where they are.
    pub range: Range<usize>,
    /// What they are.
    pub set: Set,
}

const ESCAPE: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// The text's stretches; `None` if all of it is plain.
pub fn stretches(text: &[u8]) -> Option<Vec<Stretch>> {
    memchr::memchr3(ESCAPE, SHIFT_OUT, b'~', text)?;
    let mut reading = Reading {
        text,
        stretches: Vec::new(),
        designated: Set::Plain,
        is_out: false,
    };
    let mut position = 0;
    while position < text.len() {
        position += reading.next(position);
    }
    let is_any = |stretch: &Stretch| stretch.set != Set::Plain;
    reading
        .stretches
        .iter()
        .any(is_any)
        .then_some(reading.stretches)
}

struct Reading<'a> {
    text: &'a [u8],
    stretches: Vec<Stretch>,
    /// The set that the last escape sequence named.
    designated: Set,
    /// Between SO and SI.
    is_out: bool,
}

impl Reading<'_> {
    /// Takes the next octets, at least one; how many comes back.
    fn next(&mut self, position: usize) -> usize {
        let rest = &self.text[position..];
        let (length, set) = match rest[0] {
            b'\r' | b'\n' => {
                // Every line begins in ASCII.
                self.designated = Set::Plain;
                self.is_out = false;
                (1, Set::Plain)
            }
            ESCAPE => self.escape(rest),
            SHIFT_OUT if is_shifted_out(&rest[1..]) => {
                self.is_out = true;
                (1, Set::Mark)
            }
            SHIFT_OUT => (1, Set::Plain),
            SHIFT_IN => {
                self.is_out = false;
                (1, Set::Mark)
            }
            _ => self.characters(rest),
        };
        self.add(position, length, set);
        length
    }

    /// An escape sequence: intermediate octets and a final one (ISO 2022, section 6.1).
    fn escape(&mut self, rest: &[u8]) -> (usize, Set) {
        let intermediate = rest[1..].iter().take_while(|o| (0x20..=0x2f).contains(*o));
        let last = 1 + intermediate.count();
        let Some(final_octet) = rest.get(last).filter(|o| (0x30..=0x7e).contains(*o)) else {
            return (1, Set::Mark);
        };
        match (&rest[1..last], final_octet) {
            (b"$", b'@' | b'B') | (b"$(", b'@' | b'B') => self.designated = Set::Jis,
            (b"$" | b"$(", _) | (b"(", b'I') => self.designated = Set::Other,
            (b"(", _) => self.designated = Set::Plain,
            // A single shift: one character of a set that was named before.
            (b"", b'N' | b'O') => {
                let character = rest[last + 1..]
                    .iter()
                    .take(2)
                    .take_while(|o| is_graphic(o));
                return (last + 1 + character.count(), Set::Other);
            }
            _ => {}
        }
        (last + 1, Set::Mark)
    }

    fn characters(&self, rest: &[u8]) -> (usize, Set) {
        let is_mark = |o: &u8| matches!(*o, ESCAPE | SHIFT_OUT | SHIFT_IN | b'\r' | b'\n');
        let set = match self.is_out {
            true => Set::Other,
            false => self.designated,
        };
        match set {
            Set::Jis => match rest.iter().take_while(|o| is_graphic(o)).count() {
                0 => (1, Set::Plain),
                1 => (1, Set::Other),
                length => (length & !1, Set::Jis),
            },
            Set::Plain => match hz(rest) {
                Some(length) => (length, Set::Other),
                None => {
                    let is_next = |o: &u8| is_mark(o) || *o == b'~';
                    let length = rest[1..].iter().position(is_next);
                    (length.map_or(rest.len(), |length| 1 + length), Set::Plain)
                }
            },
            set => (rest.iter().position(is_mark).unwrap_or(rest.len()), set),
        }
    }

    fn add(&mut self, start: usize, length: usize, set: Set) {
        match self.stretches.last_mut().filter(|last| last.set == set) {
            Some(last) => last.range.end += length,
            None => self.stretches.push(Stretch {
                range: start..start + length,
                set,
            }),
        }
    }
}

fn is_graphic(octet: &u8) -> bool {
    (0x21..=0x7e).contains(octet)
}

/// Whether it is of characters up to the next mark or the line's end, and no octets of anything.
fn is_shifted_out(rest: &[u8]) -> bool {
    let length = rest
        .iter()
        .take_while(|o| (0x20..=0x7e).contains(*o))
        .count();
    let is_end = |o: &u8| matches!(*o, SHIFT_IN | ESCAPE | b'\r' | b'\n');
    length > 0 && rest.get(length).is_none_or(is_end)
}

/// The length of `~{<:Ky2;~}`. Pairs' first octets are below `{`, so that none has a beginning in it.
fn hz(text: &[u8]) -> Option<usize> {
    let pairs = text.strip_prefix(b"~{")?.as_chunks::<2>().0;
    let is_pair = |pair: &&[u8; 2]| (0x21..=0x77).contains(&pair[0]) && is_graphic(&pair[1]);
    let count = pairs.iter().take_while(is_pair).count();
    (count > 0 && pairs.get(count) == Some(b"~}")).then_some(2 * count + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(&str, Set)> {
        let stretches = stretches(text.as_bytes()).unwrap_or_default();
        let of = |stretch: Stretch| (&text[stretch.range], stretch.set);
        stretches.into_iter().map(of).collect()
    }

    #[test]
    fn each_set_is_told_from_the_others() {
        use Set::*;
        for (text, expected) in [
            ("a~b", vec![]),
            (
                "to \x1b$BEl5~\x1b(B now",
                vec![
                    ("to ", Plain),
                    ("\x1b$B", Mark),
                    ("El5~", Jis),
                    ("\x1b(B", Mark),
                    (" now", Plain),
                ],
            ),
            (
                "\x1b$BEl5\r\nnow",
                vec![
                    ("\x1b$B", Mark),
                    ("El", Jis),
                    ("5", Other),
                    ("\r\nnow", Plain),
                ],
            ),
            (
                "\x1b$(DEl \x1b(Ia\x1b(Jb",
                vec![
                    ("\x1b$(D", Mark),
                    ("El ", Other),
                    ("\x1b(I", Mark),
                    ("a", Other),
                    ("\x1b(J", Mark),
                    ("b", Plain),
                ],
            ),
            (
                "\x1b$)C\r\n\x0eab c\x0fd\x0ee\nf",
                vec![
                    ("\x1b$)C", Mark),
                    ("\r\n", Plain),
                    ("\x0e", Mark),
                    ("ab c", Other),
                    ("\x0f", Mark),
                    ("d", Plain),
                    ("\x0e", Mark),
                    ("e", Other),
                    ("\nf", Plain),
                ],
            ),
            (
                "a~{<:Ky~}b",
                vec![("a", Plain), ("~{<:Ky~}", Other), ("b", Plain)],
            ),
            ("a\x0eb\x01c\x0e\n", vec![]),
            ("~{~{abc~}~{", vec![]),
            (
                "a\x1bNbcd\x1b",
                vec![
                    ("a", Plain),
                    ("\x1bNbc", Other),
                    ("d", Plain),
                    ("\x1b", Mark),
                ],
            ),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_stretches_are_the_text() {
        let text: Vec<u8> = (0..4000_u32)
            .map(|n| b"\x1b$B(\x0e\x0f~{}Aa\r\n 5"[(n * n % 251 % 15) as usize])
            .collect();
        let mut end = 0;
        for stretch in stretches(&text).unwrap() {
            assert_eq!(stretch.range.start, end);
            end = stretch.range.end;
        }
        assert_eq!(end, text.len());
    }
}
