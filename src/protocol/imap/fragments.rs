//! What the framer hands on, taken in: text and literals joined to messages, large literals let out in
//! parts, and a client's literal decided about.

use super::assembler::{Outcome, Overflow};
use super::command::Command;
use super::doubt::{self, Suspicion};
use super::framer::End;
use super::meaning::Missing;
use super::observer::Observer;
use super::tracker::Expected;
use super::undecided::Undecided;
use super::{client, lexer, server};
use crate::event::{Draft, MASK, Message, Micros, Note, Peer, Reading, Relation, Said, Secret};
use crate::limits;

impl Observer {
    pub(super) fn text(
        &mut self,
        from: Peer,
        text: &[u8],
        end: End,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        let fits = self.side(from).assembler.has_room_for_text(text.len());
        let overflow = self.overflow(from, fits);
        if let End::Literal(header) = &end {
            self.side(from).assembler.expect(text.len(), header.octets);
        }
        let outcome = self.side(from).assembler.text(text, at, overflow);
        match outcome {
            Outcome::Held => {}
            Outcome::TooLong => {
                self.compression.overflowed(text.len());
                let (mut message, began) = self.side(from).assembler.take_beginning();
                // A secret may stand where it is cut.
                let tail = message.split_off_text(self.gate.undecided(message.bytes()));
                self.read(from, message, began, Missing::Rest, out);
                self.note(Note::MessageTooLong, at, out);
                let fate = self.fate(from);
                self.emit_opaque(from, &[&tail, text].concat(), fate, at, out);
            }
            Outcome::Opaque => {
                self.compression.overflowed(text.len());
                self.emit_opaque(from, text, self.fate(from), at, out);
            }
        }
        match self.literal_behind_plain(from).unwrap_or(end) {
            End::Input => {}
            End::Line { bare } => {
                self.compression.line_ended();
                let assembler = &mut self.side(from).assembler;
                let cut = assembler.is_cut();
                let went_out = assembler.has_gone_out();
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
                self.end_opaque(from, out);
                if went_out && from == Peer::Client {
                    self.ended_too_long(at, out);
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

    /// The literal that follows a client's plain line which is a command: an app that does not wait
    /// for the end of its AUTHENTICATE, having said all in its initial response.
    ///
    /// ```text
    /// C: a AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=
    /// C: b APPEND x {3+}
    /// C: abc
    /// ```
    fn literal_behind_plain(&mut self, from: Peer) -> Option<End> {
        if from == Peer::Server || self.client.assembler.is_cut() {
            return None;
        }
        let line = self.client.assembler.message();
        let header = self.client.framer.announced_by(line.bytes())?;
        let is_known = Command::new(line, &lexer::command(line)).is_known();
        // Nothing would tell a go-ahead for a synchronizing one from a challenge.
        if !is_known || header.form.is_sync() {
            return None;
        }
        self.client.framer.go_on(header);
        Some(End::Literal(header))
    }

    pub(super) fn literal(
        &mut self,
        from: Peer,
        octets: &[u8],
        last: bool,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        if self.side(from).assembler.octets(octets, at) == Outcome::Opaque {
            return self.emit_opaque(from, octets, self.fate(from), at, out);
        }
        self.parts(from, last, out);
    }

    /// Announces the parts of a streamed literal that became whole.
    pub(super) fn parts(&mut self, from: Peer, last: bool, out: &mut Vec<Draft>) {
        let gate = (from == Peer::Client && self.gate.masks()).then(|| self.gate.clone());
        while let Some(part) = self.side(from).assembler.part(last, gate.as_ref()) {
            let shown = part.shown();
            let secret = match part.secret {
                true => vec![(0..part.octets.len(), Secret::Password)],
                false => Vec::new(),
            };
            let message = Message::owning(part.octets);
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
    pub(super) fn overflow(&self, from: Peer, fits: bool) -> Overflow {
        if from == Peer::Server || !self.gate.masks() || fits {
            return Overflow::Shown;
        }
        let held = self.client.assembler.message();
        let spans = lexer::command(held);
        let command = Command::new(held, &spans);
        let is_readable = command.is_known() || !self.masks_client();
        match self.is_logged_in() && is_readable && !doubt::is_login(command) {
            true => Overflow::Shown,
            false => Overflow::Hidden,
        }
    }

    /// Whether what cannot be read of a client may be a secret.
    pub(super) fn masks_client(&self) -> bool {
        !self.is_logged_in() || self.suspicion == Suspicion::Always
    }

    fn is_logged_in(&self) -> bool {
        self.tracker.is_authenticated() && self.tracker.expected() != Expected::Sasl
    }

    /// The server let the client's literal come, or must have.
    pub(super) fn accept_literal(&mut self, out: &mut Vec<Draft>) {
        self.client.framer.accept();
        if !self.undecided.is_empty() {
            self.guess();
            self.note(Note::LiteralNotAwaited, self.undecided.at(), out);
        }
        self.pump_undecided(out);
    }

    /// The server refused the client's literal: the command is whole as it is.
    pub(super) fn refuse_literal(&mut self, out: &mut Vec<Draft>) {
        self.client.framer.refuse();
        if self.client.assembler.has_gone_out() {
            self.client.assembler.take();
            self.end_opaque(Peer::Client, out);
            return self.strikes_next();
        }
        let refused = self.client.assembler.message();
        let spans = lexer::command(refused);
        let suspicion = match doubt::is_login(Command::new(refused, &spans)) {
            true => Suspicion::Always,
            false => self.suspicion.max(Suspicion::BeforeAuthentication),
        };
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
        self.bridge.take_gone(Peer::Client);
        self.suspect(suspicion);
    }

    /// Reads what the client sent behind the literal that was just decided about.
    pub(super) fn pump_undecided(&mut self, out: &mut Vec<Draft>) {
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

    /// The command whose literal the server has not decided about, where it was told already, since it
    /// is too long to hold.
    pub(super) fn told_before_its_literal(&self) -> Option<u64> {
        let is_told = self.awaits_go_ahead() && self.client.assembler.has_gone_out();
        is_told.then(|| self.tracker.newest()).flatten()
    }

    /// Whether a line begins with this tag among what was sent behind the header of a literal that the
    /// server has not decided about, of another command.
    pub(super) fn is_behind_a_literal(&self, tag: &str) -> bool {
        let begins = |line: &[u8]| {
            let rest = line.strip_prefix(tag.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b" "))
        };
        self.undecided_tag()
            .is_some_and(|undecided| undecided != tag)
            && self
                .undecided
                .octets
                .split(|octet| *octet == b'\n')
                .any(begins)
    }

    /// The command whose literal the server has not decided about, as it would be if that were
    /// refused: the literal's header is text.
    pub fn undecided_command(&self) -> Option<Said> {
        if !self.awaits_go_ahead() || self.is_struck() {
            return None;
        }
        let message = Message::text(self.client.assembler.message().bytes());
        let spans = lexer::command(&message);
        let command = Command::new(&message, &spans);
        let reading = Reading::Command {
            tag: self.undecided_tag(),
            name: command.name(),
            mechanism: None,
            identity: None,
            refused: true,
        };
        let wire = self.gate.seal(message, &[]);
        Some(Said {
            spans,
            ..Said::new(Peer::Client, wire, reading)
        })
    }
}
