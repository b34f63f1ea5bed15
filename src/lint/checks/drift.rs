//! Where what the app knows and what the server has come apart: UIDs that are gone or given again,
//! messages that changed, flags that nobody told (RFC 9051, section 2.3.1.1 and 6.4.5).

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::event::{Label, Peer, Reading, Status, Value};
use crate::limits;
use crate::lint::look::Look;
use crate::lint::table::Breach;
use crate::session::{Item, items, ranges};

/// UIDs of a set that are looked at.
const LOOKED_AT: usize = 64;

pub(super) fn check(look: &mut Look<'_>) {
    match look.said.from {
        Peer::Client => expunged(look),
        Peer::Server => unseen(look),
    }
}

/// `C: a UID FETCH 17 BODY[]` behind `S: * 3 EXPUNGE`
fn expunged(look: &mut Look<'_>) {
    let Some(command) = look.command.as_ref().filter(|command| command.is_by_uid()) else {
        return;
    };
    let acts = ["UID COPY", "UID FETCH", "UID MOVE", "UID STORE"];
    // While commands are in flight, nobody knows what the app has read yet.
    if !acts.contains(&&*command.name) || look.session.in_flight().count() > 0 {
        return;
    }
    let (Some(set), Some(mailbox)) = (look.first_argument(), look.session.mailbox()) else {
        return;
    };
    let text = look.said.span_bytes(set);
    // A range may have been made of what is there now.
    let single = ranges(text).take(LOOKED_AT).flatten();
    let single = single.filter(|(first, last)| first == last);
    let uids = single.filter_map(|(uid, _)| u32::try_from(uid.number()?).ok());
    let gone = uids.filter(|uid| mailbox.was_expunged(*uid) && !mailbox.has_uid(*uid));
    if let Some(uid) = gone.last() {
        let range = set.range.clone();
        let about = format!("the message with the UID {uid} is gone");
        look.add(Breach::UidExpunged, range, about);
    }
}

/// What a FETCH tells of a message that has its UID already.
pub(super) fn after(look: &mut Look<'_>) {
    let Reading::Untagged {
        name,
        number: Some(number),
        ..
    } = &look.said.reading
    else {
        return;
    };
    let Some(mailbox) = look.session.mailbox() else {
        return;
    };
    let uid = match &**name {
        "FETCH" => mailbox.uid(*number),
        "UIDFETCH" => u32::try_from(*number).ok(),
        _ => None,
    };
    let (Some(uid), mailbox) = (uid, mailbox.name.clone()) else {
        return;
    };
    let items: Vec<Item<'_>> = items(look.said).collect();
    for (at, name) in ["RFC822.SIZE", "INTERNALDATE"].into_iter().enumerate() {
        let Some(item) = items.iter().find(|item| item.name.is_word(name)) else {
            continue;
        };
        let Some(told) = told(item) else {
            continue;
        };
        if look.account.changed(&mailbox, (uid, at), told) {
            let range = look.range_of(item.name.bytes().unwrap_or_default());
            let about = format!("another was told before for the UID {uid}");
            look.add(Breach::MessageChanged, range, about);
        }
    }
}

fn told(item: &Item<'_>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    match item.values.first()? {
        Value::Number(number) => number.hash(&mut hasher),
        value => value.bytes()?.hash(&mut hasher),
    }
    Some(hasher.finish())
}

/// Reading a message's text sets `\Seen`, and the server says so: in the same response, or in another
/// one before the command ends.
fn unseen(look: &mut Look<'_>) {
    match &look.said.reading {
        Reading::Untagged {
            name,
            number: Some(number),
            status: None,
            ..
        } => match &**name {
            "FETCH" => fetched(look, *number),
            "EXPUNGE" => look.memory.unseen.clear(),
            _ => {}
        },
        Reading::Tagged {
            status: Some(Status::Ok),
            ..
        } if look.session.in_flight().count() == 1 => {
            let unseen = std::mem::take(&mut look.memory.unseen);
            if let Some(number) = unseen.iter().min() {
                let about = match unseen.len() {
                    1 => format!("nothing was told of message {number}"),
                    several => {
                        format!("nothing was told of {several} messages, {number} the first")
                    }
                };
                look.add_head(Breach::SeenNotTold, about);
            }
        }
        Reading::Tagged { .. } => look.memory.unseen.clear(),
        _ => {}
    }
}

fn fetched(look: &mut Look<'_>, number: u64) {
    let said = look.said;
    let is_atom = |label| matches!(label, Label::Atom | Label::Name);
    let has = |word: &[u8]| {
        let spans = said.spans.iter().filter(|span| is_atom(span.label));
        spans
            .map(|span| said.span_bytes(span))
            .any(|text| text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word))
    };
    if has(b"FLAGS") {
        look.memory.unseen.remove(&number);
        return;
    }
    let only = look.session.in_flight().only();
    let reads = only.is_some_and(|command| {
        let is_text = |word: &String| {
            ["BODY[", "BINARY[", "RFC822.TEXT"]
                .iter()
                .any(|text| word.starts_with(text))
                || word == "RFC822"
        };
        matches!(&*command.name, "FETCH" | "UID FETCH") && command.words.iter().any(is_text)
    });
    let is_text = has(b"BODY[") || has(b"BINARY[") || has(b"RFC822.TEXT");
    let Some(mailbox) = look.session.mailbox().filter(|m| !m.read_only) else {
        return;
    };
    let is_unseen = mailbox.flags_of(number).is_some_and(|flags| {
        let is_seen = |flag: &String| flag.eq_ignore_ascii_case("\\Seen");
        !flags.iter().any(is_seen)
    });
    let can_be = mailbox.permanent_flags.as_ref().is_none_or(|flags| {
        let is_seen = |flag: &String| flag.eq_ignore_ascii_case("\\Seen");
        flags.iter().any(is_seen)
    });
    if reads && is_text && is_unseen && can_be && look.memory.unseen.len() < limits::UIDS {
        look.memory.unseen.insert(number);
    }
}
