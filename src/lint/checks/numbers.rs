//! Message numbers and UIDs, as commands name them and responses tell them.

use crate::event::{Label, Peer, Reading};
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Bound, Learned, items, ranges};

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => command(look),
        Peer::Server => {}
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
    let text = look.said.span_bytes(set);
    let range = set.range.clone();
    if !matches!(set.label, Label::Atom | Label::Number) || text.first() == Some(&b'$') {
        return; // what was found last (RFC 5182), or a mask
    }
    let mut most = 0;
    for bounds in ranges(text) {
        let Some((first, last)) = bounds else {
            return look.add(Breach::SequenceSetMalformed, range, "");
        };
        for number in [first, last].into_iter().filter_map(Bound::number) {
            if number == 0 {
                return look.add(Breach::NumberZero, range, "");
            }
            most = most.max(number);
        }
    }
    match by_uid {
        true => void(look, text.to_vec(), range),
        false => beyond(look, most, range),
    }
}

fn beyond(look: &mut Look<'_>, most: u64, range: std::ops::Range<usize>) {
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
    if most > bound {
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
    let items = items(look.said);
    let item = items.iter().find(|item| item.name.is_word("UID"));
    let uid = item.and_then(|item| u32::try_from(item.number()?).ok());
    let (Some(item), Some(uid)) = (item, uid) else {
        return;
    };
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
