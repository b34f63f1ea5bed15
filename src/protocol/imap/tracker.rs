//! Where a session is (RFC 9051, section 3): its state, the commands that have no answer yet, what
//! the client may say next, and which command a response belongs to.
//!
//! The tracker reads no octets. It is told what was read, in order, and answers what it means.

use std::collections::VecDeque;

use super::solicit::{Facts, Request};
use crate::event::{Awaited, CapabilityChange, Micros, Relation, Status};
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
    /// Sent; the server has not agreed.
    Asked,
    /// Going on since then.
    Since(Micros),
}

/// The session as far as the wire has told.
pub struct Tracker {
    state: State,
    in_flight: VecDeque<InFlight>,
    capabilities: Option<Vec<String>>,
    exists: Option<u64>,
}

impl Default for Tracker {
    fn default() -> Self {
        Self {
            state: State::NotAuthenticated,
            in_flight: VecDeque::new(),
            capabilities: None,
            exists: None,
        }
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
        let leaves = |command: &InFlight| command.request.name() == "UNAUTHENTICATE";
        matches!(self.state, State::Authenticated | State::Selected)
            && !self.in_flight.iter().any(leaves)
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
        self.in_flight
            .iter()
            .find(|command| command.request.name() == "AUTHENTICATE")
    }

    fn idling(&self) -> Option<&InFlight> {
        self.in_flight
            .iter()
            .find(|command| command.idle != Idle::Not)
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
        self.in_flight.iter().any(|command| command.tag == tag)
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
    /// ([`limits::IN_FLIGHT`]).
    #[must_use = "a forgotten command is worth a note"]
    pub fn command(&mut self, ordinal: u64, tag: &str, at: Micros, request: Request) -> bool {
        let idle = match request.name() {
            "IDLE" => Idle::Asked,
            _ => Idle::Not,
        };
        self.in_flight.push_back(InFlight {
            ordinal,
            tag: tag.to_owned(),
            at,
            request,
            idle,
        });
        let is_full = self.in_flight.len() > limits::IN_FLIGHT;
        if is_full {
            self.in_flight.pop_front();
        }
        is_full
    }

    /// The client ended IDLE; how long it lasted, if it had begun.
    pub fn done(&mut self, at: Micros) -> Option<Micros> {
        let command = self
            .in_flight
            .iter_mut()
            .find(|command| command.idle != Idle::Not)?;
        let idle = std::mem::replace(&mut command.idle, Idle::Not);
        match idle {
            Idle::Since(since) => Some(at.since(since)),
            Idle::Asked | Idle::Not => None,
        }
    }

    /// The server sent `+`, and not for a literal: the command it goes to.
    pub fn continuation_request(&mut self, at: Micros) -> Option<Continuation> {
        let (command, awaited) = if let Some(command) = self.authenticating() {
            (command, Awaited::Sasl)
        } else {
            let idle = self
                .in_flight
                .iter_mut()
                .find(|command| command.idle == Idle::Asked)?;
            idle.idle = Idle::Since(at);
            (&*idle, Awaited::Idle)
        };
        Some(Continuation {
            awaited,
            command: command.ordinal,
            tag: command.tag.clone(),
        })
    }

    /// Which command asked for this untagged response, and its tag where several are in flight.
    pub fn relate(
        &self,
        facts: &Facts<'_>,
        correlator: Option<&[u8]>,
    ) -> (Relation, Option<String>) {
        let mut asking: Vec<&InFlight> = self
            .in_flight
            .iter()
            .filter(|command| command.request.asks_for(facts))
            .collect();
        if let Some(tag) = correlator {
            asking.retain(|command| command.tag.as_bytes() == tag);
        }
        match asking.as_slice() {
            [] => (Relation::Unsolicited, None),
            [command] => (
                Relation::Answers(command.ordinal),
                self.among(command.tag.as_str()),
            ),
            several => (
                Relation::Ambiguous(several.iter().map(|command| command.ordinal).collect()),
                None,
            ),
        }
    }

    /// The tag of the command that a relation names, where several are in flight.
    pub fn among_others(&self, relation: &Relation) -> Option<String> {
        let Relation::Answers(ordinal) = relation else {
            return None;
        };
        let mut in_flight = self.in_flight.iter();
        let command = in_flight.find(|command| command.ordinal == *ordinal)?;
        self.among(&command.tag)
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
            _ => {}
        }
    }

    /// Messages in the selected mailbox, where known.
    pub fn exists(&self) -> Option<u64> {
        self.exists
    }

    /// A tagged response was read: the oldest unanswered command with its tag is done.
    pub fn tagged(&mut self, tag: &str, status: Option<Status>, at: Micros) -> Option<Completed> {
        let among = self.among(tag);
        let index = self
            .in_flight
            .iter()
            .position(|command| command.tag == tag)?;
        let command = self.in_flight.remove(index)?;
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
            "UNAUTHENTICATE" if succeeded => self.leave_mailbox(State::NotAuthenticated),
            "SELECT" | "EXAMINE" if succeeded => self.state = State::Selected,
            // A SELECT that fails leaves no mailbox selected (RFC 9051, section 6.3.2).
            "SELECT" | "EXAMINE" if status == Some(Status::No) && self.state == State::Selected => {
                self.leave_mailbox(State::Authenticated);
            }
            "CLOSE" | "UNSELECT" if succeeded => self.leave_mailbox(State::Authenticated),
            _ => {}
        }
    }

    fn leave_mailbox(&mut self, state: State) {
        self.state = state;
        self.exists = None;
    }

    /// The server listed its capabilities; how they differ from those it listed before, if it did
    /// and they do.
    pub fn capabilities(&mut self, now: Vec<String>) -> Option<CapabilityChange> {
        let before = self.capabilities.replace(now)?;
        let now = self.capabilities.as_deref().unwrap_or_default();
        let missing_in = |list: &[String], name: &String| {
            !list.iter().any(|other| other.eq_ignore_ascii_case(name))
        };
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these
                .iter()
                .filter(|name| missing_in(those, name))
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
