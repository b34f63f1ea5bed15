//! A transcript's events with other words, in their order.
//!
//! Each message is read again for where its words are, replaced, and read again as what it is now, so
//! that all fields of the new events are readings of the new octets. A literal that streamed is
//! replaced as a whole: from its first part to its message, events wait.

use std::collections::HashMap;

use super::facts::facts;
use super::message::{Kept, Kind, Messages, Streamed};
use super::rules::Rule;
use super::text::Words;
use crate::error::{Error, Result};
use crate::event::{
    Body, Draft, Event, Gate, Message, Passed, Peer, Piece, Recorded, RecordedBody,
    RecordedMessage, Said, Secrets,
};
use crate::limits;
use crate::protocol::imap::Observer;
use crate::recording::Readings;

/// A transcript that is being scrubbed.
pub struct Session {
    messages: Messages,
    /// Masks secrets, on all connections.
    gate: Gate,
    observers: HashMap<u64, Observer>,
    readings: Readings,
    /// Events from the first part of a literal that streams on.
    waiting: Vec<Recorded>,
    /// Parts among them that no message has claimed.
    parts: usize,
    /// Octets of all parts among them.
    held: usize,
}

impl Session {
    /// With nothing known yet.
    pub fn new(words: Words, kept: Kept) -> Self {
        Self {
            messages: Messages::new(words, kept),
            gate: Gate::new(Secrets::Masked),
            observers: HashMap::new(),
            readings: Readings::default(),
            waiting: Vec::new(),
            parts: 0,
            held: 0,
        }
    }

    /// What stands for the words.
    pub fn words(&mut self) -> &mut Words {
        &mut self.messages.words
    }

    /// Begins the same transcript again, all of whose words are known now.
    pub fn again(&mut self) {
        self.gate = Gate::new(Secrets::Masked);
        self.observers.clear();
        self.readings = Readings::default();
        self.waiting.clear();
        self.parts = 0;
        self.held = 0;
    }

    /// Takes an event; those that can be written now are added to `out`.
    ///
    /// # Errors
    ///
    /// There is more to be held than [`limits::SCRUB_LITERAL`] and [`limits::SCRUB_WORDS`] allow.
    pub fn take(&mut self, recorded: Recorded, out: &mut Vec<Event>) -> Result<()> {
        let Recorded { n, conn, at, body } = recorded;
        let body = match body {
            RecordedBody::Bare(body) => {
                if matches!(body, Body::Closed { .. }) {
                    self.observers.remove(&conn);
                }
                RecordedBody::Bare(facts(&mut self.messages.words, body))
            }
            RecordedBody::Message(message) if message.part.is_some() => {
                self.parts += 1;
                self.held += message.message.bytes().len();
                self.read(n, conn, at, &message); // what comes behind it refers to it
                RecordedBody::Message(message)
            }
            RecordedBody::Message(message) => {
                let said = self.read(n, conn, at, &message);
                RecordedBody::Message(Box::new(self.message(*message, said)))
            }
        };
        self.waiting.push(Recorded { n, conn, at, body });
        if self.parts == 0 {
            self.release(out);
        }
        self.is_within_bounds(n)
    }

    fn is_within_bounds(&self, n: u64) -> Result<()> {
        let why = if self.held > limits::SCRUB_LITERAL {
            format!(
                "the literals that are not whole by event #{n} have more than {} octets, and are replaced as a whole",
                limits::SCRUB_LITERAL
            )
        } else if self.messages.words.held() > limits::SCRUB_WORDS {
            format!(
                "it has more than {} different words by event #{n}",
                limits::SCRUB_WORDS
            )
        } else {
            return Ok(());
        };
        let hint =
            "mailscope export --to text --filter ... writes a part of it, which can be scrubbed";
        Err(Error::new("scrub the transcript", why).hint(hint))
    }

    /// The events that wait still: the connection ended within a literal.
    pub fn finish(&mut self, out: &mut Vec<Event>) {
        let mut waiting = std::mem::take(&mut self.waiting);
        for event in &mut waiting {
            if let RecordedBody::Message(message) = &mut event.body
                && message.part.is_some()
                && message.kind.as_deref() != Some(DONE)
            {
                let octets = self.messages.value(Rule::Content, message.message.bytes());
                message.message = message.message.with_octets(octets);
            }
        }
        self.waiting = waiting;
        self.parts = 0;
        self.release(out);
    }

    fn release(&mut self, out: &mut Vec<Event>) {
        self.held = 0;
        for mut event in self.waiting.drain(..) {
            if let RecordedBody::Message(message) = &mut event.body
                && message.kind.as_deref() == Some(DONE)
            {
                message.kind = Some("literal_part".into());
            }
            out.extend(self.readings.read(event));
        }
    }

    /// What the message is, in its original words.
    fn read(
        &mut self,
        n: u64,
        conn: u64,
        at: crate::event::Micros,
        message: &RecordedMessage,
    ) -> Option<Said> {
        let gate = self.gate.clone();
        let observer = self
            .observers
            .entry(conn)
            .or_insert_with(|| Observer::of_shown(gate));
        let mut drafts = Vec::new();
        observer.read_again(n, at, message.clone(), &mut drafts);
        let mut said = drafts
            .into_iter()
            .filter_map(|draft| match Draft::into_body(draft) {
                Body::Said(said) => Some(*said),
                _ => None,
            });
        said.find(|said| said.from == message.from)
    }

    fn message(&mut self, recorded: RecordedMessage, said: Option<Said>) -> RecordedMessage {
        let (wire, spans, kind) = match &said {
            Some(said) => (&*said.wire, &said.spans[..], Kind::of(&said.reading)),
            None => (&recorded.message, &[][..], Kind::Opaque),
        };
        self.masked(&recorded.message, wire);
        let mut streamed = self.streamed(wire);
        let from = recorded.from;
        let message = self
            .messages
            .message(wire, spans, &kind, from, &mut streamed);
        self.put_back(wire, &streamed);
        let sent = recorded
            .sent
            .as_ref()
            .map(|sent| self.sent(sent, from, said.as_ref()));
        let private = |words: &mut Words, name: String| {
            let name: Vec<char> = name.chars().collect();
            words.are_private(&name);
            let name = words.characters(&name, super::text::Keep::Nothing);
            name.into_iter().collect::<String>()
        };
        let identity = recorded
            .identity
            .map(|name| private(&mut self.messages.words, name));
        let words = &mut self.messages.words;
        let mechanism = recorded.mechanism.map(|name| {
            let name: Vec<char> = name.chars().collect();
            let name = words.characters(&name, super::text::Keep::Protocol);
            name.into_iter().collect()
        });
        let tag = recorded.tag.map(|tag| {
            let rule = self.messages.tag(tag.as_bytes());
            let tag = self.messages.value(rule, tag.as_bytes());
            String::from_utf8_lossy(&tag).into_owned()
        });
        RecordedMessage {
            message,
            tag,
            sent,
            mechanism,
            identity,
            ..recorded
        }
    }

    /// Remembers the words of what was masked just now, so that the last check finds them wherever else
    /// they may be. A literal that is masked as a whole may have streamed.
    fn masked(&mut self, read: &Message, wire: &Message) {
        let (old, new) = (read.bytes(), wire.bytes());
        if old == new {
            return;
        }
        let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
        let before = old.iter().zip(new).take_while(same).count();
        let behind = old[before..].iter().rev().zip(new[before..].iter().rev());
        let secret = &old[before..old.len() - behind.take_while(same).count()];
        self.messages.secret(secret);
        let claimed: Vec<_> = wire.pieces().iter().filter_map(parts_of).collect();
        let is_lost = |parts: &&[u64]| !claimed.contains(parts);
        for parts in read.pieces().iter().filter_map(parts_of).filter(is_lost) {
            let octets: Vec<u8> = parts
                .iter()
                .flat_map(|part| self.part(*part).to_vec())
                .collect();
            let octets = self.messages.value(Rule::Content, &octets);
            self.put_into(parts, &octets);
        }
    }

    /// What was passed on instead of a message; read as if it had been said.
    fn sent(&mut self, sent: &Message, from: Peer, said: Option<&Said>) -> Message {
        if sent.is_empty() {
            return sent.clone();
        }
        let is_it = said.is_some_and(|said| matches!(said.passed, Passed::Instead(_)));
        let kind = said.map_or(Kind::Opaque, |said| Kind::of(&said.reading));
        let spans = match is_it {
            true => crate::protocol::imap::spans(from, sent),
            false => Vec::new(),
        };
        let spans: Vec<_> = match kind {
            Kind::Turn(_) if from == Peer::Client => Vec::new(),
            _ => spans,
        };
        let mut none = Streamed::new();
        self.messages.message(sent, &spans, &kind, from, &mut none)
    }

    /// The octets of the message's literals that streamed.
    fn streamed(&self, message: &Message) -> Streamed {
        let mut streamed = Streamed::new();
        for piece in message.pieces() {
            if let Piece::Streamed { header, parts, .. } = piece {
                let octets = parts.iter().flat_map(|part| self.part(*part).to_vec());
                streamed.insert(header.start, octets.collect());
            }
        }
        streamed
    }

    fn part(&self, n: u64) -> &[u8] {
        let part = self.waiting.iter().find(|event| event.n == n);
        match part.map(|event| &event.body) {
            Some(RecordedBody::Message(part)) => part.message.bytes(),
            _ => &[],
        }
    }

    /// Puts the new octets of literals that streamed into their parts.
    fn put_back(&mut self, message: &Message, streamed: &Streamed) {
        for piece in message.pieces() {
            let Piece::Streamed { header, parts, .. } = piece else {
                continue;
            };
            self.put_into(parts, &streamed[&header.start]);
        }
    }

    fn put_into(&mut self, parts: &[u64], mut octets: &[u8]) {
        for n in parts {
            let part = self.waiting.iter_mut().find(|event| event.n == *n);
            if let Some(RecordedBody::Message(part)) = part.map(|event| &mut event.body)
                && part.kind.as_deref() != Some(DONE)
            {
                let (this, rest) = octets.split_at(part.message.bytes().len());
                octets = rest;
                part.message = part.message.with_octets(this.to_vec());
                part.kind = Some(DONE.into());
                self.parts -= 1;
            }
        }
    }
}

/// The parts of a literal that streamed.
fn parts_of(piece: &Piece) -> Option<&[u64]> {
    match piece {
        Piece::Streamed { parts, .. } => Some(parts),
        _ => None,
    }
}

/// The kind of a part that has its new octets, until it is released.
const DONE: &str = "literal_part, done";
