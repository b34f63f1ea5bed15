//! How the rules are looked after, a file a concern.

mod answers;
mod arguments;
mod capabilities;
mod closing;
mod drift;
mod extensions;
mod fetched;
mod flags;
mod framing;
mod idle;
mod ids;
mod injection;
mod keys;
mod lists;
mod literals;
mod mailbox;
mod names;
mod needs;
mod notes;
mod numbers;
mod pipelining;
mod sasl;
mod searching;
mod security;
mod selecting;
mod state;
mod tags;
mod validity;

use super::finding::Finding;
use super::look::Look;
use super::memory::{Memory, Tls};
use crate::event::{Body, Event};
use crate::session::{Command, Session};

/// What shows before the message is taken in.
pub(super) fn before(look: &mut Look<'_>) {
    framing::check(look);
    lists::check(look);
    tags::check(look);
    state::check(look);
    literals::check(look);
    capabilities::check(look);
    extensions::check(look);
    needs::check(look);
    security::check(look);
    pipelining::check(look);
    numbers::check(look);
    mailbox::check(look);
    names::check(look);
    flags::check(look);
    searching::check(look);
    idle::check(look);
    answers::check(look);
    arguments::check(look);
    closing::check(look);
    drift::check(look);
    fetched::check(look);
    ids::check(look);
    injection::check(look);
    sasl::check(look);
    selecting::asked(look);
    selecting::check(look);
}

fn is_search(command: &Command) -> bool {
    matches!(&*command.name, "SEARCH" | "UID SEARCH")
}

/// Whether it has search keys: SEARCH, and what sorts what it finds.
fn has_keys(command: &Command) -> bool {
    let name = command.name.strip_prefix("UID ").unwrap_or(&command.name);
    matches!(name, "SEARCH" | "SORT" | "THREAD")
}

/// What shows once it is.
pub(super) fn after(look: &mut Look<'_>) {
    numbers::after(look);
    drift::after(look);
    validity::after(look);
    state::after(look);
}

/// What shows in events that are no messages.
pub(super) fn besides(event: &Event, session: &Session, memory: &mut Memory) -> Vec<Finding> {
    if matches!(event.body, Body::Secured(_)) {
        memory.tls = Tls::On;
    }
    let mut found = notes::check(event, session, memory);
    found.extend(closing::at_the_end(event, session, memory));
    found.extend(idle::at_the_end(event, session));
    found.extend(answers::at_the_end(event, session, memory));
    found
}
