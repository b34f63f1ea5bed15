//! What the live app says, unmasked, to be said again to a real server: in memory alone, and only
//! where commands are passed on.
//!
//! Taken from the reading that masks nothing (`hearing`). Nothing of it is an event, and none of its
//! types can be printed.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Label, LiteralForm, Message, Passed, Peer, Piece, Reading, Said};

/// A message of the app, cut where a synchronizing literal waits for the server's go-ahead (RFC 9051,
/// section 4.3).
#[derive(Clone, Default)]
pub struct Raw {
    tag: Vec<u8>,
    steps: Vec<Step>,
    /// A literal in it waits for nothing (RFC 7888).
    is_hasty: bool,
}

/// A part of a message.
#[derive(Clone)]
pub enum Step {
    /// These octets; of a command, those behind its tag.
    Octets(Vec<u8>),
    /// The octets of a large literal.
    Spooled(Spooled),
    /// Nothing goes on before the server's `+`.
    GoAhead,
}

/// Octets in a file without a name.
#[derive(Clone)]
pub struct Spooled {
    file: Arc<Mutex<File>>,
    start: u64,
    length: u64,
}

impl Raw {
    /// The command's tag; empty for what is no command.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// Whether a literal in it is sent without a go-ahead, which a server has to offer: another one
    /// takes the literal's octets for commands.
    pub fn is_hasty(&self) -> bool {
        self.is_hasty
    }

    /// The message without its tag.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// A command that mailscope thought of itself.
    pub fn own(words: &str) -> Self {
        Self {
            tag: Vec::new(),
            steps: vec![Step::Octets(format!(" {words}\r\n").into_bytes())],
            is_hasty: false,
        }
    }

    /// The same octets, none of them a tag.
    pub fn with_tag_as_text(mut self) -> Self {
        if let Some(Step::Octets(first)) = self.steps.first_mut() {
            first.splice(..0, std::mem::take(&mut self.tag));
        }
        self
    }

    /// A line that is no command.
    pub fn line(octets: &[u8]) -> Self {
        Self {
            tag: Vec::new(),
            steps: vec![Step::Octets(octets.to_vec())],
            is_hasty: false,
        }
    }

    /// Whether both say the same, but for the tag. Large literals are never the same.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.steps.len() == other.steps.len()
            && self
                .steps
                .iter()
                .zip(&other.steps)
                .all(|steps| match steps {
                    (Step::Octets(one), Step::Octets(other)) => one == other,
                    (Step::GoAhead, Step::GoAhead) => true,
                    _ => false,
                })
    }

    fn announced(&mut self, form: LiteralForm) {
        match form.is_sync() {
            true => self.steps.push(Step::GoAhead),
            false => self.is_hasty = true,
        }
    }

    fn octets(&mut self, octets: &[u8]) {
        match self.steps.last_mut() {
            Some(Step::Octets(last)) => last.extend_from_slice(octets),
            _ => self.steps.push(Step::Octets(octets.to_vec())),
        }
    }
}

impl Spooled {
    /// The octets from this place on, as many as fit into the buffer.
    pub fn read(&self, from: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(from)).unwrap_or(usize::MAX);
        let length = left.min(buffer.len());
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.start + from))?;
        file.read_exact(&mut buffer[..length])?;
        Ok(length)
    }
}

/// What a message is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Command,
    Continuation,
}

/// What the app said, to be said again.
#[derive(Default)]
pub struct Unmasked {
    said: VecDeque<(Kind, Raw)>,
    parts: HashMap<u64, Spooled>,
    spool: Option<Spool>,
}

impl Unmasked {
    /// The command with this tag that was said next, if it can be said again.
    pub fn command(&mut self, tag: &[u8]) -> Option<Raw> {
        let is_it = |(kind, raw): &(Kind, Raw)| *kind == Kind::Command && raw.tag == tag;
        self.take(is_it)
    }

    /// The continuation that was said next.
    pub fn continuation(&mut self) -> Option<Raw> {
        self.take(|(kind, _)| *kind == Kind::Continuation)
    }

    fn take(&mut self, is_it: impl FnMut(&(Kind, Raw)) -> bool) -> Option<Raw> {
        let place = self.said.iter().position(is_it)?;
        self.said.drain(..=place).next_back().map(|(_, raw)| raw)
    }

    /// This was said, as an observer that masks nothing read it.
    pub fn hear(&mut self, ordinal: u64, said: &Said) {
        if said.from == Peer::Server {
            return;
        }
        if let Reading::LiteralPart { .. } = said.reading {
            return self.part(ordinal, said.wire.bytes());
        }
        match (&said.reading, &said.passed) {
            (Reading::Command { refused: true, .. }, _) | (_, Passed::Instead(_)) => {}
            (Reading::Command { .. }, _) => self.heard(Kind::Command, said),
            (Reading::Continuation { .. }, _) => self.heard(Kind::Continuation, said),
            _ => {}
        }
        // Those that refer to the file keep it.
        self.parts.clear();
        self.spool = None;
    }

    fn heard(&mut self, kind: Kind, said: &Said) {
        let tag = said.spans.first().filter(|span| span.label == Label::Tag);
        let tag = match (kind, tag) {
            (Kind::Command, Some(tag)) => tag.range.clone(),
            (Kind::Command, None) => return,
            (Kind::Continuation, _) => 0..0,
        };
        let mut raw = Raw {
            tag: said.wire.bytes()[tag.clone()].to_vec(),
            steps: Vec::new(),
            is_hasty: false,
        };
        if self.cut(&said.wire, tag.end, &mut raw).is_some() {
            self.said.push_back((kind, raw));
        }
    }

    /// Cuts a message into its steps, from this octet on; `None` if not all of it was kept.
    fn cut(&mut self, message: &Message, start: usize, raw: &mut Raw) -> Option<()> {
        for piece in message.pieces() {
            match piece {
                Piece::Text(range) => {
                    raw.octets(&message.bytes()[range.start.max(start).min(range.end)..range.end]);
                }
                Piece::Literal {
                    form,
                    header,
                    content,
                } => {
                    raw.octets(&message.bytes()[header.clone()]);
                    raw.announced(*form);
                    raw.octets(&message.bytes()[content.clone()]);
                }
                Piece::Streamed {
                    form,
                    header,
                    parts,
                    ..
                } => {
                    raw.octets(&message.bytes()[header.clone()]);
                    raw.announced(*form);
                    for part in parts.iter() {
                        raw.steps.push(Step::Spooled(self.parts.remove(part)?));
                    }
                }
                Piece::Secret(..) => return None,
            }
        }
        Some(())
    }

    /// A part of a large literal. One that the disk has no room for makes its command one that
    /// cannot be said again.
    fn part(&mut self, ordinal: u64, octets: &[u8]) {
        if self.spool.is_none() {
            self.spool = Spool::new().ok();
        }
        let spool = self.spool.as_mut();
        if let Some(Ok(spooled)) = spool.map(|spool| spool.add(octets)) {
            self.parts.insert(ordinal, spooled);
        }
    }
}

/// A file without a name, for its owner alone, that is gone with the last who refers to it.
struct Spool {
    file: Arc<Mutex<File>>,
    end: u64,
}

impl Spool {
    fn new() -> io::Result<Self> {
        let file = Arc::new(Mutex::new(tempfile::tempfile()?));
        Ok(Self { file, end: 0 })
    }

    fn add(&mut self, octets: &[u8]) -> io::Result<Spooled> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(octets)?;
        let start = self.end;
        self.end += octets.len() as u64;
        Ok(Spooled {
            file: Arc::clone(&self.file),
            start,
            length: octets.len() as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Gate, Micros, Secrets};
    use crate::protocol::imap::Setting;
    use crate::replay::hearing::Hearing;

    /// What is kept of a conversation.
    fn said(conversation: &[(Peer, &[u8])]) -> Unmasked {
        let mut hearing = Hearing::new(Gate::new(Secrets::Masked), Setting::default());
        let mut unmasked = Unmasked::default();
        let greeting: &[(Peer, &[u8])] = &[(Peer::Server, b"* OK\r\n")];
        for (from, octets) in greeting.iter().chain(conversation) {
            for octets in octets.chunks(1000) {
                let unmasked = Some(&mut unmasked);
                hearing.observe(*from, octets, Micros(0), unmasked, &mut Vec::new());
            }
        }
        unmasked
    }

    fn shown(raw: &Raw) -> String {
        let mut text = String::from_utf8_lossy(raw.tag()).into_owned();
        for step in raw.steps() {
            match step {
                Step::Octets(octets) => text.push_str(&String::from_utf8_lossy(octets)),
                Step::GoAhead => text.push_str("<+>"),
                Step::Spooled(spooled) => {
                    let mut buffer = vec![0; 100_000];
                    let length = spooled.read(0, &mut buffer).unwrap();
                    text.push_str(&String::from_utf8_lossy(&buffer[..length]));
                }
            }
        }
        text
    }

    #[test]
    fn a_password_is_there_and_a_literal_is_waited_for() {
        let mut unmasked = said(&[
            (Peer::Client, b"a LOGIN alice {7}\r\n"),
            (Peer::Server, b"+ OK\r\n"),
            (Peer::Client, b"hunter2\r\n"),
        ]);
        let raw = unmasked.command(b"a").unwrap();
        assert_eq!(shown(&raw), "a LOGIN alice {7}\r\n<+>hunter2\r\n");
        assert!(unmasked.command(b"a").is_none());
    }

    #[test]
    fn a_large_literal_is_not_held_and_comes_back() {
        let body = "0123456789".repeat(30_000);
        let command = format!("a APPEND x {{{}+}}\r\n{body}\r\n", body.len());
        let mut unmasked = said(&[(Peer::Client, command.as_bytes())]);
        let raw = unmasked.command(b"a").unwrap();
        let is_spooled = |step: &&Step| matches!(step, Step::Spooled(_));
        assert!(raw.steps().iter().filter(is_spooled).count() > 1);
        assert_eq!(shown(&raw), command);
    }

    #[test]
    fn turns_come_in_their_order() {
        let mut unmasked = said(&[
            (Peer::Client, b"a AUTHENTICATE LOGIN\r\n"),
            (Peer::Server, b"+ VXNlcg==\r\n"),
            (Peer::Client, b"YWxpY2U=\r\n"),
        ]);
        assert_eq!(
            shown(&unmasked.command(b"a").unwrap()),
            "a AUTHENTICATE LOGIN\r\n"
        );
        assert_eq!(shown(&unmasked.continuation().unwrap()), "YWxpY2U=\r\n");
    }
}
