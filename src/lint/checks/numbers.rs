//! Message numbers and UIDs, as commands name them and responses tell them.

use super::keys::Keys;
use crate::event::{Label, Peer, Reading, Value};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Bound, Learned, items, ranges};

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => {
            command(look);
            for set in Keys::read(look).sets {
                named(look, set.range, set.by_uid);
            }
        }
        Peer::Server => told(look),
    }
}

/// The largest number that there is (RFC 9051, section 9, `number`).
const LARGEST: u64 = u32::MAX as u64;

/// `S: * 0 FETCH (UID 0)`, `S: * OK [UIDVALIDITY 0] none`
fn told(look: &mut Look<'_>) {
    let code = look.said.code();
    let (range, number, may_be_zero) = match (&look.said.reading, &code) {
        (
            Reading::Untagged {
                name,
                number: Some(number),
                ..
            },
            _,
        ) if matches!(&**name, "EXISTS" | "EXPUNGE" | "FETCH" | "RECENT") => {
            let may_be_zero = matches!(&**name, "EXISTS" | "RECENT");
            (None, *number, may_be_zero || name == "EXPUNGE")
        }
        (_, Some(code)) if matches!(&*code.name, "UIDNEXT" | "UIDVALIDITY" | "UNSEEN") => {
            let Some(number) = code.values.first().and_then(Value::number) else {
                return;
            };
            (Some(look.range_of_word(&code.name)), number, false)
        }
        _ => return,
    };
    let id = match number {
        0 if !may_be_zero => Breach::ZeroTold,
        number if number > LARGEST => Breach::NumberTooLarge,
        _ => return,
    };
    match range {
        Some(range) => look.add(id, range, ""),
        None => look.add_head(id, ""),
    }
}

/// The set that a command begins with: `C: a STORE 2,4:7,*:3 FLAGS ()`.
fn command(look: &mut Look<'_>) {
    let Some(command) = &look.command else {
        return;
    };
    let (by_uid, name) = match command.name.strip_prefix("UID ") {
        Some(name) => (true, name),
        None => (false, &*command.name),
    };
    if !matches!(name, "FETCH" | "STORE" | "COPY" | "MOVE" | "EXPUNGE")
        || (name == "EXPUNGE" && !by_uid)
    {
        return;
    }
    let Some(set) = look.first_argument() else {
        return;
    };
    let range = set.range.clone();
    if !matches!(set.label, Label::Atom | Label::Number) {
        return; // a mask
    }
    if !by_uid && look.session.has_enabled("UIDONLY") {
        look.add(Breach::UidonlyNumbers, range.clone(), "");
    }
    named(look, range, by_uid);
}

/// A set that names messages.
fn named(look: &mut Look<'_>, range: std::ops::Range<usize>, by_uid: bool) {
    let text = &look.said.wire.bytes()[range.clone()];
    if text.first() == Some(&b'$') {
        return; // what was found last (RFC 5182)
    }
    let mut most = 0;
    let mut has_largest = false;
    for bounds in ranges(text) {
        let Some((first, last)) = bounds else {
            return look.add(Breach::SequenceSetMalformed, range, "");
        };
        has_largest |= first == Bound::Largest || last == Bound::Largest;
        for number in [first, last].into_iter().filter_map(Bound::number) {
            if number > LARGEST {
                return look.add(Breach::NumberTooLarge, range, "");
            }
            if number == 0 {
                return look.add(Breach::NumberZero, range, "");
            }
            most = most.max(number);
        }
    }
    match by_uid {
        true => void(look, text.to_vec(), range),
        false => beyond(look, most, has_largest, range),
    }
}

fn beyond(look: &mut Look<'_>, most: u64, has_largest: bool, range: std::ops::Range<usize>) {
    let session = look.session;
    let Some(mailbox) = session.mailbox() else {
        return;
    };
    let Some(exists) = mailbox.exists() else {
        return;
    };
    // While commands are in flight, nobody knows what the app has read yet.
    let bound = match session.in_flight().count() {
        0 => exists,
        _ => mailbox.peak.max(exists),
    };
    // In an empty mailbox there is no largest number.
    let is_empty = has_largest && bound == 0 && session.in_flight().count() == 0;
    if most > bound || is_empty {
        let about = format!("there are {exists} messages");
        look.add(Breach::NumberBeyondExists, range, about);
    }
}

/// UIDs of a UIDVALIDITY before this one.
fn void(look: &mut Look<'_>, set: Vec<u8>, range: std::ops::Range<usize>) {
    let Some(mailbox) = look.session.mailbox() else {
        return;
    };
    let Some(past) = look.account.mailbox(&mailbox.name) else {
        return;
    };
    if past.void.is_empty() || past.uid_validity != mailbox.uid_validity {
        return;
    }
    // A range may have been made of what is there now.
    let single = ranges(&set).flatten().filter(|(first, last)| first == last);
    let single = single.filter_map(|(uid, _)| u32::try_from(uid.number()?).ok());
    let is_void = |uid: &u32| past.void.contains(uid) && !mailbox.messages().knows(*uid);
    if let Some(uid) = single.into_iter().find(is_void) {
        let about = format!("{uid} was told before UIDVALIDITY became another");
        look.add(Breach::UidvalidityIgnored, range, about);
    }
}

/// What a FETCH response told of UIDs.
pub(super) fn after(look: &mut Look<'_>) {
    let Reading::Untagged {
        name,
        number: Some(number),
        ..
    } = &look.said.reading
    else {
        return;
    };
    let (Some(mailbox), "FETCH") = (look.session.mailbox(), &**name) else {
        return;
    };
    let item = items(look.said).find(|item| item.name.is_word("UID"));
    let uid = item
        .as_ref()
        .and_then(|item| u32::try_from(item.number()?).ok());
    let (Some(item), Some(uid)) = (item, uid) else {
        return;
    };
    if uid == 0 {
        let range = look.range_of(item.name.bytes().unwrap_or_default());
        return look.add(Breach::ZeroTold, range, "");
    }
    let range = look.range_of(item.name.bytes().unwrap_or_default());
    let range = range.start..range.end + 1 + uid.to_string().len();
    match mailbox.learned {
        Some(Learned::Changed(before)) => {
            look.add(
                Breach::UidChanged,
                range,
                format!("message {number} had the UID {before}"),
            );
        }
        Some(Learned::Reused) => {
            let about = format!("a message with the UID {uid} was there, and went");
            look.add(Breach::UidReused, range, about);
        }
        Some(Learned::NotAscending(other)) => {
            let at = mailbox.messages().number(other);
            let whose = at.map_or_else(String::new, |at| format!(" of message {at}"));
            look.add(
                Breach::UidNotAscending,
                range,
                format!("it does not fit the UID {other}{whose}"),
            );
        }
        _ => below_uid_next(look, *number, uid, range),
    }
    if let Some(mailbox) = look.session.mailbox() {
        look.account.saw(&mailbox.name, uid);
    }
}

fn below_uid_next(look: &mut Look<'_>, number: u64, uid: u32, range: std::ops::Range<usize>) {
    let Some(mailbox) = look.session.mailbox() else {
        return;
    };
    let (Some(next), Some(below)) = (mailbox.uid_next, mailbox.below_uid_next) else {
        return;
    };
    if number <= below && u64::from(uid) >= next {
        look.add(
            Breach::UidNotBelowUidnext,
            range,
            format!("UIDNEXT was {next}"),
        );
    }
}
