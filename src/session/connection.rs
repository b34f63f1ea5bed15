//! One connection's session (RFC 9051, section 3), followed event by event.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::capabilities::{Capabilities, listed};
use super::command::{Command, kept};
use super::in_flight::{InFlight, Pending};
use super::mailbox::Mailbox;
use super::place::Place;
use crate::event::{
    Awaited, Body, Event, Label, Micros, Passed, Peer, Reading, Relation, Said, Span, Status, Value,
};
use crate::limits;

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Greeted, not logged in.
    NotAuthenticated,
    /// Logged in, no mailbox selected.
    Authenticated,
    /// A mailbox is selected.
    Selected,
    /// The server has said BYE.
    Logout,
}

/// How a leg is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leg {
    /// Nothing tells.
    #[default]
    Unknown,
    /// Octets pass as they are.
    Cleartext,
    /// TLS.
    Secured,
}

impl Leg {
    /// Of a connection that begins, between these addresses.
    ///
    /// A log knows no app's address; what it has was said inside of TLS, if there was any. What goes to the
    /// port for TLS is secured from the first octet on (RFC 8314, section 3.2): mailscope says so when it was
    /// there, and where a capture has lines of it, somebody has deciphered them.
    fn of(client: &str, server: &str) -> Self {
        let is_log = [client, server].contains(&"unknown");
        match (is_log, server.ends_with(":993")) {
            (true, true) => Self::Secured,
            (true, false) | (false, true) => Self::Unknown,
            (false, false) => Self::Cleartext,
        }
    }
}

/// A connection's session.
#[derive(Default)]
pub struct Session {
    state: Option<State>,
    in_flight: InFlight,
    selected: Option<Mailbox>,
    /// The SELECT whose data is being read.
    selecting: Option<u64>,
    /// The SELECT that was said last, while it has no answer, and what it selects.
    to_select: Option<(u64, Option<Arc<str>>)>,
    idle: Option<u64>,
    /// The AUTHENTICATE or IDLE with this tag that was said last.
    continued: HashMap<String, u64>,
    /// When the client said something last, or went on with IDLE.
    client_spoke: Option<Micros>,
    capabilities: Option<Capabilities>,
    enabled: Vec<String>,
    identity: Option<String>,
    server: Option<String>,
    legs: [Leg; 2],
    compressed: bool,
    connected: bool,
    heard: bool,
}

impl Session {
    /// The state; `None` for a session that is not seen from its greeting on.
    pub fn state(&self) -> Option<State> {
        self.state
    }

    /// The commands that have no answer yet.
    pub fn in_flight(&self) -> &InFlight {
        &self.in_flight
    }

    /// The mailbox that is selected, or being selected.
    pub fn mailbox(&self) -> Option<&Mailbox> {
        self.selected.as_ref()
    }

    /// The server's capabilities, once it has listed them.
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_ref()
    }

    /// Whether an extension is on (RFC 9051, section 6.3.1); give it in upper case.
    pub fn has_enabled(&self, name: &str) -> bool {
        self.enabled.iter().any(|enabled| enabled == name)
    }

    /// Who is logged in, as far as the login told.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Host and port of the server, where that was told.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// How the leg to this peer is secured.
    pub fn leg(&self, peer: Peer) -> Leg {
        self.legs[peer as usize]
    }

    /// When the client said something last.
    pub fn client_spoke(&self) -> Option<Micros> {
        self.client_spoke
    }

    /// The IDLE that the server has agreed to and the client has not ended.
    pub fn idling(&self) -> Option<&Pending> {
        let idle = self.in_flight.get(self.idle?)?;
        (idle.idles.is_some() && !idle.done).then_some(idle)
    }

    /// Whether a response belongs to a SELECT or EXAMINE.
    pub fn is_selecting(&self, said: &Said) -> bool {
        self.asking(said).is_some_and(|command| command.selects())
    }

    /// Whether both directions are compressed.
    pub fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Whether the connection was seen from its beginning.
    pub fn is_whole(&self) -> bool {
        self.connected
    }

    /// Whether the server has said anything.
    pub fn has_heard_the_server(&self) -> bool {
        self.heard
    }

    /// The command that an answer is for; of several that it may be for, the first.
    pub fn asking(&self, said: &Said) -> Option<&Pending> {
        self.in_flight.get(asking(&said.relation)?)
    }

    /// The UID of the message that an EXPUNGE or a FETCH names by its number alone, where it was told
    /// before; asked before the response is taken in.
    pub fn uid_of(&self, said: &Said) -> Option<u32> {
        let Reading::Untagged {
            name,
            number: Some(number),
            ..
        } = &said.reading
        else {
            return None;
        };
        if !matches!(&**name, "EXPUNGE" | "FETCH") || self.is_selecting(said) {
            return None;
        }
        let uid = self.mailbox()?.uid(*number)?;
        let says_it = |span: &Span| {
            span.label == Label::Atom && said.span_bytes(span).eq_ignore_ascii_case(b"UID")
        };
        (!said.spans.iter().any(says_it)).then_some(uid)
    }

    /// Takes the event in; what it belongs to comes back.
    pub fn read(&mut self, event: &Event) -> Place {
        let mut place = Place {
            commands: SmallVec::new(),
            selected: self.selected.as_ref().map(|mailbox| mailbox.name.clone()),
        };
        match &event.body {
            Body::Connected { client, server } => {
                self.connected = true;
                self.server = Some(server.clone());
                self.legs = [Leg::of(client, server); 2];
            }
            Body::Secured(secured) => self.legs[secured.leg as usize] = Leg::Secured,
            Body::Compressed => self.compressed = true,
            Body::Gap { .. } => self.doubt(),
            Body::Said(said) => {
                // Before it has its answer, after which it is not to be found any more.
                place.commands = self.answered(&said.relation);
                place.commands.extend(self.said(event.n, event.at, said));
            }
            Body::Note(_) | Body::HalfClosed { .. } | Body::Closed { .. } => {}
        }
        place
    }

    /// Takes in what a peer said; of the app, the command that it is or goes on with comes back.
    /// `n` is its event's number, or a count that relations are told in.
    pub fn said(&mut self, n: u64, at: Micros, said: &Said) -> Option<Arc<Command>> {
        match said.from {
            Peer::Client => {
                self.client_spoke = Some(at);
                self.client(n, at, said)
            }
            Peer::Server => {
                self.heard = true;
                self.server_said(at, said);
                None
            }
        }
    }

    /// Something was not seen.
    pub fn doubt(&mut self) {
        self.in_flight.doubt();
        self.state = None;
        self.selected.iter_mut().for_each(Mailbox::doubt);
    }

    fn answered(&self, relation: &Relation) -> SmallVec<[Arc<Command>; 1]> {
        let command = |n| self.in_flight.find(n).cloned();
        match relation {
            Relation::Answers(n) => command(*n).into_iter().collect(),
            Relation::Ambiguous(several) => several.iter().copied().filter_map(command).collect(),
            Relation::None | Relation::Unsolicited => SmallVec::new(),
        }
    }

    /// The command that is said, or gone on with.
    fn client(&mut self, n: u64, at: Micros, said: &Said) -> Option<Arc<Command>> {
        if let Reading::Continuation { tag, mechanism, .. } = &said.reading {
            if mechanism.is_none() {
                self.idle_ends(said);
            }
            let command = *self.continued.get(kept(tag.as_deref()?))?;
            if mechanism.is_some()
                && said.wire.bytes().trim_ascii_end() == b"*"
                && let Some(authenticate) = self.in_flight.get_mut(command)
            {
                authenticate.done = true;
            }
            return self.in_flight.find(command).cloned();
        }
        let mut command = Command::read(n, at, said)?;
        if self.in_flight.count() == 0
            && let Some(mailbox) = &mut self.selected
        {
            mailbox.all_is_read();
        }
        if command.acts_on_selected() {
            let selected = self.selected.as_ref().map(|mailbox| mailbox.name.clone());
            command.selected = match &self.to_select {
                Some((_, name)) => name.clone(),
                None => selected,
            };
        }
        let command = Arc::new(command);
        if !command.tag.is_empty() {
            self.begin(&command);
        }
        Some(command)
    }

    fn begin(&mut self, command: &Arc<Command>) {
        let n = command.n;
        match &*command.name {
            "SELECT" | "EXAMINE" => self.to_select = Some((n, command.named.first().cloned())),
            "IDLE" => self.idle = Some(n),
            _ => {}
        }
        if matches!(&*command.name, "AUTHENTICATE" | "IDLE") {
            self.continued.insert(command.tag.clone(), n);
        }
        for oldest in self.in_flight.begin(Arc::clone(command)) {
            self.forget(&oldest);
        }
    }

    /// The command waits for nothing any more.
    fn forget(&mut self, command: &Command) {
        if self.idle == Some(command.n) {
            self.idle = None;
        }
        if self
            .to_select
            .as_ref()
            .is_some_and(|(n, _)| *n == command.n)
        {
            self.to_select = None;
        }
        if self.continued.get(&command.tag) == Some(&command.n) {
            self.continued.remove(&command.tag);
        }
    }

    fn idle_ends(&mut self, said: &Said) {
        let is_done = said.wire.bytes().trim_ascii_end();
        let idle = self.idle.and_then(|idle| self.in_flight.get_mut(idle));
        if let Some(idle) = idle.filter(|_| is_done.eq_ignore_ascii_case(b"DONE")) {
            idle.done = true;
        }
    }

    fn server_said(&mut self, at: Micros, said: &Said) {
        match &said.reading {
            // What a text that is an excerpt begins with only looks like one.
            Reading::Greeting { status } if self.connected || self.in_flight.count() == 0 => {
                self.state = match status {
                    Some(Status::Preauth) => Some(State::Authenticated),
                    Some(Status::Bye) => Some(State::Logout),
                    _ => Some(State::NotAuthenticated),
                };
            }
            Reading::ContinuationRequest {
                awaited: Some(Awaited::Idle),
                ..
            } => {
                let idle = asking(&said.relation).and_then(|n| self.in_flight.get_mut(n));
                idle.into_iter().for_each(|idle| idle.idles = Some(at));
            }
            Reading::Untagged {
                name,
                number,
                status,
                ..
            } => self.untagged(said, name, *number, *status),
            Reading::Tagged { status, .. } => self.tagged(said, *status),
            _ => {}
        }
        if let Some(names) = listed(said) {
            self.capabilities = Some(Capabilities {
                names,
                ..Capabilities::default()
            });
        }
    }

    fn untagged(&mut self, said: &Said, name: &str, number: Option<u64>, status: Option<Status>) {
        let code = status.and_then(|_| said.code());
        let code_name = code.as_ref().map(|code| code.name.as_str());
        self.begin_mailbox(said, code_name);
        let told = code_name.unwrap_or(name);
        match &said.relation {
            Relation::Answers(n) => self.in_flight.answered(*n, told),
            Relation::Ambiguous(several) => {
                for n in several {
                    self.in_flight.answered(*n, told);
                }
            }
            Relation::None | Relation::Unsolicited => {}
        }
        match (status, code) {
            (Some(Status::Bye), _) => self.state = self.state.map(|_| State::Logout),
            (Some(_), Some(code)) if code.name == "CLOSED" => self.leave(),
            (Some(Status::Ok), Some(code)) => {
                if let Some(mailbox) = &mut self.selected {
                    mailbox.code(&code.name, &code.values);
                    if let (Passed::Instead(sent), "UIDVALIDITY") = (&said.passed, &*code.name) {
                        mailbox.uid_validity = uid_validity(sent.bytes());
                    }
                }
            }
            (Some(_), _) => {}
            (None, _) if name == "ENABLED" => self.enable(said),
            (None, _) => {
                if let Some(mailbox) = &mut self.selected {
                    mailbox.data(said, name, number);
                }
            }
        }
    }

    /// With the first answer to a SELECT, what is told is about the mailbox that it selects.
    fn begin_mailbox(&mut self, said: &Said, code: Option<&str>) {
        let Some(command) = self.asking(said).filter(|command| command.selects()) else {
            return;
        };
        if self.selecting != Some(command.n) && code != Some("CLOSED") {
            let mailbox = Mailbox::new(command.named.first().cloned().unwrap_or_default());
            self.selecting = Some(command.n);
            self.selected = Some(mailbox);
        }
    }

    fn enable(&mut self, said: &Said) {
        for name in said.arguments().iter().filter_map(Value::bytes) {
            let name = String::from_utf8_lossy(name).to_ascii_uppercase();
            if self.enabled.len() < limits::ITEMS && !self.enabled.contains(&name) {
                self.enabled.push(name);
            }
        }
    }

    fn tagged(&mut self, said: &Said, status: Option<Status>) {
        let Some(n) = asking(&said.relation) else {
            return;
        };
        let Some(command) = self.in_flight.end(n) else {
            return self.settle(n, status);
        };
        self.forget(&command);
        let ok = status == Some(Status::Ok);
        self.acted(&command, said, ok);
        match &*command.name {
            "SELECT" | "EXAMINE" => self.selected_then(&command, said, status),
            "LOGIN" | "AUTHENTICATE" if ok => {
                self.set_state(State::Authenticated);
                self.identity = command.identity.clone();
                if let Some(capabilities) = &mut self.capabilities
                    && !command.got("CAPABILITY")
                {
                    capabilities.before_login = true;
                }
            }
            "UNAUTHENTICATE" if ok => {
                self.leave();
                self.set_state(State::NotAuthenticated);
                self.enabled.clear();
                self.identity = None;
            }
            "CLOSE" | "UNSELECT" if ok => self.leave(),
            "LOGOUT" if ok => {
                self.leave();
                self.set_state(State::Logout);
            }
            "STARTTLS" if ok && !matches!(said.passed, Passed::Instead(_)) => {
                self.legs[Peer::Client as usize] = Leg::Secured;
                self.legs[Peer::Server as usize] = Leg::Secured;
                if let Some(capabilities) = &mut self.capabilities {
                    capabilities.before_tls = true;
                }
            }
            "COMPRESS" if ok => self.compressed = true,
            _ => {}
        }
    }

    /// A command from before something was not seen has its answer: of it is known what it did, and
    /// not what else happened.
    fn settle(&mut self, n: u64, status: Option<Status>) {
        let Some(command) = self.in_flight.settle(n) else {
            return;
        };
        self.forget(&command);
        match (&*command.name, status) {
            ("SELECT" | "EXAMINE", Some(Status::Ok)) => {
                let name = command.named.first().cloned().unwrap_or_default();
                self.selected = Some(Mailbox::new(name));
            }
            ("SELECT" | "EXAMINE", Some(Status::No))
            | ("CLOSE" | "UNSELECT" | "LOGOUT" | "UNAUTHENTICATE", Some(Status::Ok)) => {
                self.selected = None;
            }
            _ => {}
        }
    }

    /// What a command that was answered did to the selected mailbox.
    fn acted(&mut self, command: &Pending, said: &Said, ok: bool) {
        let Some(mailbox) = self.selected.as_mut().filter(|_| !command.selects()) else {
            return;
        };
        let code = said.code();
        // Expunging tells a new HIGHESTMODSEQ (RFC 7162, section 3.2.7).
        if let Some(code) = code.as_ref().filter(|code| code.name == "HIGHESTMODSEQ") {
            mailbox.code(&code.name, &code.values);
        }
        if let Some(stores) = &command.stores
            && (ok || code.is_some())
        {
            mailbox.stored(
                stores,
                ok && code.is_none_or(|code| code.name != "MODIFIED"),
            );
        }
    }

    fn selected_then(&mut self, command: &Command, said: &Said, status: Option<Status>) {
        let began = self.selecting == Some(command.n);
        if began {
            self.selecting = None;
        }
        match status {
            Some(Status::Ok) => {
                if !began {
                    let name = command.named.first().cloned().unwrap_or_default();
                    self.selected = Some(Mailbox::new(name));
                }
                if let Some(mailbox) = &mut self.selected {
                    if let Some(code) = said.code() {
                        mailbox.code(&code.name, &code.values);
                    }
                    mailbox.is_selected(command.name == "EXAMINE");
                }
                self.set_state(State::Selected);
                // Selecting with either of them turns it on (RFC 7162, section 3.1.8 and 3.2.5).
                if command.has_option("CONDSTORE") && !self.has_enabled("CONDSTORE") {
                    self.enabled.push("CONDSTORE".into());
                }
            }
            // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
            Some(Status::No) => self.leave(),
            _ if began => self.leave(),
            _ => {}
        }
    }

    /// A session that is not seen from its beginning may be in any state.
    fn set_state(&mut self, state: State) {
        if self.state != Some(State::Logout) {
            self.state = Some(state);
        }
    }

    fn leave(&mut self) {
        self.selected = None;
        self.selecting = None;
        if self.state == Some(State::Selected) {
            self.state = Some(State::Authenticated);
        }
    }
}

fn asking(relation: &Relation) -> Option<u64> {
    match relation {
        Relation::Answers(n) => Some(*n),
        Relation::Ambiguous(several) => several.first().copied(),
        Relation::None | Relation::Unsolicited => None,
    }
}

/// The UIDVALIDITY that the app was given in place of the server's.
fn uid_validity(sent: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(sent).ok()?;
    let number = text.split("UIDVALIDITY ").nth(1)?;
    number.split(']').next()?.parse().ok()
}
