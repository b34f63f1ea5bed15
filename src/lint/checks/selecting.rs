//! Selecting a mailbox and leaving it (RFC 9051, section 6.3.2, 6.3.3 and 6.4.1).

use crate::event::Status;
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::Pending;

pub(super) fn check(look: &mut Look<'_>) {
    on_close(look);
    let Some((command, Status::Ok)) = look.ended() else {
        return;
    };
    if !command.selects() {
        return;
    }
    access(look, command);
    closed(look, command);
    let is_aware = command.has_option("CONDSTORE") || command.has_option("QRESYNC");
    let is_on = look.session.has_enabled("CONDSTORE") || look.session.has_enabled("QRESYNC");
    let code = look.said.code().map(|code| code.name);
    let got = |name: &str| command.got(name) || code.as_deref() == Some(name);
    if !got("PERMANENTFLAGS") {
        look.add_head(Breach::SelectWithoutPermanentflags, about(command));
    }
    if (is_on || is_aware) && !got("HIGHESTMODSEQ") && !got("NOMODSEQ") {
        look.add_head(Breach::SelectWithoutHighestmodseq, about(command));
    }
}

fn about(command: &Pending) -> String {
    format!("it is the answer to {}", command.name)
}

/// `S: a OK [READ-ONLY] selected`
fn access(look: &mut Look<'_>, command: &Pending) {
    let code = look.said.code().map(|code| code.name);
    match (&*command.name, code.as_deref()) {
        (_, Some("READ-ONLY")) | ("SELECT", Some("READ-WRITE")) => {}
        ("EXAMINE", _) => look.add_head(Breach::ExamineWithoutReadOnly, ""),
        _ => look.add_head(Breach::SelectWithoutAccess, ""),
    }
}

/// The boundary between what is told of the mailbox before and of the one that is selected.
fn closed(look: &mut Look<'_>, command: &Pending) {
    let is_on = look.session.has_enabled("QRESYNC") || look.is_rev2();
    let left = look.memory.selecting.remove(&command.n);
    let is_another = left.is_some_and(|name| Some(&name) != command.named.first());
    if is_on && is_another && !command.got("CLOSED") {
        look.add_head(Breach::ClosedMissing, about(command));
    }
}

/// Which mailbox each SELECT leaves.
pub(super) fn asked(look: &mut Look<'_>) {
    let Some(command) = look.command.as_ref().filter(|command| command.selects()) else {
        return;
    };
    // With several in flight, which of them succeeds is not known yet.
    let in_flight = look.session.in_flight();
    let is_sure = !in_flight.has_any(&["CLOSE", "EXAMINE", "SELECT", "UNSELECT"]);
    let mailbox = look.session.mailbox().filter(|_| is_sure);
    if let Some(name) = mailbox.map(|mailbox| mailbox.name.clone())
        && look.memory.selecting.len() < crate::limits::IN_FLIGHT
    {
        look.memory.selecting.insert(command.n, name);
    }
}

/// `S: * 3 EXPUNGE` for CLOSE, which asks for nothing
fn on_close(look: &mut Look<'_>) {
    let is_gone = matches!(look.data(), Some(("EXPUNGE" | "VANISHED", _)));
    let only = look.session.in_flight().only();
    if is_gone && only.is_some_and(|command| command.name == "CLOSE") {
        look.add_head(Breach::ExpungeOnClose, "");
    }
}
