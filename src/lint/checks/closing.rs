//! How a session ends (RFC 9051, section 3.4 and 5.4).

use crate::event::{Body, Event, Micros, Peer, Reading, Status};
use crate::lint::finding::Finding;
use crate::lint::look::Look;
use crate::lint::memory::Memory;
use crate::lint::table::Breach;
use crate::session::{Session, State};

/// The shortest time of silence after which a server may log out.
const SHORTEST: Micros = Micros(30 * 60 * 1_000_000);

/// What is said below this was not timed.
const TIMED: Micros = Micros(1_000_000);

/// Words of a server that logs out because nobody spoke.
const IDLE: &[&str] = &[
    "autologout",
    "auto-logout",
    "idle",
    "inactiv",
    "timed out",
    "timeout",
];

/// `S: * BYE Autologout; idle for too long`
pub(super) fn check(look: &mut Look<'_>) {
    let Reading::Untagged {
        status: Some(Status::Bye),
        ..
    } = look.said.reading
    else {
        return;
    };
    let session = look.session;
    let is_in = matches!(
        session.state(),
        Some(State::Authenticated | State::Selected)
    );
    // IDLE goes on for as long as nobody speaks; any other command is spoken to.
    let mut in_flight = session.in_flight().iter();
    let is_asked = in_flight.any(|command| command.name != "IDLE");
    let text = look.said.human_text().unwrap_or_default().to_lowercase();
    let says_so = IDLE.iter().any(|word| text.contains(word));
    let Some(spoke) = session
        .client_spoke()
        .filter(|_| is_in && !is_asked && says_so)
    else {
        return;
    };
    let silence = look.event.at.since(spoke);
    if silence >= TIMED && silence < SHORTEST {
        let seconds = silence.0 / 1_000_000;
        let about = match seconds {
            0..120 => format!("the client was silent for {seconds} seconds"),
            _ => format!("the client was silent for {} minutes", seconds / 60),
        };
        look.add_head(Breach::AutologoutEarly, about);
    }
}

/// What shows when a peer ends the connection.
pub(super) fn at_the_end(event: &Event, session: &Session, memory: &Memory) -> Option<Finding> {
    let found = |id: Breach, blame, about: &str| Finding {
        rule: id.rule(),
        n: event.n,
        conn: event.conn,
        at: event.at,
        blame,
        about: (!about.is_empty()).then(|| about.to_owned()),
        quote: None,
    };
    let Body::HalfClosed { from } = event.body else {
        return None;
    };
    // The other peer's end is an answer to the first one's, and so is a close that follows an error.
    if memory.ended.is_some() || memory.faulted || !session.is_whole() {
        return None;
    }
    let is_in = matches!(
        session.state(),
        Some(State::Authenticated | State::Selected)
    );
    let leaving = session.in_flight().has("LOGOUT");
    match from {
        Peer::Server if leaving => Some(found(Breach::LogoutUnanswered, Peer::Server, "")),
        Peer::Server if !memory.bye && session.has_heard_the_server() => {
            Some(found(Breach::ClosedWithoutBye, Peer::Server, ""))
        }
        Peer::Client if is_in && !memory.left => {
            Some(found(Breach::ClosedWithoutLogout, Peer::Client, ""))
        }
        _ => None,
    }
}
