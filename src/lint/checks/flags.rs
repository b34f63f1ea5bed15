//! Flags (RFC 9051, section 2.3.2).

use std::ops::Range;

use crate::event::{Label, Peer, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::items;

const SYSTEM: &[&str] = &[
    "\\Answered",
    "\\Deleted",
    "\\Draft",
    "\\Flagged",
    "\\Recent",
    "\\Seen",
];

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => response(look),
    }
}

/// `C: a STORE 1 +FLAGS (\Seen $Junk)`
fn command(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let name = command.name.clone();
    let stores = matches!(&*name, "STORE" | "UID STORE");
    if !stores && name != "APPEND" {
        return;
    }
    let said = look.said;
    // Behind FLAGS, +FLAGS.SILENT...; of APPEND in the list, before the literal. Labels of Gmail are
    // no flags.
    let is_item = |text: &[u8]| {
        let text = text
            .strip_prefix(b"+")
            .or(text.strip_prefix(b"-"))
            .unwrap_or(text);
        text.eq_ignore_ascii_case(b"FLAGS") || text.eq_ignore_ascii_case(b"FLAGS.SILENT")
    };
    let arguments = look.arguments();
    let start = match stores {
        true => arguments
            .iter()
            .position(|span| is_item(said.span_bytes(span))),
        false => Some(0),
    };
    let Some(start) = start else {
        return;
    };
    let Some((item, behind)) = arguments[start..].split_first() else {
        return;
    };
    let takes_away = stores && said.span_bytes(item).starts_with(b"-");
    let mut flags = Vec::new();
    for span in behind {
        match span.label {
            Label::Atom => flags.push(span.range.clone()),
            Label::LiteralHeader | Label::Quoted => break,
            _ => {}
        }
    }
    for flag in flags {
        if is_flag(&name, look, &flag) {
            stored(look, flag, takes_away);
        }
    }
}

/// A mailbox's name in APPEND, or a date, is no flag.
fn is_flag(name: &str, look: &Look<'_>, range: &Range<usize>) -> bool {
    let before = look.said.wire.bytes()[..range.start].iter();
    name != "APPEND" || before.rev().any(|octet| *octet == b'(')
}

fn stored(look: &mut Look<'_>, range: Range<usize>, takes_away: bool) {
    let flag = look.said.wire.bytes()[range.clone()].to_vec();
    if flag.eq_ignore_ascii_case(b"\\Recent") {
        return look.add(Breach::RecentStored, range, "");
    }
    if is_unknown(&flag) {
        return look.add(Breach::FlagUnknown, range, "");
    }
    let mailbox = look.session.mailbox();
    let permanent = mailbox.and_then(|mailbox| mailbox.permanent_flags.as_ref());
    let is_append = look
        .command
        .as_ref()
        .is_some_and(|command| command.name == "APPEND");
    let Some(permanent) = permanent.filter(|_| !takes_away && !is_append) else {
        return;
    };
    let is_permitted = permanent
        .iter()
        .any(|known| known == "\\*" || known.as_bytes().eq_ignore_ascii_case(&flag));
    if !is_permitted {
        look.add(Breach::FlagNotPermitted, range, "");
    }
}

fn is_unknown(flag: &[u8]) -> bool {
    let is_it = |known: &&str| known.as_bytes().eq_ignore_ascii_case(flag);
    flag.starts_with(b"\\") && !SYSTEM.iter().any(is_it)
}

/// `S: * FLAGS (...)`, `S: * 3 FETCH (FLAGS (...))`, `S: * OK [PERMANENTFLAGS (... \*)]`
fn response(look: &mut Look<'_>) {
    let said = look.said;
    let arguments = said.arguments();
    let code = said.code().filter(|code| code.name == "PERMANENTFLAGS");
    let of_fetch;
    let flags: &[Value<'_>] = match (look.data(), &code) {
        (Some(("FLAGS", _)), _) => arguments.first().map_or(&[], Value::members),
        (Some(("FETCH" | "UIDFETCH", _)), _) => {
            of_fetch = items(said)
                .filter(|item| item.name.is_word("FLAGS"))
                .flat_map(|item| item.values)
                .collect::<Vec<_>>();
            &of_fetch
        }
        (None, Some(code)) => code.values.first().map_or(&[], Value::members),
        _ => return,
    };
    let unknown = flags.iter().filter_map(Value::bytes);
    let is_any = |flag: &[u8]| flag == b"\\*" && code.is_some();
    let mut unknown = unknown.filter(|flag| is_unknown(flag) && !is_any(flag));
    if let Some(flag) = unknown.next() {
        let range = look.range_of(flag);
        look.add(Breach::FlagUnknown, range, "");
    }
}
