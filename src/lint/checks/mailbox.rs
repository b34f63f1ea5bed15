//! What a server tells of the selected mailbox, and when.

use crate::event::{Peer, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Item, State, items, ranges};

pub(super) fn check(look: &mut Look<'_>) {
    if look.said.from == Peer::Client {
        return;
    }
    copyuid(look);
    appenduid(look);
    let Some((name, number)) = look.data() else {
        return;
    };
    match name {
        "EXISTS" | "EXPUNGE" | "FETCH" => {}
        "VANISHED" if is_earlier(look) => return,
        "VANISHED" => {}
        _ => return,
    }
    if unselected(look) {
        return look.add_head(Breach::DataUnselected, "");
    }
    if matches!(name, "EXPUNGE" | "FETCH") && look.session.has_enabled("UIDONLY") {
        look.add_head(Breach::UidonlyNumbers, "");
    }
    match (name, number) {
        ("EXISTS", Some(number)) => exists(look, number),
        ("EXPUNGE", Some(number)) => {
            gone(look);
            beyond(look, number, Breach::ExpungeBeyondExists);
            if look.session.has_enabled("QRESYNC") {
                look.add_head(Breach::ExpungeWithQresync, "");
            }
        }
        ("VANISHED", _) => {
            gone(look);
            let is_on = ["QRESYNC", "UIDONLY"]
                .iter()
                .any(|name| look.session.has_enabled(name));
            let may_be = look.session.in_flight().has("ENABLE") || look.session.state().is_none();
            if !is_on && !may_be {
                look.add_head(Breach::VanishedWithoutEnable, "");
            }
        }
        ("FETCH", Some(number)) => {
            beyond(look, number, Breach::FetchBeyondExists);
            fetched(look);
        }
        _ => {}
    }
}

fn is_earlier(look: &Look<'_>) -> bool {
    let arguments = look.said.arguments();
    let first = arguments.first().map_or(&[][..], Value::members);
    first.iter().any(|word| word.is_word("EARLIER"))
}

fn unselected(look: &Look<'_>) -> bool {
    let session = look.session;
    let is_out = matches!(
        session.state(),
        Some(State::NotAuthenticated | State::Authenticated)
    );
    is_out && session.mailbox().is_none() && !session.in_flight().has_any(&["SELECT", "EXAMINE"])
}

fn exists(look: &mut Look<'_>, number: u64) {
    // What answers a SELECT is about another mailbox.
    let is_new = look.session.is_selecting(look.said);
    let before = look.session.mailbox().and_then(|mailbox| mailbox.exists());
    if let Some(before) = before.filter(|before| number < *before && !is_new) {
        look.add_head(Breach::ExistsShrank, format!("there were {before}"));
    }
}

/// A message that there is not.
fn beyond(look: &mut Look<'_>, number: u64, id: Breach) {
    let exists = look.session.mailbox().and_then(|mailbox| mailbox.exists());
    let is_selecting = look.session.is_selecting(look.said);
    if let Some(exists) = exists.filter(|exists| (number > *exists || number == 0) && !is_selecting)
    {
        look.add_head(id, format!("there are {exists} messages"));
    }
}

/// A message goes only while that is expected.
fn gone(look: &mut Look<'_>) {
    let in_flight = look.session.in_flight();
    if look.memory.notified || look.session.state().is_none() {
        return;
    }
    if in_flight.count() == 0 {
        look.add_head(Breach::ExpungeWithoutCommand, "");
    } else if in_flight.count() == in_flight.keeping_numbers() {
        let first = in_flight.iter().next();
        let about = first.map(|first| format!("{} {} is in flight", first.tag, first.name));
        look.add_head(Breach::ExpungeDuringFetch, about.unwrap_or_default());
    }
}

fn fetched(look: &mut Look<'_>) {
    let items: Vec<Item<'_>> = items(look.said).collect();
    let modseq = items.iter().find(|item| item.name.is_word("MODSEQ"));
    if let Some(modseq) = modseq.filter(|modseq| modseq.number() == Some(0)) {
        let range = look.range_of(modseq.name.bytes().unwrap_or_default());
        look.add(Breach::ModseqZero, range, "");
    }
    // Flags may have changed by themselves; what never changes has been asked for.
    let only = look.session.in_flight().only();
    let is_by_uid = only.is_some_and(|command| command.name == "UID FETCH");
    let is_asked = |name: &Value<'_>| {
        let name = name.bytes().unwrap_or_default().to_ascii_uppercase();
        let fixed: [&[u8]; 5] = [b"BINARY", b"BODY", b"ENVELOPE", b"INTERNALDATE", b"RFC822"];
        fixed.iter().any(|fixed| name.starts_with(fixed))
    };
    let has_uid = items.iter().any(|item| item.name.is_word("UID"));
    if is_by_uid && !has_uid && items.iter().any(|item| is_asked(&item.name)) {
        look.add_head(Breach::FetchWithoutUid, "");
    }
}

/// `S: a OK [APPENDUID 38505 3955:3955] Done`
fn appenduid(look: &mut Look<'_>) {
    let Some(code) = look.said.code().filter(|code| code.name == "APPENDUID") else {
        return;
    };
    let [_, Value::Atom(set)] = code.values.as_slice() else {
        return;
    };
    let mut all = ranges(set);
    if let (Some(Some((first, last))), None) = (all.next(), all.next())
        && first == last
    {
        let range = look.range_of(set);
        look.add(Breach::AppenduidRange, range, "");
    }
}

/// `S: a OK [COPYUID 38505 304,319:320 3956:3958] Done`
fn copyuid(look: &mut Look<'_>) {
    let Some(code) = look.said.code().filter(|code| code.name == "COPYUID") else {
        return;
    };
    let moved = look.ended().is_some_and(|(command, _)| {
        let is_move = matches!(&*command.name, "MOVE" | "UID MOVE");
        is_move && (command.got("EXPUNGE") || command.got("VANISHED"))
    });
    if moved {
        look.add_head(Breach::CopyuidLate, "");
    }
    let [_, from, to] = code.values.as_slice() else {
        return;
    };
    let count = |set: &Value<'_>| match set {
        Value::Number(_) => Some(1),
        set => ranges(set.bytes()?).try_fold(0_u64, |sum, range| {
            let (first, last) = range?;
            let (first, last) = (first.number()?, last.number()?);
            sum.checked_add(first.abs_diff(last))?.checked_add(1)
        }),
    };
    if let (Some(from), Some(to)) = (count(from), count(to))
        && from != to
    {
        look.add_head(
            Breach::CopyuidMismatch,
            format!("{from} old ones, {to} new ones"),
        );
    }
}
