//! Fragments joined to messages, within bounds.
//!
//! What is too long to hold is not lost: a large literal goes out in parts while it streams, and
//! what is beyond [`limits::MESSAGE_HELD`] as opaque octets. Only where it might hold a secret is it
//! dropped here, for then nothing of it may be shown, not even its length.

use super::framer::LiteralHeader;
use crate::event::{Gate, MASK, Message, Micros};
use crate::limits;

/// Octets that stand behind most literals: `)` and the line's end, with room for a short item.
const BEHIND: usize = 32;

/// What may be told of a message that is too long to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// All of it, in pieces.
    Shown,
    /// Nothing.
    Hidden,
}

/// How much of the message that is being assembled there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// All of it.
    Everything,
    /// Its beginning; what comes is dropped.
    Beginning,
    /// Nothing: its beginning went out already; what comes follows as opaque octets.
    Nothing,
}

/// What a piece of a message led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is held.
    Held,
    /// The message is too long: what is held is to go out, incomplete, then these octets and all
    /// that comes, opaque.
    TooLong,
    /// These octets of a message that is too long.
    Opaque,
}

/// A part of a streamed literal.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Octets of the literal before it.
    pub offset: u64,
    /// Octets of the literal.
    pub total: u64,
    /// When its first octet was read.
    pub at: Micros,
    /// Its octets.
    pub octets: Vec<u8>,
    /// It is not to be shown: a secret stands in it, or stood in a part before it.
    pub secret: bool,
}

impl Part {
    /// Octets as they are shown: a mask counts as its own.
    pub fn shown(&self) -> u64 {
        match self.secret {
            true => MASK.len() as u64,
            false => self.octets.len() as u64,
        }
    }
}

struct Stream {
    offset: u64,
    total: u64,
    at: Micros,
    buffer: Vec<u8>,
    secret: bool,
}

/// Joins one direction's fragments.
pub struct Assembler {
    message: Message,
    at: Option<Micros>,
    hold: Hold,
    stream: Option<Stream>,
}

impl Default for Assembler {
    fn default() -> Self {
        Self {
            message: Message::new(),
            at: None,
            hold: Hold::Everything,
            stream: None,
        }
    }
}

impl Assembler {
    /// Whether no message was begun.
    pub fn is_empty(&self) -> bool {
        self.at.is_none()
    }

    /// What is held of the message.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Whether a part of the message is missing because it was too long to hold.
    pub fn is_cut(&self) -> bool {
        self.hold != Hold::Everything
    }

    /// Whether the message's beginning [went out](Outcome::TooLong), and nothing is held.
    pub fn has_gone_out(&self) -> bool {
        self.is_cut() && self.message.is_empty()
    }

    /// Whether so much text is held, or has its place decided already.
    pub fn has_room_for_text(&self, octets: usize) -> bool {
        self.is_cut() || self.message.bytes().len() + octets <= limits::MESSAGE_HELD
    }

    /// Whether a literal of so many octets is held, or has its place decided already.
    pub fn has_room_for_literal(&self, octets: u64) -> bool {
        let room = limits::MESSAGE_HELD.saturating_sub(self.message.bytes().len()) as u64;
        self.is_cut() || octets <= limits::LITERAL_HELD.min(room)
    }

    /// So much text comes, and a literal of so many octets behind it: makes room for both at once, where they are held.
    pub fn expect(&mut self, text: usize, literal: u64) {
        let has_room = self.has_room_for_text(text) && self.has_room_for_literal(literal);
        if has_room && !self.is_cut() {
            self.message.reserve(text + literal as usize + BEHIND); // at most LITERAL_HELD
        }
    }

    /// Adds text.
    pub fn text(&mut self, text: &[u8], at: Micros, overflow: Overflow) -> Outcome {
        self.at.get_or_insert(at);
        match self.hold {
            Hold::Beginning => return Outcome::Held,
            Hold::Nothing => return Outcome::Opaque,
            Hold::Everything => {}
        }
        if self.has_room_for_text(text.len()) {
            self.message.push_text(text);
            return Outcome::Held;
        }
        match overflow {
            Overflow::Hidden => {
                self.hold = Hold::Beginning;
                Outcome::Held
            }
            Overflow::Shown => {
                self.hold = Hold::Nothing;
                Outcome::TooLong
            }
        }
    }

    /// The text ended with this header: a literal begins.
    pub fn literal(&mut self, header: LiteralHeader, at: Micros, overflow: Overflow) {
        if self.hold != Hold::Everything {
            return;
        }
        if self.has_room_for_literal(header.octets) {
            self.message.begin_literal(header.form, header.length);
        } else if overflow == Overflow::Hidden {
            self.hold = Hold::Beginning;
        } else {
            self.message.begin_streamed(header.form, header.length);
            self.stream = Some(Stream {
                offset: 0,
                total: header.octets,
                at,
                buffer: Vec::new(),
                secret: false,
            });
        }
    }

    /// Adds octets of the literal. Parts that became whole are to be announced with
    /// [`part`](Self::part).
    pub fn octets(&mut self, octets: &[u8], at: Micros) -> Outcome {
        match (self.hold, &mut self.stream) {
            (Hold::Beginning, _) => {}
            (Hold::Nothing, _) => return Outcome::Opaque,
            (Hold::Everything, Some(stream)) => {
                if stream.buffer.is_empty() {
                    stream.at = at;
                    let left = stream.total.saturating_sub(stream.offset);
                    let part = left.min(limits::LITERAL_HELD) as usize;
                    stream.buffer.reserve(part.max(octets.len()));
                }
                stream.buffer.extend_from_slice(octets);
            }
            (Hold::Everything, None) => self.message.push_literal(octets),
        }
        Outcome::Held
    }

    /// The next part of the streamed literal: when enough was read, or, if this is the `last` call
    /// for it, whatever is left.
    ///
    /// In a client's literal remembered secrets are looked for (`gate`). From the part on in which
    /// one begins, nothing is shown, as nothing is of a literal that is held whole. For that, as
    /// many octets are kept back as the longest secret may have, not as the one has that is
    /// remembered: the parts' lengths would tell its length.
    pub fn part(&mut self, last: bool, gate: Option<&Gate>) -> Option<Part> {
        let stream = self.stream.as_mut()?;
        let enough = limits::LITERAL_HELD as usize;
        if stream.buffer.len() < enough && !last {
            return None;
        }
        let cut = match gate {
            Some(_) if !last => stream.buffer.len().saturating_sub(limits::SECRET_LENGTH),
            _ => stream.buffer.len(),
        };
        let secret = stream.secret
            || gate
                .and_then(|gate| gate.occurrences(&stream.buffer).into_iter().next())
                .is_some_and(|found| found.start < cut);
        let rest = stream.buffer.split_off(cut);
        let part = Part {
            offset: stream.offset,
            total: stream.total,
            at: stream.at,
            octets: std::mem::replace(&mut stream.buffer, rest),
            secret,
        };
        stream.secret = secret;
        stream.offset += part.shown();
        if last {
            self.stream = None;
        }
        (!part.octets.is_empty()).then_some(part)
    }

    /// The part was announced under this number.
    pub fn announced(&mut self, number: u64, octets: u64) {
        self.message.push_part(number, octets);
    }

    /// The message and when its first octet was read; a new one begins.
    pub fn take(&mut self) -> (Message, Micros) {
        let whole = std::mem::take(self);
        (whole.message, whole.at.unwrap_or_default())
    }

    /// Octets of the streamed literal that no part holds yet; nothing is streamed any more.
    pub fn take_streamed(&mut self) -> Vec<u8> {
        self.stream
            .take()
            .map_or(Vec::new(), |stream| stream.buffer)
    }

    /// What is held of a message that is [too long](Outcome::TooLong), and when its first octet was
    /// read.
    pub fn take_beginning(&mut self) -> (Message, Micros) {
        (
            std::mem::take(&mut self.message),
            self.at.unwrap_or_default(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{LiteralForm, Secrets};

    fn header(octets: u64) -> LiteralHeader {
        LiteralHeader {
            form: LiteralForm::NonSync,
            octets,
            length: 10,
        }
    }

    #[test]
    fn a_large_literal_goes_out_in_parts_and_memory_stays_bounded() {
        let total = 10 * limits::LITERAL_HELD;
        let mut assembler = Assembler::default();
        assembler.text(b"a APPEND x {655360+}\r\n", Micros(1), Overflow::Shown);
        assembler.literal(header(total), Micros(1), Overflow::Shown);
        let mut seen = 0;
        let chunk = vec![b'x'; 10_000];
        let mut left = total as usize;
        while left > 0 {
            let now = left.min(chunk.len());
            left -= now;
            assert_eq!(assembler.octets(&chunk[..now], Micros(2)), Outcome::Held);
            while let Some(part) = assembler.part(left == 0, None) {
                assert_eq!(part.offset, seen);
                assert!(part.octets.len() < limits::LITERAL_HELD as usize + chunk.len());
                seen += part.octets.len() as u64;
                assembler.announced(seen, part.octets.len() as u64);
            }
        }
        assert_eq!(seen, total);
        assembler.text(b"\r\n", Micros(3), Overflow::Shown);
        let (message, at) = assembler.take();
        assert_eq!(at, Micros(1));
        assert_eq!(message.octets(), 12 + 10 + total + 2);
    }

    /// The parts of a literal of `octets` in which `secret` may be remembered, read in pieces.
    fn parts(octets: &[u8], secret: &[u8], read: usize) -> Vec<Part> {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(secret);
        let mut assembler = Assembler::default();
        assembler.text(b"a APPEND x {99999+}\r\n", Micros(0), Overflow::Shown);
        assembler.literal(header(octets.len() as u64), Micros(0), Overflow::Shown);
        let mut parts: Vec<Part> = Vec::new();
        let mut left = octets.len();
        for octets in octets.chunks(read) {
            left -= octets.len();
            assembler.octets(octets, Micros(0));
            while let Some(part) = assembler.part(left == 0, Some(&gate)) {
                parts.push(part);
            }
        }
        parts
    }

    #[test]
    fn from_the_part_with_a_secret_on_nothing_is_shown() {
        let enough = limits::LITERAL_HELD as usize;
        for shift in [0, 1, 5, 6, 7, 8, 4095, 4096, 4097, 5000] {
            let mut octets = vec![b'x'; enough - shift];
            octets.extend_from_slice(b"hunter2");
            octets.resize(4 * enough, b'y');
            let parts = parts(&octets, b"hunter2", enough);
            let joined: Vec<u8> = parts.iter().flat_map(|p| p.octets.clone()).collect();
            assert_eq!(joined, octets);
            let shown: Vec<&Part> = parts.iter().filter(|part| !part.secret).collect();
            assert!(parts.iter().skip(shown.len()).all(|part| part.secret));
            let shown: Vec<u8> = shown.iter().flat_map(|p| p.octets.clone()).collect();
            assert!(
                !shown.contains(&b'h') && shown.len() <= enough - shift,
                "{shift}"
            );
        }
    }

    #[test]
    fn parts_do_not_tell_how_long_a_secret_is() {
        let octets = vec![b'x'; 300_000];
        let lengths = |secret: &[u8]| -> Vec<usize> {
            let parts = parts(&octets, secret, limits::READ);
            parts.iter().map(|part| part.octets.len()).collect()
        };
        assert_eq!(lengths(b"hunter2"), lengths(b"a much longer password"));
        assert_eq!(lengths(b"hunter2"), lengths(b""));
    }

    #[test]
    fn a_secret_that_fills_the_literal_does_not_fill_the_memory() {
        for secret in [&b"aaaa"[..], &[b'a'; 2 * limits::SECRET_LENGTH]] {
            let parts = parts(&vec![b'a'; 1_000_000], secret, 10_000);
            assert!(
                parts
                    .iter()
                    .all(|part| part.secret && part.octets.len() < 100_000)
            );
            assert_eq!(parts.last().unwrap().offset, (parts.len() as u64 - 1) * 8);
        }
    }

    #[test]
    fn a_message_too_long_is_opaque_or_dropped() {
        let line = vec![b'x'; limits::MESSAGE_HELD];
        let mut shown = Assembler::default();
        assert_eq!(shown.text(&line, Micros(0), Overflow::Shown), Outcome::Held);
        assert_eq!(
            shown.text(b"y", Micros(0), Overflow::Shown),
            Outcome::TooLong
        );
        assert_eq!(shown.take_beginning().0.bytes().len(), line.len());
        assert_eq!(
            shown.text(b"\r\n", Micros(0), Overflow::Shown),
            Outcome::Opaque
        );
        let mut hidden = Assembler::default();
        hidden.text(&line, Micros(0), Overflow::Hidden);
        assert_eq!(
            hidden.text(b"y", Micros(0), Overflow::Hidden),
            Outcome::Held
        );
        assert!(hidden.is_cut());
        assert_eq!(hidden.take().0.bytes().len(), line.len());
    }
}
