//! A connection seen from outside: where its session is, which commands are in flight, what the
//! traffic has told of the selected mailbox, and so to which command and which mailbox an event belongs.
//!
//! ```text
//! S: * 3 FETCH (UID 17 FLAGS (\Seen))      message 3 has the UID 17
//! S: * 2 EXPUNGE                           message 2 is gone, 17 is message 2 now
//! ```
//!
//! Made of whole events alone, in their order, so that it is the same for a live session and for a
//! transcript of it: [`Sessions`] is fed with those of a run, [`Session`] with those of one connection.
//! Not a client: nothing is asked, and what was not said is not known. Not the tracker (`protocol`)
//! either, which makes the events and knows what a server may say; nothing here looks ahead.
//!
//! Promises: no octets of a message are kept but names, flags and tags; telling which UID a number
//! is, and taking a message out of the middle, take logarithmic time, and taking out any number of
//! messages of which nothing was told as much as taking out one; what is held is bounded
//! ([`limits`](crate::limits)).

mod capabilities;
mod command;
mod connection;
mod in_flight;
mod items;
mod mailbox;
mod messages;
mod name;
mod named;
mod options;
mod order;
mod place;
mod ranks;
mod sequence_set;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use capabilities::Capabilities;
pub use command::Command;
pub use connection::{Leg, Session, State};
pub use in_flight::{InFlight, Pending};
pub use items::{Item, items};
pub use mailbox::Mailbox;
pub use messages::{Learned, Messages};
pub use name::{mailbox_name, mailbox_of};
pub use place::Place;
pub use sequence_set::{Bound, ranges};

use crate::event::{Body, Event};

/// The sessions of a run's connections that are not over.
#[derive(Default)]
pub struct Sessions(HashMap<u64, Session>);

impl Sessions {
    /// The session of an event's connection, before the event.
    pub fn of(&mut self, event: &Event) -> &Session {
        self.0.entry(event.conn).or_default()
    }

    /// Takes the next event in; what it belongs to comes back.
    pub fn take(&mut self, event: &Event) -> Place {
        match event.body {
            Body::Closed { .. } => {
                let session = self.0.remove(&event.conn);
                session.map_or_else(Place::default, |mut session| session.read(event))
            }
            _ => self.0.entry(event.conn).or_default().read(event),
        }
    }
}
