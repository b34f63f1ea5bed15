//! Whether a live command means what a recorded one meant.
//!
//! Not its octets: tags differ, a string is the same as atom, quoted string and literal (RFC 9051,
//! section 4.3), a sequence set or a list of items is a set, and what was masked is taken for equal.
//!
//! ```text
//! recorded  C: a3 FETCH 1:3 (FLAGS UID)
//! live      C: X9 fetch 1,2,3 (uid flags)     the same
//! ```

use crate::event::{Reading, Said, Value};
use crate::limits;

/// The first thing in which two commands differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `mailbox`, `sequence set`, `argument 2`...
    pub argument: String,
    /// What was recorded; empty for nothing.
    pub recorded: String,
    /// What the live app says.
    pub live: String,
}

/// What an argument is, as far as it matters for comparing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Octets count, but for INBOX.
    Mailbox,
    /// Octets count.
    Text,
    /// Numbers and ranges.
    Set,
    /// Members of a list, in any order.
    Items,
    /// Words in any letter case, strings by their octets.
    Words,
    /// Whatever it is.
    Anything,
}

/// How two commands differ; `None` if they mean the same.
pub fn difference(recorded: &Said, live: &Said) -> Option<Difference> {
    first_differences(recorded, live, 1).pop()
}

/// Everything in which two commands differ, in the order of their arguments; the names alone where
/// these differ.
pub fn differences(recorded: &Said, live: &Said) -> Vec<Difference> {
    first_differences(recorded, live, usize::MAX)
}

fn first_differences(recorded: &Said, live: &Said, most: usize) -> Vec<Difference> {
    let (name, live_name) = (name(recorded), name(live));
    if name != live_name {
        return vec![Difference {
            argument: "command".into(),
            recorded: name.to_owned(),
            live: live_name.to_owned(),
        }];
    }
    let (ours, theirs) = (recorded.arguments(), live.arguments());
    let (ours, theirs) = (
        without_optional(name, &ours),
        without_optional(name, &theirs),
    );
    let differing = |place: usize| {
        let (one, other) = (ours.get(place).copied(), theirs.get(place).copied());
        let kind = kind(name, place, ours.len());
        let is_same = match (one, other) {
            _ if kind == Kind::Anything => true,
            (Some(one), Some(other)) => is_same(kind, one, other),
            _ => false,
        };
        (!is_same).then(|| Difference {
            argument: argument(name, kind, place),
            recorded: one.map(shown).unwrap_or_default(),
            live: other.map(shown).unwrap_or_default(),
        })
    };
    let places = 0..ours.len().max(theirs.len());
    places.filter_map(differing).take(most).collect()
}

/// A command's meaning in octets. Commands that mean the same have the same, but for what is masked in
/// one of them alone; a few have it that do not, which [`differences`] tells apart.
pub fn digest(said: &Said) -> Vec<u8> {
    let name = name(said);
    let arguments = said.arguments();
    let mut arguments = without_optional(name, &arguments);
    if name == "LOGIN" {
        arguments.truncate(1); // the password may be masked in one of them
    }
    let mut digest = name.as_bytes().to_vec();
    for (place, value) in arguments.iter().enumerate() {
        digest.push(0);
        match kind(name, place, arguments.len()) {
            Kind::Anything => {}
            Kind::Mailbox => digest.extend(mailbox(value).unwrap_or_default()),
            Kind::Set => match sequence_set(value) {
                Some(ranges) => digest.extend(format!("{ranges:?}").bytes()),
                None => digest.extend(text(value).unwrap_or_default()),
            },
            Kind::Items => digest.extend(items(value).join(" ").bytes()),
            Kind::Text => digest.extend(text(value).unwrap_or_default()),
            Kind::Words => digest.extend(shown(value).to_ascii_uppercase().bytes()),
        }
    }
    digest
}

fn name(said: &Said) -> &str {
    match &said.reading {
        Reading::Command {
            name: Some(name), ..
        } => name,
        _ => "",
    }
}

fn argument(name: &str, kind: Kind, place: usize) -> String {
    match (kind, name, place) {
        (Kind::Mailbox, ..) => "mailbox".into(),
        (Kind::Set, ..) => "sequence set".into(),
        (Kind::Items, ..) => "items".into(),
        (_, "AUTHENTICATE", 0) => "mechanism".into(),
        (_, "LOGIN", 0) => "user name".into(),
        _ => format!("argument {}", place + 1),
    }
}

/// The arguments that are compared. A SASL exchange is by its mechanism alone (an initial response
/// may as well come later), APPEND without its date, ID without anything.
fn without_optional<'v, 'a>(name: &str, arguments: &'v [Value<'a>]) -> Vec<&'v Value<'a>> {
    let all = arguments.iter();
    match name {
        "ID" => Vec::new(),
        "AUTHENTICATE" => all.take(1).collect(),
        "APPEND" => {
            let last = arguments.len().saturating_sub(1);
            let is_date = |(place, value): &(usize, &Value<'_>)| {
                *place > 0 && *place < last && matches!(value, Value::Quoted(_))
            };
            let kept = all.enumerate().filter(|argument| !is_date(argument));
            kept.map(|(_, value)| value).collect()
        }
        _ => all.collect(),
    }
}

fn kind(name: &str, place: usize, count: usize) -> Kind {
    let is_last = place + 1 == count;
    match (name, place) {
        ("LOGIN", _) => Kind::Text,
        ("SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "SUBSCRIBE" | "UNSUBSCRIBE", 0)
        | ("STATUS" | "APPEND" | "GETQUOTAROOT" | "GETACL" | "MYRIGHTS", 0)
        | ("RENAME", 0 | 1) => Kind::Mailbox,
        ("LIST" | "LSUB", _) if is_last || place == 1 => Kind::Mailbox,
        ("COPY" | "MOVE" | "UID COPY" | "UID MOVE", 1) => Kind::Mailbox,
        ("FETCH" | "UID FETCH" | "STORE" | "UID STORE" | "COPY" | "MOVE", 0)
        | ("UID COPY" | "UID MOVE" | "UID EXPUNGE", 0) => Kind::Set,
        ("FETCH" | "UID FETCH" | "STATUS", 1) | ("STORE" | "UID STORE", 2) => Kind::Items,
        ("APPEND", _) if is_last => Kind::Text,
        ("APPEND", _) => Kind::Items,
        _ => Kind::Words,
    }
}

fn is_same(kind: Kind, one: &Value<'_>, other: &Value<'_>) -> bool {
    if matches!(one, Value::Secret(_)) || matches!(other, Value::Secret(_)) {
        return true;
    }
    match kind {
        Kind::Anything => true,
        Kind::Mailbox => mailbox(one) == mailbox(other),
        Kind::Set => sequence_set(one) == sequence_set(other),
        Kind::Items => items(one) == items(other),
        Kind::Text => text(one) == text(other),
        Kind::Words => is_same_word(one, other),
    }
}

fn is_same_word(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Atom(one), Value::Atom(other)) => one.eq_ignore_ascii_case(other),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same_word(one, other))
        }
        _ => text(one) == text(other),
    }
}

/// A string's octets, whatever form it has; `None` for what is none.
fn text(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        // Its octets are not here; two of one length are taken for the same.
        Value::Streamed(octets) => Some(format!("{octets} octets").into_bytes()),
        // As large, and written into a recording whole.
        Value::Literal(octets) if octets.len() as u64 > limits::LITERAL_HELD => {
            Some(format!("{} octets", octets.len()).into_bytes())
        }
        _ => value.bytes().map(<[u8]>::to_vec),
    }
}

/// A mailbox's name; INBOX is the same in any letter case (RFC 9051, section 5.1).
pub fn mailbox(value: &Value<'_>) -> Option<Vec<u8>> {
    if value.is_word("INBOX") {
        return Some(b"INBOX".to_vec());
    }
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        _ => value.bytes().map(<[u8]>::to_vec),
    }
}

/// A sequence set with its ranges ordered, joined and without direction (RFC 9051, section 9).
pub fn sequence_set(value: &Value<'_>) -> Option<Vec<(u64, u64)>> {
    /// `*`
    const LARGEST: u64 = u64::MAX;
    let text = text(value)?;
    let text = std::str::from_utf8(&text).ok()?;
    let mut ranges = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        let bound = |text: &str| match text {
            "*" => Some(LARGEST),
            digits => digits.parse::<u64>().ok(),
        };
        let (first, last) = (bound(first)?, bound(last)?);
        ranges.push((first.min(last), first.max(last)));
    }
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    Some(joined)
}

/// The items of a list, or a single one, upper case and in order.
fn items(value: &Value<'_>) -> Vec<String> {
    let mut items: Vec<String> = match value {
        Value::List(members) => members.iter().map(shown).collect(),
        single => vec![shown(single)],
    };
    for item in &mut items {
        item.make_ascii_uppercase();
    }
    items.sort_unstable();
    items
}

/// A value for people.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::List(members) => {
            let members: Vec<String> = members.iter().map(shown).collect();
            format!("({})", members.join(" "))
        }
        Value::Secret(secret) => format!("<secret:{}>", secret.name()),
        _ => String::from_utf8_lossy(&text(value).unwrap_or_default()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Draft, Gate, Micros, Peer, Secrets};
    use crate::protocol::Protocol;
    use crate::protocol::imap::Observer;

    fn said(command: &str) -> Said {
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let mut drafts = Vec::new();
        let _ = observer.observe(Peer::Server, b"* PREAUTH hi\r\n", Micros(0), &mut drafts);
        let _ = observer.observe(Peer::Client, command.as_bytes(), Micros(0), &mut drafts);
        let mut commands = drafts
            .into_iter()
            .filter_map(|draft| match Draft::into_body(draft) {
                Body::Said(said) if said.from == Peer::Client => Some(*said),
                _ => None,
            });
        commands.next_back().expect("a command")
    }

    fn differ(recorded: &str, live: &str) -> Option<Difference> {
        difference(
            &said(&format!("a {recorded}\r\n")),
            &said(&format!("b9 {live}\r\n")),
        )
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        for (recorded, live) in [
            ("NOOP", "noop"),
            ("SELECT INBOX", "SELECT \"inbox\""),
            ("SELECT Drafts", "select {6+}\r\nDrafts"),
            ("LOGIN alice secret", "LOGIN \"alice\" \"another\""),
            ("FETCH 1:3 (FLAGS UID)", "FETCH 3,1,2 (uid flags)"),
            ("FETCH 1 FLAGS", "FETCH 1 (FLAGS)"),
            (
                "UID FETCH 5:* (BODY.PEEK[HEADER])",
                "UID FETCH *:5 body.peek[header]",
            ),
            (
                "STORE 1 +FLAGS (\\Seen \\Deleted)",
                "STORE 1 +flags (\\deleted \\seen)",
            ),
            (
                "SEARCH UNSEEN SUBJECT \"a b\"",
                "SEARCH unseen subject {3+}\r\na b",
            ),
            ("ID (\"name\" \"x\")", "ID NIL"),
            (
                "APPEND x (\\Seen) \"17-Jul-1996 02:44:25 -0700\" {3+}\r\nabc",
                "APPEND x (\\Seen) \"18-Jul-1996 02:44:25 -0700\" {3+}\r\nabc",
            ),
            ("LIST \"\" *", "LIST \"\" \"*\""),
        ] {
            assert_eq!(differ(recorded, live), None, "{recorded} {live}");
        }
    }

    #[test]
    fn the_very_argument_that_differs_is_named() {
        for (recorded, live, argument) in [
            ("SELECT INBOX", "SELECT Drafts", "mailbox"),
            ("SELECT drafts", "SELECT Drafts", "mailbox"),
            ("FETCH 1:3 FLAGS", "FETCH 1:4 FLAGS", "sequence set"),
            ("FETCH 1 (FLAGS UID)", "FETCH 1 (FLAGS)", "items"),
            ("SEARCH SUBJECT abc", "SEARCH SUBJECT \"ABC\"", "argument 2"),
            ("NOOP", "CHECK", "command"),
            ("LOGIN alice x", "LOGIN bob x", "user name"),
            ("SEARCH UNSEEN", "SEARCH UNSEEN SEEN", "argument 2"),
            ("APPEND x {3+}\r\nabc", "APPEND x {3+}\r\nabd", "argument 2"),
        ] {
            let difference = differ(recorded, live).expect(live);
            assert_eq!(difference.argument, argument, "{recorded} {live}");
        }
        let difference = differ("SELECT INBOX", "SELECT Drafts").unwrap();
        assert_eq!(
            (&*difference.recorded, &*difference.live),
            ("INBOX", "Drafts")
        );
    }
}
