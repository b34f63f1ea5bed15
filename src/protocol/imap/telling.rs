//! What is told of a message: it is sealed, its meaning found, and its event sent out with what is to
//! be said of it.
//!
//! Nothing here may fail (law 3): where a reading panics, the connection goes on unread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::framer::Lines;
use super::meaning::{Meaning, Missing, Then};
use super::observer::{Observer, Source};
use super::secrets::Ranges;
use super::undecided::Undecided;
use super::upgrade::Plan;
use super::{client, server};
use crate::event::{
    Body, Draft, Gate, Message, Micros, Note, Passed, Peer, Reading, Relation, Said, Sealed, Secret,
};
use crate::protocol::blind::Blind;
use crate::protocol::opaque::{Fate, Told, Untold, opaque};

impl Observer {
    pub(super) fn read(
        &mut self,
        from: Peer,
        message: Message,
        at: Micros,
        missing: Missing,
        out: &mut Vec<Draft>,
    ) {
        match from {
            Peer::Client => {
                let circumstances = client::Circumstances {
                    at,
                    missing,
                    ..Default::default()
                };
                self.client_message(message, &circumstances, out);
            }
            Peer::Server => {
                let circumstances = server::Circumstances {
                    at,
                    missing,
                    recorded: None,
                    own: false,
                };
                self.server_message(message, &circumstances, out);
            }
        }
        if missing == Missing::Hidden {
            self.note(Note::MessageTooLong, at, out);
        }
    }

    pub(super) fn client_message(
        &mut self,
        message: Message,
        circumstances: &client::Circumstances<'_>,
        out: &mut Vec<Draft>,
    ) {
        let all = 0..message.bytes().len();
        let found = guard(|| client::secrets(self, &message, circumstances));
        let found = found.unwrap_or_else(|| client::Found::all(all));
        let read = self.is_bridging().then(|| message.clone());
        let wire = self.gate.seal(message, &found.ranges);
        let gone = match circumstances.own {
            true => 0,
            false => self.bridge.take_gone(Peer::Client),
        };
        let secret = match gone {
            0 => Ranges::new(),
            _ => found.ranges.clone(),
        };
        let mut meaning = guard(|| client::interpret(self, &wire, found, circumstances));
        let mut plan = Plan::None;
        if let Some(meaning) = &mut meaning {
            plan = self.plan(read.as_ref(), meaning, circumstances);
            meaning.passed = match circumstances.recorded {
                Some(recorded) => self.passed_then(recorded),
                None => plan.passed(|| self.passed_before(read.as_ref(), &secret, gone)),
            };
        }
        self.emit(Peer::Client, wire, meaning, circumstances.at, out);
        self.carry_out(plan, circumstances.at, out);
    }

    pub(super) fn server_message(
        &mut self,
        message: Message,
        circumstances: &server::Circumstances<'_>,
        out: &mut Vec<Draft>,
    ) {
        if guard(|| self.answers_what_waits(&message)).unwrap_or_default() {
            let from = Peer::Server;
            self.bridge.end(Note::StartTlsInjection { from });
        }
        let found = match circumstances.recorded {
            Some(_) if self.is_masked(&message) => Some(server::Found::default()),
            _ => guard(|| server::secrets(self, &message)),
        };
        let found = found.unwrap_or_else(|| server::Found {
            ranges: self.remembered_in(message.bytes()),
            tokens: None,
        });
        let read = self.is_bridging().then(|| message.clone());
        let wire = self.gate.seal(message, &found.ranges);
        let before_the_end = (self.has_ended() && !circumstances.own).then(|| {
            let gone = self.bridge.take_gone(Peer::Server);
            self.passed_before(read.as_ref(), &found.ranges, gone)
        });
        let is_first = !self.greeted;
        let mut behind_ours = None;
        let mut meaning =
            guard(|| server::interpret(self, &wire, found.tokens, circumstances, out));
        let mut greeting = None;
        if let Some(meaning) = &mut meaning {
            if let Reading::Greeting { status } = meaning.reading {
                greeting = Some(status);
            } else if is_first && !circumstances.own {
                self.not_greeted();
            }
            meaning.passed = match circumstances.recorded {
                Some(recorded) => self.passed_then(recorded),
                None if circumstances.own => {
                    behind_ours = self.struck_behind(meaning);
                    Passed::Own
                }
                None => match before_the_end {
                    Some(passed) => passed,
                    None => self.pass_on_response(read.as_ref(), &found.ranges, meaning),
                },
            };
        }
        self.emit(Peer::Server, wire, meaning, circumstances.at, out);
        if let Some(status) = greeting {
            self.greeted_with(status, circumstances.at, out);
        }
        if let Some(strike) = behind_ours {
            self.strike_now(strike, circumstances.at, out);
        }
        if !circumstances.own {
            self.answer_if_due(circumstances.at, out);
            self.strike_if_due(circumstances.at, out);
        }
    }

    /// Sends the event out, then what is to be said of it, and does what it leads to. Without a
    /// meaning, the reading failed, and the connection goes on unread.
    pub(super) fn emit(
        &mut self,
        from: Peer,
        wire: Sealed,
        meaning: Option<Meaning>,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        let Some(meaning) = meaning else {
            let fate = Fate::Passed;
            self.emit_told(from, vec![Told { wire, at, fate }], out);
            return self.go_blind(at, out);
        };
        let mut said = Said {
            from,
            wire,
            spans: meaning.spans,
            reading: meaning.reading,
            relation: meaning.relation,
            among: meaning.among,
            capabilities: meaning.capabilities,
            uid: None,
            incomplete: meaning.incomplete,
            passed: meaning.passed,
            details: meaning.details,
        };
        if let Some(session) = &mut self.session {
            let follow = || {
                let uid = session.uid_of(&said);
                session.said(meaning.ordinal, at, &said);
                uid
            };
            said.uid = guard(follow).flatten();
        }
        out.push(Draft::new(meaning.ordinal, at, Body::Said(Box::new(said))));
        for note in meaning.notes {
            self.note(note, at, out);
        }
        match meaning.then {
            Then::GoOn => {}
            Then::AcceptLiteral => self.accept_literal(out),
            Then::PumpUndecided => self.pump_undecided(out),
            Then::Inflate => self.begin_compression(at, out),
            Then::BeginTls(command) => self.begin_tls(command, at, out),
            Then::GoOnWithoutTls(command) => self.go_on_without_tls(command, out),
        }
    }

    /// The octets that follow have no lines. What was begun goes out before them.
    pub(super) fn stop_framing(&mut self, at: Micros, out: &mut Vec<Draft>) {
        for from in [Peer::Client, Peer::Server] {
            self.side(from).framer.expect(Lines::Opaque);
            self.flush(from, at, out);
        }
        self.pump_undecided(out);
    }

    /// Reads what `from` has begun and will not end, undecided octets included.
    pub(super) fn end_message(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        while from == Peer::Client && !self.undecided.is_empty() {
            self.accept_literal(out);
        }
        self.flush(from, at, out);
    }

    /// Reads what `from` has begun and will not end.
    pub(super) fn flush(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        self.parts(from, true, out);
        let (message, began) = self.side(from).assembler.take();
        if !message.is_empty() {
            self.read(from, message, began.min(at), Missing::Rest, out);
        }
        self.end_opaque(from, out);
        if from == Peer::Client {
            self.strikes_next();
        }
    }

    pub(super) fn emit_part(
        &mut self,
        from: Peer,
        wire: Sealed,
        at: Micros,
        (offset, total): (u64, u64),
        (relation, among): (Relation, Option<String>),
        out: &mut Vec<Draft>,
    ) {
        let mut meaning = Meaning::new(self.next_ordinal(), Reading::LiteralPart { offset, total });
        (meaning.relation, meaning.among) = (relation, among);
        meaning.passed = self.passed_part(from);
        self.emit(from, wire, Some(meaning), at, out);
    }

    pub(super) fn emit_opaque(
        &mut self,
        from: Peer,
        octets: &[u8],
        fate: Fate,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        let is_secret = from == Peer::Client && self.masks_client();
        let (untold, gate) = self.untold(from);
        let told = match is_secret {
            true => untold.secret(octets, fate, at, gate),
            false => untold.read(octets, fate, at, gate),
        };
        self.emit_told(from, told, out);
    }

    /// Sends out what is left of octets of no message: something else follows, or nothing.
    pub(super) fn end_opaque(&mut self, from: Peer, out: &mut Vec<Draft>) {
        let (untold, gate) = self.untold(from);
        let told = untold.end(gate);
        self.emit_told(from, told, out);
    }

    fn untold(&mut self, from: Peer) -> (&mut Untold, &Gate) {
        let side = match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        };
        (&mut side.untold, &self.gate)
    }

    pub(super) fn emit_told(&mut self, from: Peer, told: Vec<Told>, out: &mut Vec<Draft>) {
        for told in told {
            let ordinal = self.next_ordinal();
            out.push(opaque(ordinal, from, told));
        }
    }

    pub(super) fn sealed_opaque(&self, from: Peer, octets: &[u8]) -> Sealed {
        let secret = match from {
            Peer::Client if self.masks_client() => vec![(0..octets.len(), Secret::Unreadable)],
            _ => self.remembered_in(octets),
        };
        self.gate.seal(Message::text(octets), &secret)
    }

    pub(super) fn remembered_in(&self, octets: &[u8]) -> Vec<(std::ops::Range<usize>, Secret)> {
        let found = self.gate.occurrences(octets);
        found.into_iter().map(|r| (r, Secret::Password)).collect()
    }

    /// Sends a note out; a recording has its own.
    pub(super) fn note(&mut self, note: Note, at: Micros, out: &mut Vec<Draft>) {
        if !matches!(self.source, Source::Recording | Source::Shown) {
            let ordinal = self.next_ordinal();
            out.push(Draft::new(ordinal, at, Body::Note(note.finding())));
        }
    }

    pub(super) fn next_ordinal(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal
    }

    /// Reads no more: what is held goes out opaque, and so does all that comes.
    pub(super) fn go_blind(&mut self, at: Micros, out: &mut Vec<Draft>) {
        self.note(Note::ObserverStopped, at, out);
        let mut blind = Blind::new(self.gate.clone());
        for from in [Peer::Client, Peer::Server] {
            let (untold, read) = self.side(from).untold.take();
            blind.read(from, &untold, read, out);
            let streamed = self.side(from).assembler.take_streamed();
            let (message, began) = self.side(from).assembler.take();
            blind.read(from, message.bytes(), began, out);
            blind.read(from, &streamed, at, out);
        }
        for held in [&mut self.undecided, &mut self.bridge.behind] {
            let Undecided { octets, .. } = std::mem::take(held);
            blind.read(Peer::Client, &octets, at, out);
        }
        self.blind = Some(blind);
    }
}

/// `None` where `read` panics: a reader may fail, the connection may not (law 3).
fn guard<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}
