//! One connection's session (RFC 9051, section 3), followed event by event.

use super::command::{Command, InFlight};
use super::mailbox::Mailbox;
use crate::event::{
    Awaited, Body, Event, Micros, Passed, Peer, Reading, Relation, Said, Status, Value,
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

/// What the server listed last, as the app was given it.
#[derive(Clone, Debug, Default)]
pub struct Capabilities {
    /// Upper case.
    pub names: Vec<String>,
    /// STARTTLS went through since.
    pub before_tls: bool,
    /// The app logged in since.
    pub before_login: bool,
}

impl Capabilities {
    /// Whether one is listed; give it in upper case. With `=` at the end: one that begins so.
    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|listed| match name.ends_with('=') {
            true => listed.starts_with(name),
            false => listed == name,
        })
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
    idle: Option<u64>,
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

    /// The IDLE that the server has agreed to and the client has not ended.
    pub fn idling(&self) -> Option<&Command> {
        let idle = self.in_flight.get(self.idle?)?;
        (idle.idles.is_some() && !idle.done).then_some(idle)
    }

    /// Whether a response belongs to a SELECT or EXAMINE.
    pub fn is_selecting(&self, said: &Said) -> bool {
        let asking = self.asking(said);
        asking.is_some_and(|command| matches!(&*command.name, "SELECT" | "EXAMINE"))
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
    pub fn asking(&self, said: &Said) -> Option<&Command> {
        self.in_flight.get(asking(&said.relation)?)
    }

    /// Takes the event in.
    pub fn read(&mut self, event: &Event) {
        match &event.body {
            Body::Connected { server, .. } => {
                self.connected = true;
                self.server = Some(server.clone());
                self.legs = [Leg::Cleartext; 2];
            }
            Body::Secured(secured) => self.legs[secured.leg as usize] = Leg::Secured,
            Body::Compressed => self.compressed = true,
            Body::Gap { .. } => {
                self.in_flight = InFlight::default();
                self.state = None;
                self.selected.iter_mut().for_each(Mailbox::doubt);
            }
            Body::Said(said) => match said.from {
                Peer::Client => self.client(event.n, event.at, said),
                Peer::Server => {
                    self.heard = true;
                    self.server_said(event.at, said);
                }
            },
            Body::Note(_) | Body::HalfClosed { .. } | Body::Closed { .. } => {}
        }
    }

    fn client(&mut self, n: u64, at: Micros, said: &Said) {
        if let Reading::Continuation {
            mechanism: None, ..
        } = said.reading
        {
            let is_done = said.wire.bytes().trim_ascii_end();
            let idle = self.idle.and_then(|idle| self.in_flight.get_mut(idle));
            if let Some(idle) = idle.filter(|_| is_done.eq_ignore_ascii_case(b"DONE")) {
                idle.done = true;
            }
            return;
        }
        let Some(command) = Command::read(n, at, said) else {
            return;
        };
        if self.in_flight.count() == 0
            && let Some(mailbox) = &mut self.selected
        {
            mailbox.all_is_read();
        }
        if command.name == "IDLE" {
            self.idle = Some(n);
        }
        self.in_flight.begin(command);
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
        let code = said.code().filter(|_| status.is_some());
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
        let selects = |command: &&Command| matches!(&*command.name, "SELECT" | "EXAMINE");
        let Some(command) = self.asking(said).filter(selects) else {
            return;
        };
        if self.selecting != Some(command.n) && code != Some("CLOSED") {
            let mailbox = Mailbox::new(command.first.as_deref().unwrap_or_default());
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
        let Some(command) = asking(&said.relation).and_then(|n| self.in_flight.end(n)) else {
            return;
        };
        if self.idle == Some(command.n) {
            self.idle = None;
        }
        let ok = status == Some(Status::Ok);
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

    fn selected_then(&mut self, command: &Command, said: &Said, status: Option<Status>) {
        let began = self.selecting == Some(command.n);
        if began {
            self.selecting = None;
        }
        match status {
            Some(Status::Ok) => {
                if !began {
                    let name = command.first.as_deref().unwrap_or_default();
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
                if command.has("CONDSTORE") && !self.has_enabled("CONDSTORE") {
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

/// The capabilities that a response lists, as the app was given them.
fn listed(said: &Said) -> Option<Vec<String>> {
    let is_data = matches!(&said.reading, Reading::Untagged { name, .. } if name == "CAPABILITY");
    let code = match is_data {
        true => None,
        false => Some(said.code().filter(|code| code.name == "CAPABILITY")?),
    };
    let upper = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_uppercase();
    if let Passed::Instead(sent) = &said.passed {
        let text = upper(sent.bytes());
        let names = text.split("CAPABILITY ").nth(1)?;
        let end = names.find([']', '\r']).unwrap_or(names.len());
        let names = names[..end].split_whitespace().take(limits::CAPABILITIES);
        return Some(names.map(str::to_owned).collect());
    }
    let values = match code {
        Some(code) => code.values,
        None => said.arguments(),
    };
    let names = values.iter().filter_map(Value::bytes);
    let names = names.filter(|name| name.len() < limits::TAG).map(upper);
    Some(names.take(limits::CAPABILITIES).collect())
}
