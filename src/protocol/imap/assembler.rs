//! Fragments joined to messages, within bounds.
//!
//! What is too long to hold is not lost: a large literal goes out in parts while it streams, and
//! what is beyond [`limits::MESSAGE_HELD`] as opaque octets. Only where it might hold a secret is it
//! dropped here, for then nothing of it may be shown, not even its length.

use super::framer::LiteralHeader;
use crate::event::{Gate, Message, Micros};
use crate::limits;

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
}

struct Stream {
    offset: u64,
    total: u64,
    at: Micros,
    buffer: Vec<u8>,
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

    /// Adds text.
    pub fn text(&mut self, text: &[u8], at: Micros, overflow: Overflow) -> Outcome {
        self.at.get_or_insert(at);
        match self.hold {
            Hold::Beginning => return Outcome::Held,
            Hold::Nothing => return Outcome::Opaque,
            Hold::Everything => {}
        }
        if self.message.bytes().len() + text.len() <= limits::MESSAGE_HELD {
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
        let room = limits::MESSAGE_HELD.saturating_sub(self.message.bytes().len()) as u64;
        if header.octets <= limits::LITERAL_HELD.min(room) {
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
                }
                stream.buffer.extend_from_slice(octets);
            }
            (Hold::Everything, None) => self.message.push_literal(octets),
        }
        Outcome::Held
    }

    /// The next part of the streamed literal: when enough was read, or, if this is the `last` call
    /// for it, whatever is left. Of a client's literal (`gate`), a remembered secret is never cut
    /// in two, so that it can be found.
    pub fn part(&mut self, last: bool, gate: Option<&Gate>) -> Option<Part> {
        let stream = self.stream.as_mut()?;
        let enough = limits::LITERAL_HELD as usize;
        if stream.buffer.len() < enough && !last {
            return None;
        }
        let cut = match gate {
            Some(gate) if !last => uncut(&stream.buffer, gate),
            _ => stream.buffer.len(),
        };
        let rest = stream.buffer.split_off(cut);
        let octets = std::mem::replace(&mut stream.buffer, rest);
        let part = Part {
            offset: stream.offset,
            total: stream.total,
            at: stream.at,
            octets,
        };
        stream.offset += part.octets.len() as u64;
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

    /// What is held of a message that is [too long](Outcome::TooLong), and when its first octet was
    /// read.
    pub fn take_beginning(&mut self) -> (Message, Micros) {
        (
            std::mem::take(&mut self.message),
            self.at.unwrap_or_default(),
        )
    }
}

/// Where to cut, so that no secret goes on behind the cut.
fn uncut(buffer: &[u8], gate: &Gate) -> usize {
    let cut = buffer.len() - gate.longest().saturating_sub(1).min(buffer.len());
    gate.occurrences(buffer)
        .into_iter()
        .find(|secret| secret.start < cut && cut < secret.end)
        .map_or(cut, |secret| secret.start)
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

    #[test]
    fn a_secret_is_never_cut_between_parts() {
        let gate = Gate::new(Secrets::Masked);
        gate.remember(b"hunter2");
        let enough = limits::LITERAL_HELD as usize;
        for shift in 0..20 {
            let mut assembler = Assembler::default();
            assembler.text(b"a APPEND x {99999+}\r\n", Micros(0), Overflow::Shown);
            assembler.literal(header(99_999), Micros(0), Overflow::Shown);
            let mut octets = vec![b'x'; enough - shift];
            octets.extend_from_slice(b"hunter2");
            octets.resize(99_999, b'y');
            let (first, second) = octets.split_at(enough);
            let mut parts = Vec::new();
            for (octets, last) in [(first, false), (second, true)] {
                assembler.octets(octets, Micros(0));
                parts.extend(assembler.part(last, Some(&gate)));
            }
            let found: usize = parts
                .iter()
                .map(|part| gate.occurrences(&part.octets).len())
                .sum();
            assert_eq!(found, 1, "shifted by {shift}");
            let joined: Vec<u8> = parts.into_iter().flat_map(|part| part.octets).collect();
            assert_eq!(joined, octets);
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
