//! Where a session is, as far as the choice of an exchange depends on it: logged in or not, and which
//! mailbox is selected. Kept in the same way for the recorded sessions and for the live ones.

use std::collections::HashMap;

use super::hearing::Word;
use crate::event::{Reading, Relation, Said, Status, Value};
use crate::protocol::imap::State;
use crate::protocol::imap::sameness::mailbox;

/// A place in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether a user is logged in.
    pub is_authenticated: bool,
    /// The selected mailbox.
    pub mailbox: Option<Mailbox>,
}

/// A mailbox's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// INBOX in upper case.
    Named(Vec<u8>),
    /// As [`Named`](Self::Named), but the live app's password is its name, too: not to be told.
    Secret(Vec<u8>),
    /// A recording masks it, since a password is its name, too: it may be any.
    Masked,
}

impl Mailbox {
    fn name(&self) -> Option<&[u8]> {
        match self {
            Self::Named(name) | Self::Secret(name) => Some(name),
            Self::Masked => None,
        }
    }
}

impl Place {
    /// Whether what was recorded here may be said there.
    pub fn is_like(&self, live: &Self) -> bool {
        let is_same_mailbox = match (&self.mailbox, &live.mailbox) {
            (Some(Mailbox::Masked), Some(_)) | (None, None) => true,
            (Some(recorded), Some(live)) => recorded.name() == live.name(),
            _ => false,
        };
        self.is_authenticated == live.is_authenticated && is_same_mailbox
    }
}

/// The way through the places.
#[derive(Default)]
pub struct Whereabouts {
    place: Place,
    /// Mailboxes that are being selected (`None` for a command that leaves one), by their command.
    under_way: HashMap<u64, Option<Mailbox>>,
}

impl Whereabouts {
    /// Where the session is; `state` is its observer's.
    pub fn place(&mut self, state: State) -> Place {
        self.place.is_authenticated = matches!(state, State::Authenticated | State::Selected);
        if state != State::Selected {
            self.place.mailbox = None;
        }
        self.place.clone()
    }

    /// A command was read; `number` is what its answer will refer to.
    pub fn command(&mut self, number: u64, said: &Said) {
        if let Reading::Command {
            name: Some(name), ..
        } = &said.reading
            && matches!(&**name, "SELECT" | "EXAMINE")
        {
            let arguments = said.arguments();
            let mailbox = arguments.first().and_then(|argument| match argument {
                Value::Secret(_) => Some(Mailbox::Masked),
                name => mailbox(name).map(Mailbox::Named),
            });
            self.under_way.insert(number, mailbox);
        }
    }

    /// The live app said this.
    pub fn word(&mut self, word: &Word) {
        self.command(word.ordinal, &word.said);
        if let Some(Some(mailbox)) = self.under_way.get_mut(&word.ordinal)
            && let Mailbox::Named(name) = mailbox
        {
            let told = word.told().map(Said::arguments);
            let is_masked = |argument: &Value<'_>| matches!(argument, Value::Secret(_));
            let first = told.as_deref().and_then(<[_]>::first);
            if first.is_none_or(is_masked) {
                *mailbox = Mailbox::Secret(std::mem::take(name));
            }
        }
    }

    /// A response was read.
    pub fn response(&mut self, said: &Said) {
        let (Reading::Tagged { status, .. }, Relation::Answers(command)) =
            (&said.reading, &said.relation)
        else {
            return;
        };
        let Some(mailbox) = self.under_way.remove(command) else {
            return;
        };
        match status {
            Some(Status::Ok) => self.place.mailbox = mailbox,
            Some(Status::No) => self.place.mailbox = None,
            _ => {}
        }
    }
}
