//! STARTTLS (RFC 9051, section 6.2.1): when TLS begins on which leg, and what of the session waits
//! for it.
//!
//! ```text
//! C: a STARTTLS          passed on, or answered by mailscope
//! C: b LOGIN ...         waits; dropped if TLS begins (CVE-2011-0411), passed on if it does not
//! S: a OK begin          the one thing that begins TLS
//! S: * CAPABILITY ...    dropped
//! ```
//!
//! Nothing here looks at whether octets resemble TLS.

use std::collections::VecDeque;

use super::bridge::{AppLeg, ServerLeg, Stage, is_harmless, may_become_starttls};
use super::capability::may_become_list;
use super::command::Command;
use super::meaning::{Meaning, Missing};
use super::observer::Observer;
use super::response::{Kind, Response};
use super::secrets::Ranges;
use super::tracker::Expected;
use super::undecided::Undecided;
use super::{client, lexer, server};
use crate::event::{Draft, Message, Micros, Note, Passed, Peer, Reading, Relation, Sealed, Status};
use crate::fault::Strike;
use crate::limits;
use crate::protocol::Upgrade;

/// The capability, and the command.
const STARTTLS: &str = "STARTTLS";

/// What becomes of a client's message.
pub(super) enum Plan {
    /// It goes on.
    Pass,
    /// Nothing: it could not be read.
    None,
    /// Nothing: mailscope said it.
    Own,
    /// It waits until the leg to the server is secured; it has this tag.
    Hold { tag: Vec<u8> },
    /// It does not go on.
    Drop,
    /// It is a STARTTLS, and goes on.
    Ask { command: u64 },
    /// It is a STARTTLS that mailscope agrees to.
    Agree { command: u64, tag: Vec<u8> },
    /// It is a STARTTLS that mailscope refuses.
    Refuse { tag: Vec<u8> },
    /// A fault strikes it.
    Strike {
        strike: Strike,
        tag: Vec<u8>,
        command: u64,
    },
    /// The connection ends.
    End(Note),
}

impl Plan {
    /// What is recorded of it; `gone` says what of it went on before.
    pub(super) fn passed(&self, gone: impl FnOnce() -> Passed) -> Passed {
        match self {
            Self::None | Self::Pass | Self::Hold { .. } | Self::Ask { .. } => Passed::AsRead,
            Self::Own => Passed::Own,
            Self::Drop
            | Self::Agree { .. }
            | Self::Refuse { .. }
            | Self::Strike { .. }
            | Self::End(_) => gone(),
        }
    }
}

impl Observer {
    /// Octets that are not to be read as the session's: they came before TLS, which was agreed on,
    /// or wait for the answer to STARTTLS.
    pub(super) fn turns_aside(
        &mut self,
        from: Peer,
        input: &[u8],
        at: Micros,
        out: &mut Vec<Draft>,
    ) -> bool {
        if input.is_empty() {
            return false;
        }
        if self.bridge.is_securing(from) {
            self.injected(from, input, at, out);
            return true;
        }
        if from == Peer::Client
            && self.bridge.holds_client()
            && !self.bridge.went_on_before_the_end()
        {
            self.bridge.behind.push(input, at);
            return true;
        }
        false
    }

    /// Lets go on what need not wait of the message that is being read.
    pub(super) fn settle(&mut self, from: Peer, at: Micros, out: &mut Vec<Draft>) {
        if !self.is_bridging() || (from == Peer::Client && self.bridge.holds_client()) {
            return;
        }
        if self.side(from).assembler.is_empty() {
            self.bridge.release(from, None);
            self.bridge.take_gone(from);
            return;
        }
        if from == Peer::Client && self.strikes_begun(at, out) {
            return;
        }
        if from == Peer::Server && self.bridge.screens_server() {
            if self.bridge.is_framed_beyond(from, limits::READ) {
                self.bridge.end(Note::StartTlsInjection { from });
            }
            return;
        }
        let length = self.side(from).assembler.message().bytes().len();
        if !self.bridge.holds(from, length) {
            return self.bridge.release(from, None); // its beginning went on already
        }
        let is_short = length <= limits::READ;
        let waits = match from {
            Peer::Server => {
                // The answer to mailscope's own command is not the app's.
                let awaits_own = matches!(self.bridge.stage, Stage::OwnAsked { .. });
                let begun = self.server.assembler.message().bytes();
                let is_edited = self.may_strike_response() || may_become_list(begun);
                is_short && (awaits_own || is_edited)
            }
            Peer::Client if self.bridge.setting.server == ServerLeg::Starttls => {
                let is_tag = |octet: &u8| octet.is_ascii_graphic();
                let begun = self.client.assembler.message().bytes();
                let may_be_decided = !is_short
                    || self.client.framer.is_at_literal()
                    || begun.first().is_some_and(|first| !is_tag(first));
                if may_be_decided && !self.is_harmless_beginning() {
                    let plan = self.plan_for_a_secret(self.client.assembler.message());
                    return self.carry_out(plan, at, out);
                }
                !may_be_decided
            }
            Peer::Client => may_become_starttls(self.client.assembler.message().bytes()),
        };
        if !waits {
            self.bridge.release(from, None);
        }
    }

    fn is_harmless_beginning(&self) -> bool {
        let begun = self.client.assembler.message();
        let spans = lexer::command(begun);
        let name = Command::new(begun, &spans).name();
        name.is_some_and(|name| is_harmless(&name))
    }

    /// What the client sent before its literal was decided about goes on, unless the server's leg is
    /// to be secured first.
    pub(super) fn let_undecided_go(&mut self) {
        if self.is_struck() {
            // Most likely it is the literal.
            self.bridge.drop_ahead(Peer::Client);
        } else if self.is_bridging() && self.bridge.setting.server != ServerLeg::Starttls {
            self.bridge.release_ahead(Peer::Client);
        }
    }

    /// What becomes of a client's message, which means this; `message` is there only if something
    /// may.
    pub(super) fn plan(
        &mut self,
        message: Option<&Message>,
        meaning: &Meaning,
        circumstances: &client::Circumstances<'_>,
    ) -> Plan {
        if circumstances.own {
            return Plan::Own;
        }
        if self.bridge.stage == Stage::Ended {
            return Plan::Drop;
        }
        let Some(message) = message else {
            return Plan::Pass;
        };
        if let Some(plan) = self.plan_strike(message, meaning, circumstances.missing) {
            return plan;
        }
        let is_whole = self.bridge.holds(Peer::Client, message.bytes().len());
        if !self.is_bridging() || self.tracker.is_authenticated() || !is_whole {
            return Plan::Pass;
        }
        let name = match &meaning.reading {
            Reading::Command { name, .. } => name.as_deref(),
            _ => None,
        };
        match (name, self.bridge.setting.app, self.bridge.setting.server) {
            (Some(STARTTLS), app, leg) => plan_starttls(message, meaning.ordinal, app, leg),
            (_, _, ServerLeg::Tls | ServerLeg::Cleartext) => Plan::Pass,
            (Some(name), ..) if is_harmless(name) => Plan::Pass,
            // The app is gone; TLS is not begun for half a line.
            _ if circumstances.missing == Missing::Rest => Plan::Drop,
            _ => self.plan_for_a_secret(message),
        }
    }

    /// What becomes of what may hold a secret, as long as the server's leg is to be secured.
    fn plan_for_a_secret(&self, message: &Message) -> Plan {
        match self.bridge.stage {
            Stage::Refused if self.bridge.setting.server_is_local => Plan::Pass,
            Stage::Refused => Plan::End(Note::CleartextToServer),
            _ if self.lacks_starttls() => Plan::End(Note::StartTlsNotOffered),
            _ => Plan::Hold {
                tag: tag_of(message),
            },
        }
    }

    /// Whether the server has listed its capabilities, and STARTTLS is not among them.
    fn lacks_starttls(&self) -> bool {
        let offers = |name: &String| name.eq_ignore_ascii_case(STARTTLS);
        let listed = self.tracker.listed_capabilities();
        listed.is_some_and(|listed| !listed.iter().any(offers))
    }

    /// Does what was planned, behind the message's event.
    pub(super) fn carry_out(&mut self, plan: Plan, at: Micros, out: &mut Vec<Draft>) {
        match plan {
            Plan::None | Plan::Own => {}
            Plan::Pass => self.bridge.release(Peer::Client, None),
            Plan::Hold { tag } => self.secure_server(tag, at, out),
            Plan::Drop => self.bridge.release(Peer::Client, Some(Vec::new())),
            Plan::Ask { command } => {
                self.bridge.release(Peer::Client, None);
                self.bridge.stage = Stage::Asked { command };
            }
            Plan::Agree { command, tag } => {
                self.bridge.release(Peer::Client, Some(Vec::new()));
                self.bridge.stage = Stage::Answering { command, tag };
                self.answer_if_due(at, out);
            }
            Plan::Refuse { tag } => {
                self.bridge.release(Peer::Client, Some(Vec::new()));
                self.answer(&tag, Status::Bad, "TLS is in use already", at, out);
            }
            Plan::Strike {
                strike,
                tag,
                command,
            } => {
                self.bridge.release(Peer::Client, Some(Vec::new()));
                self.strike(strike, tag, command, at, out);
            }
            Plan::End(note) => self.bridge.end(note),
        }
    }

    /// mailscope agrees to the app's STARTTLS once the commands before it have their answers. Should
    /// one come later all the same, it goes on behind the handshake.
    pub(super) fn answer_if_due(&mut self, at: Micros, out: &mut Vec<Draft>) {
        if let Stage::Answering { command, tag } = &self.bridge.stage
            && self.tracker.answered_before(*command, &VecDeque::new())
        {
            let tag = tag.clone();
            self.answer(&tag, Status::Ok, "Begin TLS negotiation now", at, out);
        }
    }

    /// mailscope answers a command in the server's place.
    pub(super) fn answer(
        &mut self,
        tag: &[u8],
        status: Status,
        text: &str,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        let line = [tag, format!(" {} {text}\r\n", status.name()).as_bytes()].concat();
        self.say_for_the_server(&line, at, out);
    }

    /// mailscope says a response in the server's place.
    pub(super) fn say_for_the_server(&mut self, line: &[u8], at: Micros, out: &mut Vec<Draft>) {
        self.bridge.say(Peer::Client, line);
        let circumstances = server::Circumstances {
            at,
            own: true,
            ..Default::default()
        };
        self.server_message(Message::text(line), &circumstances, out);
    }

    /// mailscope asks the server for TLS itself.
    fn secure_server(&mut self, held: Vec<u8>, at: Micros, out: &mut Vec<Draft>) {
        let mut tag = "mailscope".to_owned();
        while self.tracker.is_in_flight(&tag) {
            tag.push('0');
        }
        let line = format!("{tag} {STARTTLS}\r\n");
        let circumstances = client::Circumstances {
            at,
            own: true,
            ..Default::default()
        };
        self.client_message(Message::text(line.as_bytes()), &circumstances, out);
        if let Some(command) = self.tracker.newest() {
            self.bridge.say(Peer::Server, line.as_bytes());
            self.bridge.stage = Stage::OwnAsked { command, held };
        }
    }

    /// What the server said first is no greeting: nobody knows what a leg that is to be secured leads to.
    pub(super) fn not_greeted(&mut self) {
        if self.is_bridging() && self.bridge.is_promised() {
            self.bridge.end(Note::NoGreeting);
        }
    }

    /// The server has greeted; what its greeting means for a leg that is to be secured.
    pub(super) fn greeted_with(
        &mut self,
        status: Option<Status>,
        at: Micros,
        out: &mut Vec<Draft>,
    ) {
        if !self.is_bridging() || self.bridge.setting.server != ServerLeg::Starttls {
            return;
        }
        match (status, self.bridge.setting.app) {
            (Some(Status::Bye), _) => self.bridge.stop_delaying(),
            (Some(Status::Preauth), _) => self.bridge.end(Note::StartTlsTooLate),
            // The app did not wait for the greeting, and its command waits for TLS already.
            _ if self.bridge.stage != Stage::Quiet => {}
            (_, AppLeg::Tls) => {
                let plan = self.plan_for_a_secret(&Message::new());
                self.carry_out(plan, at, out);
            }
            (_, AppLeg::Cleartext) if self.lacks_starttls() => {
                self.bridge.end(Note::StartTlsNotOffered);
            }
            (_, AppLeg::Cleartext) => {}
        }
    }

    /// Whether this response speaks of a command that the server was not sent yet: it is not the
    /// server's.
    pub(super) fn answers_what_waits(&self, message: &Message) -> bool {
        let Stage::OwnAsked { held, .. } = &self.bridge.stage else {
            return false;
        };
        let spans = lexer::response(message);
        let response = Response::new(message, &spans);
        match response.kind() {
            Kind::Tagged => response.tag() == held,
            Kind::ContinuationRequest => self.undecided_tag().is_some(),
            Kind::Untagged | Kind::Malformed => false,
        }
    }

    /// What went on of a message before no more of it might, since the connection was ended, or it is
    /// kept back or struck: so many octets of it, in which these are secret.
    pub(super) fn passed_before(
        &self,
        message: Option<&Message>,
        secret: &Ranges,
        gone: usize,
    ) -> Passed {
        let Some(message) = message.filter(|_| gone > 0) else {
            return Passed::Instead(Sealed::default());
        };
        // All that was read of it, of which what was streamed has events of its own.
        if gone >= message.bytes().len() {
            return Passed::AsRead;
        }
        let begun = &message.bytes()[..gone];
        let within = secret.iter().filter(|(range, _)| range.start < gone);
        let within = within.map(|(range, kind)| (range.start..range.end.min(gone), *kind));
        let within: Ranges = within.collect();
        Passed::Instead(self.gate.seal(Message::text(begun), &within))
    }

    /// Whether the relay is to end the connection, so that nothing goes on.
    pub(super) fn has_ended(&self) -> bool {
        self.bridge.stage == Stage::Ended
    }

    /// A response is not given to the app, but for what went on of it before that was known.
    fn keep_back(&mut self, message: &Message, secret: &Ranges) -> Passed {
        let gone = self.bridge.take_gone(Peer::Server);
        self.bridge.release(Peer::Server, Some(Vec::new()));
        self.passed_before(Some(message), secret, gone)
    }

    /// What the app is given of a response, which means this; `secret` are its secret octets.
    pub(super) fn pass_on_response(
        &mut self,
        message: Option<&Message>,
        secret: &Ranges,
        meaning: &mut Meaning,
    ) -> Passed {
        let Some(message) = message.filter(|_| self.is_bridging()) else {
            return Passed::AsRead;
        };
        let is_ours = matches!((&self.bridge.stage, &meaning.relation, &meaning.reading),
            (Stage::OwnAsked { command, .. }, Relation::Answers(answered), Reading::Tagged { .. })
                if command == answered);
        if is_ours {
            return self.keep_back(message, secret);
        }
        let is_unasked = meaning.relation == Relation::Unsolicited;
        if self.bridge.screens_server() && is_unasked {
            // The server may say such things at any time (RFC 9051, section 7); nothing else before its answer.
            if !matches!(meaning.reading, Reading::Untagged { .. }) {
                let from = Peer::Server;
                meaning.notes.push(Note::StartTlsInjection { from });
            }
            return self.keep_back(message, secret);
        }
        let is_in = self.tracker.is_authenticated()
            || self.tracker.is_logging_in()
            || self.tracker.expected() == Expected::Sasl;
        let edits = self.bridge.edits(is_in);
        let edited = match edits.is_empty() {
            true => None,
            false => edits.applied(message, &lexer::response(message)),
        };
        let is_held = self.bridge.holds(Peer::Server, message.bytes().len());
        let struck = self.strike_response(message, is_held, meaning);
        let edited = struck.or_else(|| edited.filter(|_| is_held));
        let Some(edited) = edited else {
            self.bridge.release(Peer::Server, None);
            return Passed::AsRead;
        };
        let secret = self.remembered_in(&edited);
        let sent = self.gate.seal(Message::text(&edited), &secret);
        self.bridge.release(Peer::Server, Some(edited));
        Passed::Instead(sent)
    }

    /// The server, or mailscope in its place, agreed to STARTTLS.
    pub(super) fn begin_tls(&mut self, command: u64, at: Micros, out: &mut Vec<Draft>) {
        if self.is_recorded() {
            return;
        }
        let upgrade = match &self.bridge.stage {
            Stage::Asked { command: asked } if *asked == command => Upgrade::Both,
            Stage::OwnAsked { command: asked, .. } if *asked == command => Upgrade::Server,
            Stage::Answering { command: asked, .. } if *asked == command => Upgrade::App,
            // Nothing says what the server would take the next octets for.
            _ if self.bridge.is_promised() => return self.bridge.end(Note::StartTlsNotRead),
            _ => {
                self.note(Note::StartTlsNotRead, at, out);
                return self.stop_framing(at, out);
            }
        };
        self.bridge.secure(upgrade);
        if upgrade.includes(Peer::Client) {
            let behind = std::mem::take(&mut self.bridge.behind);
            if !behind.is_empty() {
                self.injected(Peer::Client, &behind.octets, behind.at(), out);
            }
        }
    }

    /// The server refused STARTTLS.
    pub(super) fn go_on_without_tls(&mut self, command: u64, out: &mut Vec<Draft>) {
        match &self.bridge.stage {
            Stage::Asked { command: asked } if *asked == command => {
                self.bridge.stage = Stage::Refused;
                self.read_behind(out);
            }
            Stage::OwnAsked { command: asked, .. } if *asked == command => {
                self.bridge.end(Note::StartTlsRefused);
            }
            // The server answered what it was not sent, before mailscope did.
            Stage::Answering { command: asked, .. } if *asked == command => {
                self.bridge.stage = Stage::Quiet;
                self.read_behind(out);
            }
            _ => {}
        }
    }

    /// TLS has begun.
    pub(super) fn go_on_with_tls(&mut self, out: &mut Vec<Draft>) {
        self.bridge.secured();
        self.bridge.release(Peer::Client, None);
        self.read_behind(out);
    }

    /// Reads what the client sent behind a command that had to wait.
    fn read_behind(&mut self, out: &mut Vec<Draft>) {
        if self.client.assembler.is_empty() {
            self.bridge.take_gone(Peer::Client); // of a message that was told
        }
        let Undecided { octets, reads } = std::mem::take(&mut self.bridge.behind);
        let mut rest = octets.as_slice();
        let last = reads.last().map_or(Micros::default(), |(_, at)| *at);
        for (length, at) in reads {
            let (octets, behind) = rest.split_at(length);
            rest = behind;
            self.client_octets(octets, at, out);
        }
        // Its end came before.
        if self.bridge.client_is_gone && self.bridge.behind.is_empty() {
            self.end_message(Peer::Client, last, out);
            if !self.bridge.holds_client() {
                self.bridge.release_all(Peer::Client);
            }
        }
    }

    /// Plaintext that came where TLS was to begin: it never enters the session.
    fn injected(&mut self, from: Peer, octets: &[u8], at: Micros, out: &mut Vec<Draft>) {
        self.bridge.drop_unframed(from, octets.len());
        let mut meaning = self.dropped(from);
        meaning.notes.push(Note::StartTlsInjection { from });
        let wire = self.sealed_opaque(from, octets);
        self.emit(from, wire, Some(meaning), at, out);
    }

    /// The server is gone: what waits for its word goes nowhere, and its sender is not waited for.
    pub(super) fn abandon_behind(&mut self, out: &mut Vec<Draft>) {
        let behind = self.bridge.behind.octets.len();
        self.bridge.drop_unframed(Peer::Client, behind);
        self.bridge.drop_ahead(Peer::Client);
        self.goes_nowhere();
        if behind > 0 {
            self.end_message(Peer::Client, self.bridge.behind.at(), out);
            let behind = std::mem::take(&mut self.bridge.behind);
            let wire = self.sealed_opaque(Peer::Client, &behind.octets);
            let meaning = self.dropped(Peer::Client);
            self.emit(Peer::Client, wire, Some(meaning), behind.at(), out);
        }
    }

    /// What octets mean that are not read, and do not go on.
    fn dropped(&mut self, from: Peer) -> Meaning {
        let mut meaning = Meaning::new(self.next_ordinal(), Reading::Opaque);
        if from == Peer::Server {
            meaning.relation = Relation::Unsolicited;
        }
        meaning.passed = Passed::Instead(Sealed::default());
        meaning
    }
}

fn plan_starttls(message: &Message, command: u64, app: AppLeg, server: ServerLeg) -> Plan {
    let tag = tag_of(message);
    match (app, server) {
        (AppLeg::Tls, ServerLeg::Tls) => Plan::Pass,
        (AppLeg::Tls, _) => Plan::Refuse { tag },
        (AppLeg::Cleartext, ServerLeg::Starttls) => Plan::Ask { command },
        (AppLeg::Cleartext, _) => Plan::Agree { command, tag },
    }
}

pub(super) fn tag_of(message: &Message) -> Vec<u8> {
    let tag = lexer::command_tag(message).map(|tag| message.bytes()[tag].to_vec());
    tag.unwrap_or_default()
}
