//! What a session cost: for each command name how often, how long, how many octets and round trips;
//! for each connection where its time went; and what was wasted, with the better way.
//!
//! Made of events, one after the other, so that a transcript and a live session give the same, and in
//! bounded memory. What a figure means:
//!
//! - **Commands** are what the app sent, refused and broken ones too, each under its name (`UID FETCH`
//!   one name); one without a name is `(none)`. What mailscope itself said is no command.
//! - **Latency** is a transcript's `elapsed`: from the command's first octet to the first one of its
//!   tagged response, whatever the status. IDLE's is that without the time in which the server had
//!   agreed to wait (`idled`), which the app wanted. Commands without an answer have none. Percentiles
//!   are by nearest rank ([`percentile`]).
//! - **Octets** are those of the wire as they were read, inflated where the session is compressed; a
//!   mask counts as 8 (contract, "Masks"), the parts of a streamed literal count with its message, and
//!   what mailscope itself said counts nothing. To a command belong its own, with its literals and
//!   continuations, its tagged response, its continuation requests, and the untagged responses that
//!   answer it alone. What is *ambiguous* or unsolicited, the greeting, and what is no message belong to
//!   no command; the connection has them, and as `bytes_unattributed` what of the server's that is.
//! - **Literals** are those in a command's messages of either side.
//! - **Round trips**: a command that is sent while nothing waits for an answer begins one, if it is
//!   answered: the app had nothing in flight and waited before it went on. Commands pipelined behind it
//!   share it, until nothing is in flight; it counts for the one that began it. A `+` that the app waits
//!   for, for a synchronizing literal or a SASL response, is one more, of its command. IDLE is none, and
//!   does not count as in flight. TCP and TLS have their own, which are not counted.
//! - **Waiting** is the time in which a command, IDLE apart, was in flight.
//! - **Set-up** is from the connection to the greeting; **idle** what is left behind the greeting without
//!   waiting, IDLE included; of it **idling** is the time in which the server had agreed to IDLE. The
//!   three and waiting add up to the connection's duration.
//! - **Time to first message** is from the connection to the first FETCH response in which something of
//!   a mail is that a person reads: ENVELOPE, PREVIEW, or a BODY, BINARY or RFC822 with octets.
//!
//! Where the recording does not say when something was said (a text, or a transcript of one, in which all
//! is at the same time), there are no times and no latencies, and commands count as sent at once after the
//! last answer.
//!
//! With a filter, a command is counted, with all that belongs to it, if any event of its exchange
//! matches, so that `status:NO` counts the commands that failed; other events if they match. Connections
//! are listed of which an event matches, with their times whole. What is wasted is found by looking at
//! all events, and told of the commands that are counted.
//!
//! Waste: [`waste`]. A limit on a figure: [`Budget`].

mod budget;
mod connection;
mod digest;
mod fetched;
mod heard;
pub mod page;
pub mod percentile;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
pub mod waste;

use std::collections::BTreeMap;

pub use budget::Budget;
use connection::Connection;
use fetched::Fetched;
pub use page::{Page, Role};
use percentile::Latencies;
pub use summary::{CommandFigures, ConnectionFigures, Summary, Sums};
pub use text::write_text;
use waste::{Logins, Wasted};

use crate::event::{Body, Event, Micros, Times};
use crate::limits;
use crate::session::Sessions;

/// The figures' JSON as a JSON Schema (draft 2020-12).
pub const SCHEMA: &str = include_str!("schema.json");

/// Whether an event is among those that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// It is.
    Yes,
    /// A filter leaves it out.
    No,
}

/// Statistics in the making.
#[derive(Default)]
pub struct Stats {
    /// When the first and the last event were.
    span: Option<(Micros, Micros)>,
    sessions: Sessions,
    open: BTreeMap<u64, Connection>,
    run: Run,
}

/// What is kept of all connections.
#[derive(Default)]
pub(crate) struct Run {
    summary: Summary,
    fetched: Fetched,
    wasted: Wasted,
    logins: Logins,
    /// Connections whose octets are deflated.
    deflating: usize,
}

impl Stats {
    /// Of a recording that says when something was said, or does not.
    pub fn new(times: Times) -> Self {
        let mut stats = Self::default();
        stats.run.summary.times = times;
        stats
    }

    /// Takes the next event in.
    pub fn take(&mut self, event: &Event, wanted: Wanted) {
        let (first, last) = self.span.unwrap_or((event.at, event.at));
        self.span = Some((first.min(event.at), last.max(event.at)));
        let place = self.sessions.take(event);
        let connection = self
            .open
            .entry(event.conn)
            .or_insert_with(|| Connection::new(event.conn, event.at));
        connection.take(event, &place, wanted, &mut self.run);
        if matches!(event.body, Body::Closed { .. })
            && let Some(connection) = self.open.remove(&event.conn)
        {
            connection.end(&mut self.run);
        }
    }

    /// What it all comes to. Connections that go on are counted as if they ended here.
    pub fn finish(mut self) -> Summary {
        for (_, connection) in self.open {
            connection.end(&mut self.run);
        }
        let Run {
            mut summary,
            fetched,
            mut wasted,
            logins,
            ..
        } = self.run;
        fetched.end(&mut wasted);
        logins.end(&mut wasted);
        summary.waste = wasted.end();
        if self.span.is_some_and(|(first, last)| first == last) {
            // An import of what has no times has the same one everywhere.
            summary.times = Times::Untold;
            for row in summary.commands.values_mut() {
                row.latencies = Latencies::default();
            }
        }
        summary
            .connections
            .sort_by_key(|connection| connection.conn);
        summary
    }
}

impl Run {
    /// The row of commands with this name.
    fn row(&mut self, name: &str) -> &mut CommandFigures {
        let name = match name {
            "" => "(none)",
            name if self.summary.commands.contains_key(name) => name,
            name if self.summary.commands.len() < limits::STATS_NAMES => name,
            _ => "(others)",
        };
        if !self.summary.commands.contains_key(name) {
            let row = CommandFigures::default();
            self.summary.commands.insert(name.to_owned(), row);
        }
        self.summary.commands.get_mut(name).expect("it is there")
    }
}
