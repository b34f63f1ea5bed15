//! A connection seen from outside: where its session is, which commands are in flight, and what the
//! traffic has told of the selected mailbox.
//!
//! ```text
//! S: * 3 FETCH (UID 17 FLAGS (\Seen))      message 3 has the UID 17
//! S: * 2 EXPUNGE                           message 2 is gone, 17 is message 2 now
//! ```
//!
//! Not a client: nothing is asked, and what was not said is not known. Fed with whole events, in
//! their order, live or from a transcript alike: [`Sessions`] with those of a run, [`Session`] with
//! those of one connection.
//!
//! Promises: no octets of a message are kept but names, flags and tags; telling which UID a number
//! is, and taking a message out of the middle, take logarithmic time; what is held is bounded
//! ([`limits`](crate::limits)).

mod command;
mod items;
mod mailbox;
mod messages;
mod ranks;
mod sequence_set;
mod session;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use command::{Command, InFlight};
pub use items::{Item, items};
pub use mailbox::Mailbox;
pub use messages::{Learned, Messages};
pub use sequence_set::{Bound, ranges};
pub use session::{Capabilities, Leg, Session, State};

use crate::event::{Body, Event};

/// The sessions of a run's connections that are not over.
#[derive(Default)]
pub struct Sessions(HashMap<u64, Session>);

impl Sessions {
    /// The session of an event's connection, before the event.
    pub fn of(&mut self, event: &Event) -> &Session {
        self.0.entry(event.conn).or_default()
    }

    /// Takes the event in.
    pub fn read(&mut self, event: &Event) {
        match event.body {
            Body::Closed { .. } => {
                self.0.remove(&event.conn);
            }
            _ => self.0.entry(event.conn).or_default().read(event),
        }
    }
}
