//! What an untagged response that nobody asked for means to the app.
//!
//! Not an interpretation of the session: a sentence follows from the response alone. Names are RFC 9051's, section 7, and those of the extensions that speak
//! without being asked.

use super::line::Line;
use crate::event::{Said, Status, Value};
use crate::figure;
use crate::sink::palette::Meaning;

/// Members of a list that are named.
const MEMBERS: usize = 12;

/// Adds the sentence to the line.
pub(super) fn unsolicited(
    line: &mut Line,
    said: &Said,
    name: &str,
    number: Option<u64>,
    status: Option<Status>,
) {
    if let Some(status) = status {
        return status_response(line, said, status);
    }
    match (name, number) {
        ("EXISTS", Some(number)) => {
            line.own(Meaning::Plain, "the mailbox now holds ");
            line.own(Meaning::Plain, &figure::counted(number, "message"));
        }
        ("RECENT", Some(number)) => {
            let verb = if number == 1 { "is" } else { "are" };
            line.own(Meaning::Plain, &figure::counted(number, "message"));
            line.own(
                Meaning::Plain,
                &format!(" {verb} new since the last session"),
            );
        }
        ("EXPUNGE", Some(number)) => {
            let gone = gone(number, said.uid);
            line.own(Meaning::Plain, &format!("{gone}, "));
            line.own(Meaning::Plain, "higher numbers move down by one");
        }
        ("FETCH", Some(number)) => fetch(line, said, &message(number, said.uid)),
        ("UIDFETCH", Some(number)) => fetch(line, said, &format!("the message with UID {number}")),
        ("VANISHED", _) => vanished(line, said),
        ("FLAGS", _) => {
            line.own(Meaning::Plain, "the mailbox now has the flags");
            members(line, &said.arguments());
        }
        ("STATUS", _) => {
            line.own(Meaning::Plain, "the counts changed of mailbox");
            first(line, said);
        }
        ("LIST" | "LSUB", _) => {
            line.own(Meaning::Plain, "new, renamed, gone or changed: mailbox");
            last(line, said);
        }
        ("ESEARCH", _) if changes(said) => {
            line.own(Meaning::Plain, "changed results of a search that goes on");
        }
        _ => line.own(Meaning::Plain, simple(name)),
    }
}

/// `S: * ESEARCH (TAG "a2") UID ADDTO (0 100)`: RFC 5267, section 4.3.
fn changes(said: &Said) -> bool {
    let arguments = said.arguments();
    let mut words = arguments.iter();
    words.any(|word| word.is_word("ADDTO") || word.is_word("REMOVEFROM"))
}

/// `message 3 is gone (UID 17)`
pub(super) fn gone(number: u64, uid: Option<u32>) -> String {
    let uid = uid.map_or_else(String::new, |uid| format!(" (UID {uid})"));
    format!("message {number} is gone{uid}")
}

/// `message 3 (UID 17)`
fn message(number: u64, uid: Option<u32>) -> String {
    match uid {
        Some(uid) => format!("message {number} (UID {uid})"),
        None => format!("message {number}"),
    }
}

/// Sentences without anything in them.
fn simple(name: &str) -> &'static str {
    match name {
        "CAPABILITY" => "the server's capabilities from now on",
        "ENABLED" => "extensions are on that no command asked for",
        "SEARCH" | "ESEARCH" | "SORT" | "THREAD" => "results of a search that is not running",
        "METADATA" => "annotations of a mailbox changed",
        "QUOTA" | "QUOTAROOT" => "how much room there is",
        "NAMESPACE" => "where mailboxes are",
        "ID" => "which software the server is",
        "BAD" => "the server could not read something",
        _ => "no command in flight asks for this",
    }
}

/// `* OK [ALERT] ...`: RFC 9051, section 7.1.
fn status_response(line: &mut Line, said: &Said, status: Status) {
    let code = said.code().map(|code| code.name);
    let sentence = match (status, code.as_deref()) {
        (Status::Bye, _) => "the server closes the connection",
        (_, Some("CLOSED")) => "the mailbox is closed; what follows is about the next one",
        (_, Some("HIGHESTMODSEQ")) => "the mailbox changed up to this MODSEQ",
        (_, Some("NOTIFICATIONOVERFLOW")) => "too many changes: the server no longer reports them",
        (_, Some("PERMANENTFLAGS")) => "the flags that can be changed for good",
        (_, Some("UIDNEXT")) => "the next message will have this UID",
        (_, Some("UIDVALIDITY")) => "UIDs known from another UIDVALIDITY are void",
        (_, Some("CAPABILITY")) => "the server's capabilities from now on",
        (Status::Ok | Status::Preauth, _) => "information; no command ends with it",
        (Status::No, _) => "a warning; no command ends with it",
        (Status::Bad, _) => "the server could not read something, and not which command",
    };
    line.own(Meaning::Plain, sentence);
}

/// `S: * 12 FETCH (FLAGS (\Seen) MODSEQ (7))`
fn fetch(line: &mut Line, said: &Said, message: &str) {
    let arguments = said.arguments();
    let items = arguments
        .iter()
        .find(|value| matches!(value, Value::List(_)))
        .map_or(&[][..], Value::members);
    let flags = items.chunks(2).find(|item| item[0].is_word("FLAGS"));
    match flags.and_then(|item| item.get(1)) {
        Some(flags) if flags.members().is_empty() => {
            line.own(Meaning::Plain, &format!("{message} has no flags now"));
        }
        Some(flags) => {
            line.own(Meaning::Plain, &format!("flags of {message} are now"));
            members(line, flags.members());
        }
        None => {
            // NOTIFY tells of a new message what was asked for (RFC 5465, section 5.2).
            let is_uid = |item: &&[Value<'_>]| item[0].is_word("UID");
            let changes = |item: &[Value<'_>]| CHANGING.iter().any(|name| item[0].is_word(name));
            let mut others = items.chunks(2).filter(|item| !is_uid(item)).peekable();
            let is_new = others.peek().is_some() && others.all(changes);
            let sentence = match is_new {
                true => format!("{message} has a new"),
                false => format!("of {message} the server tells"),
            };
            line.own(Meaning::Plain, &sentence);
            let shown = items.chunks(2).filter(|item| !is_new || !is_uid(item));
            for item in shown.take(MEMBERS) {
                value(line, &item[0]);
            }
        }
    }
}

/// What may become another one while the message stays, besides FLAGS.
const CHANGING: &[&str] = &["ANNOTATION", "MODSEQ", "X-GM-LABELS"];

/// `S: * VANISHED (EARLIER) 300:310,405`: RFC 7162, section 3.2.10.
fn vanished(line: &mut Line, said: &Said) {
    let arguments = said.arguments();
    let earlier = arguments
        .first()
        .is_some_and(|value| value.members().iter().any(|word| word.is_word("EARLIER")));
    line.own(Meaning::Plain, "gone: the messages with UID");
    if let Some(set) = arguments.last() {
        value(line, set);
    }
    if earlier {
        line.own(Meaning::Plain, ", before this session");
    }
}

fn first(line: &mut Line, said: &Said) {
    if let Some(mailbox) = said.arguments().first() {
        value(line, mailbox);
    }
}

/// `S: * LIST (\HasNoChildren) "/" Drafts`; extended data may follow the name (RFC 5258).
fn last(line: &mut Line, said: &Said) {
    if let Some(mailbox) = said.arguments().get(2) {
        value(line, mailbox);
    }
}

/// The members of lists, one level deep.
fn members(line: &mut Line, values: &[Value<'_>]) {
    let flat = values.iter().flat_map(|value| match value {
        Value::List(members) => members.as_slice(),
        other => std::slice::from_ref(other),
    });
    for (at, member) in flat.enumerate() {
        if at == MEMBERS {
            line.own(Meaning::Plain, " …");
            return;
        }
        value(line, member);
    }
}

/// A space and the value.
fn value(line: &mut Line, value: &Value<'_>) {
    line.own(Meaning::Plain, " ");
    match value {
        Value::Number(number) => line.own(Meaning::Plain, &number.to_string()),
        Value::Nil => line.own(Meaning::Plain, "NIL"),
        Value::Secret(secret) => line.own(Meaning::Secret, &format!("‹{}›", secret.name())),
        Value::List(_) | Value::Streamed(_) => line.own(Meaning::Plain, "…"),
        _ => {
            let octets = value.bytes().unwrap_or_default();
            let meaning = match octets.first() {
                Some(b'\\' | b'$') => Meaning::Flag,
                _ => Meaning::Plain,
            };
            line.foreign(meaning, octets);
        }
    }
}
