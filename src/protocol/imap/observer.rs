//! Both directions of one connection, read in step.
//!
//! The two directions depend on each other: whether a client's octets are a literal's, a SASL
//! response or a command is decided by what the server said before. Since every read is observed
//! before it is passed on, what a peer says *because of* a line is read after that line.
//!
//! The same readings serve a recording: [`Observer::read_again`] takes messages that were framed
//! and masked when they were recorded.

use super::assembler::Assembler;
use super::bridge::{Bridge, Setting};
use super::compress::Compression;
use super::doubt::Suspicion;
use super::framer::{Fragment, Framer, Lines};
use super::sasl::Exchange;
use super::struck::Struck;
use super::tracker::{Expected, State, Tracker};
use super::undecided::Undecided;
use crate::event::{Draft, Gate, Message, Micros, Note, Peer};
use crate::limits;
use crate::protocol::blind::Blind;
use crate::protocol::opaque::{Fate, Untold};
use crate::protocol::{Protocol, Verdict};
use crate::session::Session;

/// Reads an IMAP connection.
pub struct Observer {
    pub(super) gate: Gate,
    pub(super) tracker: Tracker,
    /// What was told of the messages; `None` where nobody asks for it.
    pub(super) session: Option<Session>,
    pub(super) exchange: Option<Exchange>,
    pub(super) greeted: bool,
    /// Whether what comes next may be octets that a client had ready for what was refused.
    pub(super) suspicion: Suspicion,
    /// It reads a recording in which something that a client said is masked, and so are its SASL responses.
    pub(super) reads_masked: bool,
    /// Octets were taken for a literal's that were sent before the server had decided, behind the
    /// event with this ordinal: they may as well be meant as commands. Until the server agrees to a
    /// command that was read behind it.
    pub(super) guessed: Option<u64>,
    pub(super) client: Side,
    pub(super) server: Side,
    /// What the client sent behind a literal header that the server has not decided about.
    pub(super) undecided: Undecided,
    /// What the relay has to do besides passing octets on.
    pub(super) bridge: Bridge,
    pub(super) struck: Struck,
    pub(super) compression: Compression,
    pub(super) ordinal: u64,
    pub(super) source: Source,
    pub(super) blind: Option<Blind>,
    /// Makes the reading of the next message fail.
    #[cfg(test)]
    pub(super) fails: bool,
}

pub(super) struct Side {
    pub(super) framer: Framer,
    pub(super) assembler: Assembler,
    /// Octets of no message.
    pub(super) untold: Untold,
}

/// Where the messages come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The wire.
    Wire,
    /// A log of what was said inside of TLS and compression.
    Log,
    /// A recording, which has its notes and masks already.
    Recording,
    /// A recording in which secrets may stand unmasked.
    Shown,
}

impl Side {
    fn new(from: Peer) -> Self {
        Self {
            framer: Framer::new(from),
            assembler: Assembler::default(),
            untold: Untold::default(),
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
            struck: Struck::default(),
            compression: Compression::default(),
            tracker: Tracker::default(),
            session: Some(Session::default()),
            exchange: None,
            greeted: false,
            suspicion: Suspicion::None,
            reads_masked: false,
            guessed: None,
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

    /// The same, which does not find out the UIDs of the messages that responses name by their numbers.
    #[must_use = "the changed observer is returned, not changed in place"]
    pub fn without_uids(self) -> Self {
        Self {
            session: None,
            ..self
        }
    }

    /// As [`new`](Self::new), for what somebody logged who saw no TLS and no compression: behind
    /// STARTTLS and COMPRESS the lines go on.
    pub fn of_log(gate: Gate) -> Self {
        let mut observer = Self::new(gate);
        observer.source = Source::Log;
        observer
    }

    /// As [`new`](Self::new), for a recording in which secrets may stand unmasked
    /// ([`read_again`](Self::read_again)): they are masked now.
    pub fn of_shown(gate: Gate) -> Self {
        let mut observer = Self::new(gate);
        observer.source = Source::Shown;
        observer
    }

    /// Whether the client's octets wait for the server's go-ahead (RFC 9051, section 4.3).
    pub fn awaits_go_ahead(&self) -> bool {
        self.client.framer.awaits_go_ahead()
    }

    /// Where the session is.
    pub fn state(&self) -> State {
        self.tracker.state()
    }

    /// The capabilities that the server listed last, where it has.
    pub fn capabilities(&self) -> Option<&[String]> {
        self.tracker.listed_capabilities()
    }

    /// A literal's octets are taken for what they may not be.
    pub(super) fn guess(&mut self) {
        self.guessed = Some(self.ordinal);
    }

    /// What comes next may be octets that were meant for something else.
    pub(super) fn suspect(&mut self, suspicion: Suspicion) {
        self.suspicion = self.suspicion.max(suspicion);
    }

    /// What is held of the server's message.
    pub(super) fn server_held(&self) -> &Message {
        self.server.assembler.message()
    }

    /// Frames `input` and reads what becomes whole.
    pub(super) fn pump(&mut self, from: Peer, mut input: &[u8], at: Micros, out: &mut Vec<Draft>) {
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
            let mut run = &input[..self.bridge.with_one_fate(from, input.len())];
            let before = run.len();
            let Some(fragment) = self.side(from).framer.next(&mut run) else {
                if input.len() <= limits::UNDECIDED_HELD {
                    break;
                }
                self.guess();
                self.client.framer.accept();
                self.note(Note::LiteralNotAwaited, at, out);
                continue;
            };
            input = &input[before - run.len()..];
            let fate = self.bridge.framed(from, before - run.len());
            if from == Peer::Client {
                self.go_nowhere_with(&fragment, fate);
            }
            match fragment {
                Fragment::Text(text, end) => self.text(from, text, end, at, out),
                Fragment::Literal(octets, last) => self.literal(from, octets, last, at, out),
                Fragment::Opaque(octets) => {
                    let fate = fate.unwrap_or(Fate::Passed);
                    self.emit_opaque(from, octets, fate, at, out);
                }
            }
            self.settle(from, at, out);
            if from == Peer::Server && self.compression.begins() {
                return self.wire_octets(from, input, at, out);
            }
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

    /// Reads octets that are not compressed, or not any more.
    pub(super) fn plain_octets(
        &mut self,
        from: Peer,
        octets: &[u8],
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        match from {
            Peer::Client => self.client_octets(octets, at, out),
            Peer::Server => self.pump(from, octets, at, out),
        }
    }

    /// Whether octets may have to wait, or to be edited.
    pub(super) fn is_bridging(&self) -> bool {
        self.blind.is_none()
            && (self.bridge.is_promised() || !self.compression.is_on())
            && self.bridge.has_work(self.tracker.is_authenticated())
    }

    /// What the relay is to do, after something was read.
    fn verdict(&mut self) -> Verdict {
        if self.blind.is_some() && !self.may_go_unread() {
            // Nobody knows any more what may cross in cleartext.
            self.bridge.end(Note::ObserverStopped);
        } else if !self.is_bridging() {
            self.bridge.stop_delaying();
            self.bridge.release_all(Peer::Client);
            self.bridge.release_all(Peer::Server);
        }
        Verdict::Acts(self.bridge.take_acts())
    }
}

impl Protocol for Observer {
    fn observe(&mut self, from: Peer, bytes: &[u8], at: Micros, out: &mut Vec<Draft>) -> Verdict {
        while self.read_on(out) {}
        let is_bridging = self.is_bridging() || !self.may_go_unread();
        if is_bridging {
            self.bridge.arrived(from, bytes.len());
        }
        self.wire_octets(from, bytes, at, out);
        match is_bridging {
            true => self.verdict(),
            false => Verdict::AsRead,
        }
    }

    fn ended(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) -> Verdict {
        // Only a relay that is stopped leaves more than this to be read.
        self.read_on(out);
        self.forget_rest();
        self.end_message(from, at, out);
        if let Some(blind) = &mut self.blind {
            blind.end(from, out);
        }
        self.bridge.client_is_gone |= from == Peer::Client;
        self.bridge.server_is_gone |= from == Peer::Server;
        if self.bridge.server_is_gone && self.bridge.holds_client() {
            self.abandon_behind(out);
        }
        if from == Peer::Server {
            self.bridge.drop_delayed();
        }
        if !(from == Peer::Client && self.bridge.holds_client()) {
            self.bridge.release_all(from);
        }
        self.verdict()
    }

    fn read_on(&mut self, out: &mut Vec<Draft>) -> bool {
        self.read_rest(out)
    }

    fn read_size(&self) -> usize {
        match self.compression.is_on() {
            true => limits::COMPRESSED_READ,
            false => limits::READ,
        }
    }

    fn may_go_unread(&self) -> bool {
        !self.bridge.is_promised()
    }

    fn secured(&mut self, out: &mut Vec<Draft>) -> Verdict {
        self.go_on_with_tls(out);
        self.verdict()
    }
}
