//! Commands and the states in which they are valid (RFC 9051, section 3 and 6).

use crate::event::{Peer, Reading, Status};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::protocol::imap::is_command;
use crate::session::State;

/// Valid in every state, or with rules of their own.
const ANY: &[&str] = &[
    "AUTHENTICATE",
    "CAPABILITY",
    "COMPRESS",
    "ID",
    "LANGUAGE",
    "LOGIN",
    "LOGOUT",
    "NOOP",
    "STARTTLS",
];

/// Valid while a mailbox is selected (RFC 9051, section 6.4, and the extensions').
const SELECTED: &[&str] = &[
    "CANCELUPDATE",
    "CHECK",
    "CLOSE",
    "CONVERT",
    "COPY",
    "EXPUNGE",
    "FETCH",
    "MOVE",
    "REPLACE",
    "SEARCH",
    "SORT",
    "STORE",
    "THREAD",
    "UIDBATCHES",
    "UNSELECT",
];

const LOGGING_IN: &[&str] = &["AUTHENTICATE", "LOGIN"];
const SELECTING: &[&str] = &["EXAMINE", "SELECT"];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => response(look),
    }
}

fn command(look: &mut Look<'_>) {
    let session = look.session;
    if !session.has_heard_the_server() && session.is_whole() {
        look.memory.hasty = true;
    }
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    if name.is_empty() {
        return;
    }
    if look.memory.left {
        look.add_head(Breach::CommandAfterLogout, "");
    }
    look.memory.left |= name == "LOGOUT";
    let word = name.trim_start_matches("UID ");
    if !is_command(&name) {
        // A text has masks as words.
        if !word.starts_with('X') && !word.starts_with("<SECRET:") {
            look.add_head(Breach::UnknownCommand, "");
        }
        return;
    }
    if matches!(word, "CHECK" | "LSUB") {
        look.add_head(Breach::ObsoleteCommand, "");
    }
    if let Some(id) = not_valid(look, &name) {
        look.add_head(id, "");
        let remembered = &mut look.memory.wrong_state;
        if remembered.len() < crate::limits::IN_FLIGHT {
            remembered.insert(look.event.n);
        }
    }
    selected(look, &name);
}

/// Which rule about states a command breaks.
fn not_valid(look: &Look<'_>, name: &str) -> Option<Breach> {
    let in_flight = look.session.in_flight();
    let logging_in = in_flight.has_any(LOGGING_IN);
    let leaving = in_flight.has("UNAUTHENTICATE");
    let is_any = ANY.contains(&name);
    let needs_mailbox = name.starts_with("UID ") || SELECTED.contains(&name);
    match look.session.state()? {
        State::NotAuthenticated if is_any || logging_in => None,
        State::NotAuthenticated => Some(Breach::NotAuthenticated),
        State::Authenticated | State::Selected if leaving => None,
        State::Authenticated | State::Selected if LOGGING_IN.contains(&name) => {
            Some(Breach::LoginTwice)
        }
        State::Authenticated
            if needs_mailbox
                && !in_flight.has_any(SELECTING)
                && look.session.mailbox().is_none() =>
        {
            Some(Breach::NotSelected)
        }
        _ => None,
    }
}

/// What is not done about the selected mailbox.
fn selected(look: &mut Look<'_>, name: &str) {
    let session = look.session;
    let is_leaving = session
        .in_flight()
        .has_any(&["CLOSE", "EXAMINE", "SELECT", "UNSELECT"]);
    let Some(mailbox) = session.mailbox().filter(|_| !is_leaving) else {
        return;
    };
    if session.state() != Some(State::Selected) {
        return;
    }
    let writes = ["EXPUNGE", "MOVE", "REPLACE", "STORE"];
    let command = look.command.as_ref();
    let named = command.and_then(|command| command.named.first());
    match name {
        "ENABLE" => look.add_head(Breach::EnableSelected, ""),
        "STATUS" if named == Some(&mailbox.name) => {
            look.add_head(Breach::StatusSelected, "");
        }
        _ if mailbox.read_only && writes.contains(&name.trim_start_matches("UID ")) => {
            look.add_head(Breach::WriteReadOnly, "");
        }
        _ => {}
    }
}

fn response(look: &mut Look<'_>) {
    let is_first = look.session.is_whole() && !look.session.has_heard_the_server();
    let is_greeting = matches!(look.said.reading, Reading::Greeting { .. });
    if is_first && !is_greeting {
        look.add_head(Breach::GreetingMissing, "");
    }
    if is_greeting && look.memory.hasty {
        look.add_head(Breach::CommandBeforeGreeting, "a command came before this");
    }
    if let Some((command, status)) = look.ended() {
        let (n, name) = (command.n, command.name.clone());
        let was_wrong = look.memory.wrong_state.remove(&n);
        match status {
            Status::Ok if was_wrong => look.add_head(
                Breach::WrongStateAccepted,
                format!("it is the answer to {name}"),
            ),
            Status::Ok if name == "NOTIFY" => look.memory.notified = true,
            // The answer to one that the client cancelled is BAD (RFC 9051, section 6.2.2).
            Status::Bad if name == "AUTHENTICATE" && command.done => {}
            Status::Bad => {
                look.add_head(Breach::RejectedAsBad, format!("it is the answer to {name}"))
            }
            _ => {}
        }
    }
}

pub(super) fn after(look: &mut Look<'_>) {
    if let Reading::Untagged {
        status: Some(Status::Bye),
        ..
    }
    | Reading::Greeting {
        status: Some(Status::Bye),
    } = look.said.reading
    {
        look.memory.bye = true;
    }
}
