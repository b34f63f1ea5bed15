//! Where a session is (RFC 9051, section 3): its state, the commands that have no answer yet, what
//! the client may say next, and which command a response belongs to.
//!
//! The tracker reads no octets. It is told what was read, in order, and answers what it means.

use std::collections::{HashMap, HashSet, VecDeque};

use super::solicit::{Facts, Request};
use crate::event::{Awaited, CapabilityChange, MASK, MailboxNames, Micros, Relation, Status};
use crate::limits;

/// The state of the session (RFC 9051, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing but the greeting, and commands of any state, and logging in.
    NotAuthenticated,
    /// Logged in.
    Authenticated,
    /// A mailbox is selected.
    Selected,
    /// The server has said BYE.
    Logout,
}

/// What the client's next line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A command.
    Command,
    /// A response of the SASL exchange that is going on.
    Sasl,
    /// `DONE`.
    Done,
}

/// What a server's `+` was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// What it asks for.
    pub awaited: Awaited,
    /// The ordinal of the command.
    pub command: u64,
    /// The command's tag.
    pub tag: String,
}

/// What a tagged response ended.
pub struct Completed {
    /// The command's ordinal.
    pub command: u64,
    /// The command's name.
    pub name: String,
    /// From the command's first octet to the response's.
    pub elapsed: Micros,
    /// The tag, where other commands were in flight too.
    pub among: Option<String>,
}

struct InFlight {
    ordinal: u64,
    tag: String,
    at: Micros,
    request: Request,
    idle: Idle,
}

/// Where an IDLE command is (RFC 9051, section 6.3.13).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Idle {
    /// It is another command, or it was ended by DONE.
    Not,
    /// Ended by DONE before the server agreed; its `+` may come still.
    EndedEarly,
    /// Sent; the server has not agreed.
    Asked,
    /// Going on since then.
    Since(Micros),
}

/// The session as far as the wire has told.
pub struct Tracker {
    state: State,
    /// Ordinals rise.
    in_flight: VecDeque<InFlight>,
    /// Octets that are kept of them.
    held: usize,
    /// The ordinals of the commands in flight that have a tag; those of AUTHENTICATE, IDLE, LOGIN
    /// and UNAUTHENTICATE. There may be very many commands in flight, and a look at each of them for
    /// each message would take longer than the relay.
    tags: HashMap<String, VecDeque<u64>>,
    authenticating: VecDeque<u64>,
    idling: VecDeque<u64>,
    logging_in: VecDeque<u64>,
    unauthenticating: VecDeque<u64>,
    /// How many of the commands in flight an untagged BAD may have answered.
    disowned: usize,
    capabilities: Option<Vec<String>>,
    exists: Option<u64>,
    /// What mailbox names are written in by what ENABLE switched on.
    enabled_names: MailboxNames,
    /// The same by what the server knows.
    listed_names: MailboxNames,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            state: State::NotAuthenticated,
            in_flight: VecDeque::new(),
            held: 0,
            tags: HashMap::new(),
            authenticating: VecDeque::new(),
            idling: VecDeque::new(),
            logging_in: VecDeque::new(),
            unauthenticating: VecDeque::new(),
            disowned: 0,
            capabilities: None,
            exists: None,
            enabled_names: MailboxNames::default(),
            listed_names: MailboxNames::default(),
        }
    }
}

impl InFlight {
    /// Octets that are kept of it.
    fn weight(&self) -> usize {
        self.tag.len() + self.request.weight()
    }

    fn continued(&self, awaited: Awaited) -> Continuation {
        Continuation {
            awaited,
            command: self.ordinal,
            tag: self.tag.clone(),
        }
    }
}

/// As much of a tag as is kept ([`limits::TAG`]).
fn key(tag: &str) -> &str {
    let mut end = tag.len().min(limits::TAG);
    while !tag.is_char_boundary(end) {
        end -= 1;
    }
    &tag[..end]
}

/// Takes an ordinal out of those in a list, which rise. Most often it is the first.
fn leave(list: &mut VecDeque<u64>, ordinal: u64) {
    if let Ok(index) = list.binary_search(&ordinal) {
        list.remove(index);
    }
}

impl Tracker {
    /// The state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether a user is logged in and stays so, so that a client's octets are no longer suspected
    /// to be a password.
    pub fn is_authenticated(&self) -> bool {
        let is_in = matches!(self.state, State::Authenticated | State::Selected);
        is_in && self.unauthenticating.is_empty()
    }

    /// Whether a LOGIN has no answer yet.
    pub fn is_logging_in(&self) -> bool {
        !self.logging_in.is_empty()
    }

    /// What the client's next line is.
    pub fn expected(&self) -> Expected {
        if self.authenticating().is_some() {
            return Expected::Sasl;
        }
        match self.idling() {
            Some(_) => Expected::Done,
            None => Expected::Command,
        }
    }

    fn authenticating(&self) -> Option<&InFlight> {
        self.command_at(*self.authenticating.front()?)
    }

    fn idling(&self) -> Option<&InFlight> {
        let mut idling = self.idling.iter().filter_map(|n| self.command_at(*n));
        idling.find(|command| matches!(command.idle, Idle::Asked | Idle::Since(_)))
    }

    fn index_of(&self, ordinal: u64) -> Option<usize> {
        let key = |command: &InFlight| command.ordinal;
        self.in_flight.binary_search_by_key(&ordinal, key).ok()
    }

    fn command_at(&self, ordinal: u64) -> Option<&InFlight> {
        self.in_flight.get(self.index_of(ordinal)?)
    }

    /// Takes a command out of those in flight.
    fn remove(&mut self, ordinal: u64) -> Option<InFlight> {
        let command = self.in_flight.remove(self.index_of(ordinal)?)?;
        self.held -= command.weight();
        if let Some(same) = self.tags.get_mut(&command.tag) {
            leave(same, ordinal);
            if same.is_empty() {
                self.tags.remove(&command.tag);
            }
        }
        for list in [
            &mut self.authenticating,
            &mut self.idling,
            &mut self.logging_in,
            &mut self.unauthenticating,
        ] {
            leave(list, ordinal);
        }
        self.disowned = self.disowned.min(self.in_flight.len());
        Some(command)
    }

    /// Whether the server has agreed to an IDLE that goes on.
    pub fn is_idling(&self) -> bool {
        self.idling()
            .is_some_and(|command| matches!(command.idle, Idle::Since(_)))
    }

    /// The tag of the command that the client's next line belongs to, if it is not a command.
    pub fn continued_tag(&self) -> Option<String> {
        let command = self.authenticating().or_else(|| self.idling())?;
        Some(command.tag.clone())
    }

    /// Whether a command with this tag has no answer yet.
    pub fn is_in_flight(&self, tag: &str) -> bool {
        self.tags.contains_key(key(tag))
    }

    /// Whether all commands with a smaller ordinal than this have their answers, `except` those that
    /// will get none, and as many as the server answered with an untagged BAD, since it could not
    /// tell which command it was (RFC 9051, section 7.1.3).
    pub fn answered_before(&self, ordinal: u64, except: &VecDeque<u64>) -> bool {
        let before = self.in_flight.iter().map(|command| command.ordinal);
        let before = before.take_while(|before| *before < ordinal);
        let unanswered = before.filter(|before| !except.contains(before));
        unanswered.take(self.disowned + 1).count() <= self.disowned
    }

    /// The ordinal of the command that was read last, if it has no answer yet.
    pub fn newest(&self) -> Option<u64> {
        Some(self.in_flight.back()?.ordinal)
    }

    /// The capabilities that the server listed last, where it has.
    pub fn listed_capabilities(&self) -> Option<&[String]> {
        self.capabilities.as_deref()
    }

    /// What mailbox names are written in: UTF-8 where UTF8=ACCEPT or IMAP4rev2 is on (RFC 6855,
    /// section 3; RFC 9051, section 5.1), which is so from the start of a server that knows
    /// nothing else.
    pub fn mailbox_names(&self) -> MailboxNames {
        match self.enabled_names {
            MailboxNames::Utf8 => MailboxNames::Utf8,
            MailboxNames::ModifiedUtf7 => self.listed_names,
        }
    }

    /// The server switched this extension on (RFC 5161, section 3.2).
    pub fn enabled(&mut self, extension: &str) {
        let means_utf8 = ["UTF8=ACCEPT", "IMAP4rev2"];
        if means_utf8
            .iter()
            .any(|name| extension.eq_ignore_ascii_case(name))
        {
            self.enabled_names = MailboxNames::Utf8;
        }
    }

    /// The greeting (RFC 9051, section 7.1).
    pub fn greeting(&mut self, status: Option<Status>) {
        match status {
            Some(Status::Preauth) => self.state = State::Authenticated,
            Some(Status::Bye) => self.state = State::Logout,
            _ => {}
        }
    }

    /// A command was read whole. Whether an older one had to be forgotten for it
    /// ([`limits::IN_FLIGHT`], [`limits::IN_FLIGHT_HELD`]).
    #[must_use = "a forgotten command is worth a note"]
    pub fn command(&mut self, ordinal: u64, tag: &str, at: Micros, request: Request) -> bool {
        let tag = key(tag).to_owned();
        let mut idle = Idle::Not;
        match request.name() {
            "AUTHENTICATE" => self.authenticating.push_back(ordinal),
            "LOGIN" => self.logging_in.push_back(ordinal),
            "UNAUTHENTICATE" => self.unauthenticating.push_back(ordinal),
            "IDLE" => {
                self.idling.push_back(ordinal);
                idle = Idle::Asked;
            }
            _ => {}
        }
        self.tags.entry(tag.clone()).or_default().push_back(ordinal);
        let command = InFlight {
            ordinal,
            tag,
            at,
            request,
            idle,
        };
        self.held += command.weight();
        self.in_flight.push_back(command);
        let mut forgot = false;
        while self.is_full()
            && let Some(oldest) = self.in_flight.front()
        {
            forgot |= self.remove(oldest.ordinal).is_some();
        }
        forgot
    }

    /// Whether more commands are in flight than are kept; the last one always is.
    fn is_full(&self) -> bool {
        let count = self.in_flight.len();
        count > limits::IN_FLIGHT || (self.held > limits::IN_FLIGHT_HELD && count > 1)
    }

    /// The client ended IDLE; how long it lasted, if it had begun.
    pub fn done(&mut self, at: Micros) -> Option<Micros> {
        let index = self.index_of(self.idling()?.ordinal)?;
        let command = self.in_flight.get_mut(index)?;
        let (idle, lasted) = match command.idle {
            Idle::Since(since) => (Idle::Not, Some(at.since(since))),
            Idle::Asked => (Idle::EndedEarly, None),
            same => (same, None),
        };
        command.idle = idle;
        if idle == Idle::Not {
            let ordinal = command.ordinal;
            leave(&mut self.idling, ordinal);
        }
        lasted
    }

    /// The server sent `+`, and not for a literal: the command it goes to.
    pub fn continuation_request(&mut self, at: Micros) -> Option<Continuation> {
        if let Some(command) = self.authenticating() {
            return Some(command.continued(Awaited::Sasl));
        }
        let index = self
            .idling
            .iter()
            .filter_map(|ordinal| self.index_of(*ordinal))
            .find(|index| matches!(self.in_flight[*index].idle, Idle::Asked | Idle::EndedEarly))?;
        let command = &mut self.in_flight[index];
        let continued = command.continued(Awaited::Idle);
        command.idle = match command.idle {
            Idle::Asked => Idle::Since(at),
            _ => Idle::Not,
        };
        if command.idle == Idle::Not {
            leave(&mut self.idling, continued.command);
        }
        Some(continued)
    }

    /// Which command asked for this untagged response, and its tag where several are in flight. Of those
    /// that may have, the oldest [`limits::AMBIGUOUS`].
    pub fn relate(
        &self,
        facts: &Facts<'_>,
        correlator: Option<&[u8]>,
    ) -> (Relation, Option<String>) {
        let correlator = correlator.map(String::from_utf8_lossy);
        let mut asking = self
            .in_flight
            .iter()
            .filter(|command| command.request.asks_for(facts))
            .filter(|command| {
                let tag = correlator.as_deref().map(key);
                tag.is_none_or(|tag| command.tag == tag)
            });
        let Some(first) = asking.next() else {
            return (Relation::Unsolicited, None);
        };
        let Some(second) = asking.next() else {
            let among = self.among(first.tag.as_str());
            return (Relation::Answers(first.ordinal), among);
        };
        let several = [first, second].into_iter().chain(asking);
        let several = several.take(limits::AMBIGUOUS);
        let several = several.map(|command| command.ordinal).collect();
        (Relation::Ambiguous(several), None)
    }

    /// The name of this command, upper case, if it has no answer yet.
    pub fn command_name(&self, ordinal: u64) -> Option<&str> {
        Some(self.command_at(ordinal)?.request.name())
    }

    /// The tag of this command, where several are in flight.
    pub fn tag_among(&self, ordinal: u64) -> Option<String> {
        self.among(&self.command_at(ordinal)?.tag)
    }

    fn among(&self, tag: &str) -> Option<String> {
        (self.in_flight.len() > 1).then(|| tag.to_owned())
    }

    /// An untagged response was read: what it changes.
    pub fn untagged(&mut self, name: &str, number: Option<u64>) {
        match (name, number) {
            ("EXISTS", Some(number)) => self.exists = Some(number),
            ("EXPUNGE", Some(_)) => self.exists = self.exists.map(|n| n.saturating_sub(1)),
            ("VANISHED", None) => self.exists = None,
            ("BYE", None) => self.state = State::Logout,
            ("BAD", None) => self.disowned = (self.disowned + 1).min(self.in_flight.len()),
            _ => {}
        }
    }

    /// The mailbox that was selected is closed, since another one is being selected (RFC 9051,
    /// section 7.1, `CLOSED`).
    pub fn closed(&mut self) {
        if self.state == State::Selected {
            self.leave_mailbox(State::Authenticated);
        }
    }

    /// Messages in the selected mailbox, where known.
    pub fn exists(&self) -> Option<u64> {
        self.exists
    }

    /// A tagged response was read: the oldest unanswered command with its tag is done.
    pub fn tagged(&mut self, tag: &str, status: Option<Status>, at: Micros) -> Option<Completed> {
        let among = self.among(tag);
        let oldest = *self.tags.get(key(tag))?.front()?;
        let command = self.remove(oldest)?;
        self.complete(command.request.name(), status);
        Some(Completed {
            command: command.ordinal,
            name: command.request.name().to_owned(),
            elapsed: at.since(command.at),
            among,
        })
    }

    /// RFC 9051, section 3, figure 1.
    fn complete(&mut self, name: &str, status: Option<Status>) {
        if self.state == State::Logout {
            return;
        }
        let succeeded = status == Some(Status::Ok);
        match name {
            "LOGIN" | "AUTHENTICATE" if succeeded => self.state = State::Authenticated,
            "UNAUTHENTICATE" if succeeded => {
                self.enabled_names = MailboxNames::default();
                self.leave_mailbox(State::NotAuthenticated);
            }
            "SELECT" | "EXAMINE" if succeeded => self.state = State::Selected,
            // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
            "SELECT" | "EXAMINE" if status == Some(Status::No) && self.state == State::Selected => {
                self.leave_mailbox(State::Authenticated);
            }
            "LOGOUT" if succeeded => self.leave_mailbox(State::Logout),
            "CLOSE" | "UNSELECT" if succeeded => self.leave_mailbox(State::Authenticated),
            _ => {}
        }
    }

    fn leave_mailbox(&mut self, state: State) {
        self.state = state;
        self.exists = None;
    }

    /// The server listed its capabilities; how they differ from those it listed before, if it did
    /// and they do. Of a list in which a secret is masked nobody can say, and what another one has in
    /// its place would tell it.
    pub fn capabilities(&mut self, now: Vec<String>) -> Option<CapabilityChange> {
        let has = |name: &str| now.iter().any(|other| other.eq_ignore_ascii_case(name));
        self.listed_names = match has("IMAP4rev2") && !has("IMAP4rev1") {
            true => MailboxNames::Utf8,
            false => MailboxNames::ModifiedUtf7,
        };
        let before = self.capabilities.replace(now)?;
        let now = self.capabilities.as_deref().unwrap_or_default();
        let is_mask = |name: &String| name.as_bytes() == MASK;
        if before.iter().chain(now).any(is_mask) {
            return None;
        }
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            let those: HashSet<String> = those.iter().map(|n| n.to_ascii_uppercase()).collect();
            these
                .iter()
                .filter(|name| !those.contains(&name.to_ascii_uppercase()))
                .cloned()
                .collect()
        };
        let change = CapabilityChange {
            added: only(now, &before),
            removed: only(&before, now),
        };
        (change != CapabilityChange::default()).then_some(change)
    }
}
