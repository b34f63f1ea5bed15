//! Both directions of one connection, read in step.
//!
//! The two directions depend on each other: whether a client's octets are a literal's, a SASL
//! response or a command is decided by what the server said before. Since every read is observed
//! before it is passed on, what a peer says *because of* a line is read after that line.
//!
//! The same readings serve a recording: [`Observer::read_again`] takes messages that were framed
//! and masked when they were recorded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::assembler::{Assembler, Outcome, Overflow};
use super::bridge::{Bridge, Setting};
use super::client;
use super::command::Command;
use super::framer::{End, Fragment, Framer, Lines};
use super::lexer;
use super::meaning::{Meaning, Missing, Then};
use super::sasl::Exchange;
use super::server;
use super::tracker::{Expected, State, Tracker};
use super::undecided::Undecided;
use super::upgrade::Plan;
use crate::event::{
    Body, Draft, Gate, MASK, Message, Micros, Note, Passed, Peer, Reading, RecordedMessage,
    Relation, Said, Sealed, Secret,
};
use crate::limits;
use crate::protocol::blind::{Blind, opaque};
use crate::protocol::{Protocol, Verdict};

/// Reads an IMAP connection.
pub struct Observer {
    pub(super) gate: Gate,
    pub(super) tracker: Tracker,
    pub(super) exchange: Option<Exchange>,
    pub(super) greeted: bool,
    /// A literal was refused or asked for in vain before authentication: what comes next may be
    /// its octets.
    pub(super) suspicious: bool,
    /// Octets were taken for a literal's that were sent before the server had decided: they may
    /// as well be meant as commands.
    pub(super) guessed: bool,
    pub(super) client: Side,
    pub(super) server: Side,
    /// What the client sent behind a literal header that the server has not decided about.
    undecided: Undecided,
    /// What the relay has to do besides passing octets on.
    pub(super) bridge: Bridge,
    ordinal: u64,
    source: Source,
    blind: Option<Blind>,
    /// Makes the reading of the next message fail.
    #[cfg(test)]
    pub(super) fails: bool,
}

pub(super) struct Side {
    pub(super) framer: Framer,
    pub(super) assembler: Assembler,
}

/// Where the messages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// The wire.
    Wire,
    /// A recording, which has its notes and masks already.
    Recording,
}

impl Side {
    fn new(from: Peer) -> Self {
        Self {
            framer: Framer::new(from),
            assembler: Assembler::default(),
        }
    }
}

impl Observer {
    /// Reads a new connection and masks through `gate`. Nothing is held or edited.
    pub fn new(gate: Gate) -> Self {
        Self::bridging(gate, Setting::default())
    }

    /// As [`new`](Self::new), for legs that are secured in these ways.
    pub fn bridging(gate: Gate, setting: Setting) -> Self {
        Self {
            gate,
            bridge: Bridge::new(setting),
            tracker: Tracker::default(),
            exchange: None,
            greeted: false,
            suspicious: false,
            guessed: false,
            client: Side::new(Peer::Client),
            server: Side::new(Peer::Server),
            undecided: Undecided::default(),
            ordinal: 0,
            source: Source::Wire,
            blind: None,
            #[cfg(test)]
            fails: false,
        }
    }

    /// Reads a recorded message again. `n` is its event's number; numbers rise, and the drafts
    /// refer to others by them.
    pub fn read_again(
        &mut self,
        n: u64,
        at: Micros,
        recorded: RecordedMessage,
        out: &mut Vec<Draft>,
    ) {
        self.source = Source::Recording;
        self.ordinal = n.saturating_sub(1);
        let from = recorded.from;
        let message = recorded.message.clone();
        match (recorded.kind.as_deref(), recorded.part) {
            (Some("opaque"), _) => {
                // As a message that cannot be read, it ends the wait for a greeting.
                self.greeted |= from == Peer::Server;
                let mut meaning = Meaning::new(self.next_ordinal(), Reading::Opaque);
                if from == Peer::Server {
                    meaning.relation = Relation::Unsolicited;
                }
                meaning.incomplete = recorded.incomplete;
                meaning.passed = self.passed_then(&recorded);
                let wire = self.gate.seal(message, &[]);
                self.emit(from, wire, Some(meaning), at, out);
            }
            (_, Some(place)) => {
                // Its response comes behind it, and cannot be asked yet.
                let among = match recorded.relation {
                    Relation::Answers(command) => self.tracker.tag_among(command),
                    _ => None,
                };
                let relation = (recorded.relation.clone(), among);
                let wire = self.gate.seal(message, &[]);
                self.emit_part(from, wire, at, place, relation, out);
            }
            _ => self.read_message_again(message, at, &recorded, out),
        }
    }

    fn read_message_again(
        &mut self,
        message: Message,
        at: Micros,
        recorded: &RecordedMessage,
        out: &mut Vec<Draft>,
    ) {
        let missing = match recorded.incomplete {
            true => Missing::Rest,
            false => Missing::Nothing,
        };
        match recorded.from {
            Peer::Client => {
                let circumstances = client::Circumstances {
                    at,
                    missing,
                    refused: recorded.refused,
                    recorded: Some(recorded),
                    own: recorded.own,
                };
                self.client_message(message, &circumstances, out);
            }
            Peer::Server => {
                let circumstances = server::Circumstances {
                    at,
                    missing,
                    recorded: Some(recorded),
                    own: recorded.own,
                };
                self.server_message(message, &circumstances, out);
            }
        }
    }

    /// What was passed on when it was recorded.
    fn passed_then(&self, recorded: &RecordedMessage) -> Passed {
        match &recorded.sent {
            _ if recorded.own => Passed::Own,
            Some(sent) => Passed::Instead(self.gate.seal(sent.clone(), &[])),
            None => Passed::AsRead,
        }
    }

    /// Whether messages come from a recording.
    pub(super) fn is_recorded(&self) -> bool {
        self.source == Source::Recording
    }

    /// Where the session is.
    pub fn state(&self) -> State {
        self.tracker.state()
    }

    /// What is held of the server's message.
    pub(super) fn server_held(&self) -> &Message {
        self.server.assembler.message()
    }

    /// Frames `input` and reads what becomes whole.
    fn pump(&mut self, from: Peer, mut input: &[u8], at: Micros, out: &mut Vec<Draft>) {
        loop {
            if let Some(blind) = &mut self.blind {
                return blind.read(from, input, at, out);
            }
            if self.turns_aside(from, input, at, out) {
                return;
            }
            if from == Peer::Client && self.client.assembler.is_empty() {
                self.expect_client_lines();
            }
            let before = input.len();
            let Some(fragment) = self.side(from).framer.next(&mut input) else {
                if input.len() <= limits::UNDECIDED_HELD {
                    break;
                }
                self.guessed = true;
                self.client.framer.accept();
                self.note(Note::LiteralNotAwaited, at, out);
                continue;
            };
            self.bridge.framed(from, before - input.len());
            match fragment {
                Fragment::Text(text, end) => self.text(from, text, end, at, out),
                Fragment::Literal(octets, last) => self.literal(from, octets, last, at, out),
                Fragment::Opaque(octets) => self.emit_opaque(from, octets, at, out),
            }
            self.settle(from, at, out);
        }
        if !input.is_empty() {
            self.undecided.push(input, at);
            self.let_undecided_go();
        }
    }

    fn expect_client_lines(&mut self) {
        let lines = match (self.client.framer.is_opaque(), self.tracker.expected()) {
            (true, _) => Lines::Opaque,
            (_, Expected::Command) => Lines::Messages,
            (_, Expected::Sasl | Expected::Done) => Lines::Plain,
        };
        self.client.framer.expect(lines);
    }

    pub(super) fn side(&mut self, from: Peer) -> &mut Side {
        match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }

    fn text(&mut self, from: Peer, text: &[u8], end: End, at: Micros, out: &mut Vec<Draft>) {
        let fits = self.side(from).assembler.has_room_for_text(text.len());
        let overflow = self.overflow(from, fits);
        let outcome = self.side(from).assembler.text(text, at, overflow);
        match outcome {
            Outcome::Held => {}
            Outcome::TooLong => {
                let (message, began) = self.side(from).assembler.take_beginning();
                self.read(from, message, began, Missing::Rest, out);
                self.note(Note::MessageTooLong, at, out);
                self.emit_opaque(from, text, at, out);
            }
            Outcome::Opaque => self.emit_opaque(from, text, at, out),
        }
        match end {
            End::Input => {}
            End::Line { bare } => {
                let assembler = &mut self.side(from).assembler;
                let cut = assembler.is_cut();
                let went_out = cut && assembler.message().is_empty();
                let (mut message, began) = assembler.take();
                if cut && !message.bytes().ends_with(b"\n") {
                    message.push_text(b"\r\n"); // what stands before it is masked
                }
                if !went_out {
                    let missing = match cut {
                        true => Missing::Hidden,
                        false => Missing::Nothing,
                    };
                    self.read(from, message, began, missing, out);
                }
                if bare {
                    self.note(Note::BareLf, at, out);
                }
            }
            End::Literal(header) => {
                let assembler = &self.side(from).assembler;
                let fits = assembler.has_room_for_literal(header.octets);
                let overflow = self.overflow(from, fits);
                self.side(from).assembler.literal(header, at, overflow);
            }
        }
    }

    fn literal(&mut self, from: Peer, octets: &[u8], last: bool, at: Micros, out: &mut Vec<Draft>) {
        if self.side(from).assembler.octets(octets, at) == Outcome::Opaque {
            return self.emit_opaque(from, octets, at, out);
        }
        self.parts(from, last, out);
    }

    /// Announces the parts of a streamed literal that became whole.
    fn parts(&mut self, from: Peer, last: bool, out: &mut Vec<Draft>) {
        let gate = (from == Peer::Client && self.gate.masks()).then(|| self.gate.clone());
        while let Some(part) = self.side(from).assembler.part(last, gate.as_ref()) {
            let shown = part.shown();
            let secret = match part.secret {
                true => vec![(0..part.octets.len(), Secret::Password)],
                false => Vec::new(),
            };
            let message = Message::text(&part.octets);
            let place = (part.offset, part.total);
            let relation = match from {
                Peer::Client => (Relation::None, None),
                Peer::Server => server::relate_part(self),
            };
            let wire = self.gate.seal(message, &secret);
            self.emit_part(from, wire, part.at, place, relation, out);
            let number = self.ordinal;
            self.side(from).assembler.announced(number, shown);
        }
    }

    /// Whether a message that is too long to hold may be shown in pieces. `fits`: it is not, so that
    /// it does not matter; the answer takes a look at all that is held.
    fn overflow(&self, from: Peer, fits: bool) -> Overflow {
        if from == Peer::Server || !self.gate.masks() || fits {
            return Overflow::Shown;
        }
        if self.masks_client() {
            return Overflow::Hidden;
        }
        let held = self.client.assembler.message();
        let spans = lexer::command(held);
        match Command::new(held, &spans).name().as_deref() {
            Some("LOGIN" | "AUTHENTICATE") => Overflow::Hidden,
            _ => Overflow::Shown,
        }
    }

    fn masks_client(&self) -> bool {
        !self.tracker.is_authenticated() || self.tracker.expected() == Expected::Sasl
    }

    /// The server let the client's literal come, or must have.
    pub(super) fn accept_literal(&mut self, out: &mut Vec<Draft>) {
        self.client.framer.accept();
        if !self.undecided.is_empty() {
            self.guessed = true;
            self.note(Note::LiteralNotAwaited, self.undecided.at(), out);
        }
        self.pump_undecided(out);
    }

    /// The server refused the client's literal: the command is whole as it is.
    pub(super) fn refuse_literal(&mut self, out: &mut Vec<Draft>) {
        self.client.framer.refuse();
        let cut = self.client.assembler.is_cut();
        let (message, at) = self.client.assembler.take();
        let circumstances = client::Circumstances {
            at,
            missing: match cut {
                true => Missing::Hidden,
                false => Missing::Nothing,
            },
            refused: true,
            recorded: None,
            own: false,
        };
        // The header of the refused literal stays text.
        self.client_message(Message::text(message.bytes()), &circumstances, out);
        self.suspicious = true;
    }

    /// Reads what the client sent behind the literal that was just decided about.
    fn pump_undecided(&mut self, out: &mut Vec<Draft>) {
        let Undecided { octets, reads } = std::mem::take(&mut self.undecided);
        let mut rest = octets.as_slice();
        for (length, at) in reads {
            let (octets, behind) = rest.split_at(length);
            rest = behind;
            self.client_octets(octets, at, out);
        }
    }

    pub(super) fn client_octets(&mut self, octets: &[u8], at: Micros, out: &mut Vec<Draft>) {
        if self.undecided.is_empty() {
            return self.pump(Peer::Client, octets, at, out);
        }
        self.undecided.push(octets, at);
        self.let_undecided_go();
        if self.undecided.octets.len() > limits::UNDECIDED_HELD {
            self.accept_literal(out);
        }
    }

    /// The tag of the command whose literal awaits the server's decision, masked if it is a secret
    /// (as it will be in the command itself).
    pub(super) fn undecided_tag(&self) -> Option<String> {
        if !self.client.framer.awaits_go_ahead() {
            return None;
        }
        let tag = lexer::command_tag(self.client.assembler.message());
        let secret = tag
            .map(|tag| &self.client.assembler.message().bytes()[tag])
            .unwrap_or_default();
        let tag = match self.gate.occurrences(secret).is_empty() {
            true => secret,
            false => MASK,
        };
        Some(String::from_utf8_lossy(tag).into_owned())
    }

    fn read(
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
        let mut meaning = guard(|| client::interpret(self, &wire, found, circumstances));
        let mut plan = Plan::Pass;
        if let Some(meaning) = &mut meaning {
            plan = self.plan(read.as_ref(), meaning, circumstances);
            meaning.passed = match circumstances.recorded {
                Some(recorded) => self.passed_then(recorded),
                None => plan.passed(),
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
        let found = match circumstances.recorded {
            Some(_) => Some(server::Found::default()),
            None => guard(|| server::secrets(self, &message)),
        };
        let found = found.unwrap_or_else(|| server::Found {
            ranges: self.remembered_in(message.bytes()),
            spans: None,
        });
        let read = self.is_bridging().then(|| message.clone());
        let wire = self.gate.seal(message, &found.ranges);
        let mut meaning = guard(|| server::interpret(self, &wire, found.spans, circumstances, out));
        let mut greeting = None;
        if let Some(meaning) = &mut meaning {
            if let Reading::Greeting { status } = meaning.reading {
                greeting = Some(status);
            }
            meaning.passed = match circumstances.recorded {
                Some(recorded) => self.passed_then(recorded),
                None if circumstances.own => Passed::Own,
                None => self.pass_on_response(read.as_ref(), meaning),
            };
        }
        self.emit(Peer::Server, wire, meaning, circumstances.at, out);
        if let Some(status) = greeting {
            self.greeted_with(status, circumstances.at, out);
        }
        self.answer_if_due(circumstances.at, out);
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
            let ordinal = self.next_ordinal();
            out.push(opaque(ordinal, from, wire, at));
            return self.go_blind(at, out);
        };
        let said = Said {
            from,
            wire,
            spans: meaning.spans,
            reading: meaning.reading,
            relation: meaning.relation,
            among: meaning.among,
            capabilities: meaning.capabilities,
            incomplete: meaning.incomplete,
            passed: meaning.passed,
        };
        out.push(Draft::new(meaning.ordinal, at, Body::Said(Box::new(said))));
        for note in meaning.notes {
            self.note(note, at, out);
        }
        match meaning.then {
            Then::GoOn => {}
            Then::AcceptLiteral => self.accept_literal(out),
            Then::PumpUndecided => self.pump_undecided(out),
            Then::StopFraming => self.stop_framing(at, out),
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

    /// Reads what `from` has begun and will not end.
    fn flush(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        self.parts(from, true, out);
        let (message, began) = self.side(from).assembler.take();
        if !message.is_empty() {
            self.read(from, message, began.min(at), Missing::Rest, out);
        }
    }

    fn emit_part(
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
        self.emit(from, wire, Some(meaning), at, out);
    }

    fn emit_opaque(&mut self, from: Peer, octets: &[u8], at: Micros, out: &mut Vec<Draft>) {
        let wire = self.sealed_opaque(from, octets);
        let ordinal = self.next_ordinal();
        out.push(opaque(ordinal, from, wire, at));
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
        if self.source == Source::Wire {
            let ordinal = self.next_ordinal();
            out.push(Draft::new(ordinal, at, Body::Note(note.finding())));
        }
    }

    pub(super) fn next_ordinal(&mut self) -> u64 {
        self.ordinal += 1;
        self.ordinal
    }

    /// Reads no more: what is held goes out opaque, and so does all that comes.
    fn go_blind(&mut self, at: Micros, out: &mut Vec<Draft>) {
        self.note(Note::ObserverStopped, at, out);
        let mut blind = Blind::new(self.gate.clone());
        for from in [Peer::Client, Peer::Server] {
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

    /// Whether octets may have to wait, or to be edited.
    pub(super) fn is_bridging(&self) -> bool {
        self.blind.is_none() && self.bridge.has_work(self.tracker.is_authenticated())
    }

    /// What the relay is to do, after something was read.
    fn verdict(&mut self) -> Verdict {
        if !self.is_bridging() {
            self.bridge.stop_delaying();
            self.bridge.release_all(Peer::Client);
            self.bridge.release_all(Peer::Server);
        }
        Verdict::Acts(self.bridge.take_acts())
    }
}

impl Protocol for Observer {
    fn observe(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) -> Verdict {
        let is_bridging = self.is_bridging();
        if is_bridging {
            self.bridge.arrived(from, bytes.len());
        }
        match from {
            Peer::Client => self.client_octets(bytes, at, out),
            Peer::Server => self.pump(from, bytes, at, out),
        }
        match is_bridging {
            true => self.verdict(),
            false => Verdict::AsRead,
        }
    }

    fn ended(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) -> Verdict {
        while from == Peer::Client && !self.undecided.is_empty() {
            self.accept_literal(out);
        }
        self.flush(from, at, out);
        if !(from == Peer::Client && self.bridge.holds_client()) {
            self.bridge.release_all(from);
        }
        self.verdict()
    }

    fn secured(&mut self, out: &mut Vec<Draft>) -> Verdict {
        self.go_on_with_tls(out);
        self.verdict()
    }
}

/// `None` where `read` panics: a reader may fail, the connection may not (law 3).
fn guard<T>(read: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(read)).ok()
}
