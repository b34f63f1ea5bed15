//! Where a session is, as far as the choice of an exchange depends on it: logged in or not, and which
//! mailbox is selected. Kept in the same way for the recorded sessions and for the live ones.

use std::collections::HashMap;

use crate::event::{Reading, Relation, Said, Status};
use crate::protocol::imap::State;
use crate::protocol::imap::sameness::mailbox;

/// A place in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Whether a user is logged in.
    pub is_authenticated: bool,
    /// The selected mailbox; INBOX in upper case.
    pub mailbox: Option<Vec<u8>>,
}

/// The way through the places.
#[derive(Default)]
pub struct Whereabouts {
    place: Place,
    /// Mailboxes that are being selected (`None` for a command that leaves one), by their command.
    under_way: HashMap<u64, Option<Vec<u8>>>,
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
            let mailbox = arguments.first().and_then(mailbox);
            self.under_way.insert(number, mailbox);
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
