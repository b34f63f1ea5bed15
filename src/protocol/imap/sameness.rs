//! Whether a live command means what a recorded one meant.
//!
//! Not its octets: tags differ, a string is the same as atom, quoted string and literal (RFC 9051,
//! section 4.3), a sequence set or a list of items is a set, and what was masked is taken for equal.
//!
//! ```text
//! recorded  C: a3 FETCH 1:3 (FLAGS UID)
//! live      C: X9 fetch 1,2,3 (uid flags)     the same
//! ```

use super::search::question;
use super::utf7;
use crate::event::{Reading, Said, Value};

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
    let (name, live_name) = (name(recorded), name(live));
    if name != live_name {
        return Some(Difference {
            argument: "command".into(),
            recorded: name.to_owned(),
            live: live_name.to_owned(),
        });
    }
    let (ours, theirs) = (recorded.arguments(), live.arguments());
    let (ours, theirs) = (
        without_optional(name, &ours),
        without_optional(name, &theirs),
    );
    let questions = (question(name, &ours), question(name, &theirs));
    let is_same_question = match &questions {
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    };
    if is_same_question == Some(true) {
        return None;
    }
    let most = ours.len().max(theirs.len());
    let first = (0..most).find_map(|place| {
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
    });
    let all = |values: &[&Value<'_>]| {
        values
            .iter()
            .map(|v| shown(v))
            .collect::<Vec<_>>()
            .join(" ")
    };
    first.or_else(|| {
        // `SUBJECT abc` and `SUBJECT ABC` are the same words, and not the same text.
        (is_same_question == Some(false)).then(|| Difference {
            argument: "search keys".into(),
            recorded: all(&ours),
            live: all(&theirs),
        })
    })
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
/// may as well come later), APPEND without its date and an empty list of flags, ID without anything;
/// ENABLE's are a set.
fn without_optional<'v, 'a>(name: &str, arguments: &'v [Value<'a>]) -> Vec<&'v Value<'a>> {
    let all = arguments.iter();
    match name {
        "ID" => Vec::new(),
        "AUTHENTICATE" => all.take(1).collect(),
        "APPEND" => {
            let last = arguments.len().saturating_sub(1);
            let is_left_out = |(place, value): &(usize, &Value<'_>)| {
                let is_date = matches!(value, Value::Quoted(_));
                let is_empty = matches!(value, Value::List(flags) if flags.is_empty());
                *place > 0 && *place < last && (is_date || is_empty)
            };
            let kept = all.enumerate().filter(|argument| !is_left_out(argument));
            kept.map(|(_, value)| value).collect()
        }
        "ENABLE" => {
            let mut all: Vec<_> = all.collect();
            all.sort_by_key(|value| shown(value).to_ascii_uppercase());
            all
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
        | ("SETACL" | "DELETEACL" | "LISTRIGHTS" | "GETMETADATA" | "SETMETADATA", 0)
        | ("RENAME", 0 | 1) => Kind::Mailbox,
        // C: a LIST (SUBSCRIBED) "" "*" RETURN (CHILDREN)
        ("LIST", 0) if count % 2 == 1 => Kind::Items,
        ("LIST", _) if count > 3 && is_last => Kind::Items,
        ("LIST", _) if count > 3 && place + 2 == count => Kind::Words,
        ("LIST" | "LSUB", _) => Kind::Mailbox,
        ("COPY" | "MOVE" | "UID COPY" | "UID MOVE", 1) => Kind::Mailbox,
        ("FETCH" | "UID FETCH" | "STORE" | "UID STORE" | "COPY" | "MOVE", 0)
        | ("UID COPY" | "UID MOVE" | "UID EXPUNGE", 0) => Kind::Set,
        ("FETCH" | "UID FETCH" | "STATUS" | "STORE" | "UID STORE", _) => Kind::Items,
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
        Kind::Mailbox => mailboxes(one) == mailboxes(other),
        Kind::Set => match (set(one), set(other)) {
            // C: a FETCH $ FLAGS
            (None, None) => is_same_word(one, other),
            (one, other) => one == other,
        },
        Kind::Items => items(one) == items(other),
        Kind::Text => is_same_text(one, other),
        Kind::Words => is_same_word(one, other),
    }
}

/// One mailbox, or the patterns of LIST, in any order (RFC 5258, section 3).
fn mailboxes(value: &Value<'_>) -> Vec<Option<Vec<u8>>> {
    let mut names: Vec<_> = match value {
        Value::List(names) => names.iter().map(mailbox).collect(),
        name => vec![mailbox(name)],
    };
    names.sort_unstable();
    names
}

/// Where a literal's octets are not here, its length decides.
fn is_same_text(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Streamed(length), text) | (text, Value::Streamed(length)) => match text {
            Value::Streamed(other) => length == other,
            text => text
                .bytes()
                .is_some_and(|octets| octets.len() as u64 == *length),
        },
        _ => text(one) == text(other),
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
        _ => is_same_text(one, other),
    }
}

/// A string's octets, whatever form it has; `None` for what is none.
fn text(value: &Value<'_>) -> Option<Vec<u8>> {
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        Value::Streamed(octets) => Some(format!("{octets} octets").into_bytes()),
        _ => value.bytes().map(<[u8]>::to_vec),
    }
}

/// A mailbox's name, in UTF-8 where it is known to be UTF-7; INBOX is the same in any letter case (RFC
/// 9051, section 5.1).
pub fn mailbox(value: &Value<'_>) -> Option<Vec<u8>> {
    if value.is_word("INBOX") {
        return Some(b"INBOX".to_vec());
    }
    match value {
        Value::Number(number) => Some(number.to_string().into_bytes()),
        Value::Nil => Some(b"NIL".to_vec()),
        _ => value.bytes().map(|name| match utf7::decoded(name) {
            Some(name) => name.into_bytes(),
            None => name.to_vec(),
        }),
    }
}

/// First and last of each.
pub type Ranges = Vec<(u64, u64)>;

/// A sequence set with its ranges ordered, joined and without direction (RFC 9051, section 9).
pub fn set(value: &Value<'_>) -> Option<Ranges> {
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

/// The items of a list, or a single one, upper case and in order; FETCH's macros as what they stand
/// for (RFC 9051, section 6.4.5).
fn items(value: &Value<'_>) -> Vec<String> {
    const FAST: &[&str] = &["FLAGS", "INTERNALDATE", "RFC822.SIZE"];
    let with = |more: &[&str]| {
        [FAST, more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let mut items: Vec<String> = match value {
        Value::List(members) => members.iter().map(item).collect(),
        single => match &*item(single) {
            "FAST" => with(&[]),
            "ALL" => with(&["ENVELOPE"]),
            "FULL" => with(&["ENVELOPE", "BODY"]),
            other => vec![other.to_owned()],
        },
    };
    items.sort_unstable();
    items.dedup();
    items
}

/// An item, upper case; a list in it, such as `BODY[HEADER.FIELDS (DATE FROM)]` has, in order.
fn item(value: &Value<'_>) -> String {
    let item = match value {
        Value::List(_) => return format!("({})", items(value).join(" ")),
        value => shown(value).to_ascii_uppercase(),
    };
    let Some((before, rest)) = item.split_once(" (") else {
        return item;
    };
    let Some((fields, behind)) = rest.split_once(')') else {
        return item;
    };
    let mut fields: Vec<&str> = fields.split(' ').map(|f| f.trim_matches('"')).collect();
    fields.sort_unstable();
    format!("{before} ({}){behind}", fields.join(" "))
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
            (
                "LIST (SUBSCRIBED) \"\" (a inbox) RETURN (CHILDREN STATUS (MESSAGES UNSEEN))",
                "LIST (subscribed) \"\" (\"INBOX\" a) return (STATUS (UNSEEN MESSAGES) children)",
            ),
            (
                "FETCH 1 ALL",
                "FETCH 1 (ENVELOPE FLAGS INTERNALDATE RFC822.SIZE)",
            ),
            (
                "FETCH 1 fast",
                "FETCH 1 (FLAGS RFC822.SIZE INTERNALDATE FLAGS)",
            ),
            (
                "FETCH 1 FULL",
                "FETCH 1 (BODY ENVELOPE FLAGS INTERNALDATE RFC822.SIZE)",
            ),
            (
                "FETCH 1 (UID BODY.PEEK[HEADER.FIELDS (DATE FROM)]<0.100>)",
                "FETCH 1 (body.peek[header.fields (\"From\" date)]<0.100> UID)",
            ),
            (
                "UID FETCH 1 FLAGS (CHANGEDSINCE 4 VANISHED)",
                "UID FETCH 1 FLAGS (VANISHED CHANGEDSINCE 4)",
            ),
            (
                "STORE 1 (UNCHANGEDSINCE 5) +FLAGS (\\Seen $Work)",
                "STORE 1 (unchangedsince 5) +FLAGS ($Work \\Seen)",
            ),
            (
                "STATUS x (MESSAGES UNSEEN)",
                "STATUS \"x\" (unseen messages)",
            ),
            (
                "ENABLE CONDSTORE UTF8=ACCEPT",
                "ENABLE utf8=accept condstore",
            ),
            ("APPEND x {3+}\r\nabc", "APPEND x () ~{3+}\r\nabc"),
            (
                "SEARCH UNSEEN FROM bob 1:3",
                "SEARCH 3,1,2 (from \"bob\") unseen",
            ),
            (
                "UID SEARCH RETURN (MIN MAX) CHARSET UTF-8 OR SEEN NOT (FROM a UID 1:2) ALL",
                "UID SEARCH return (max min) charset utf-8 all or not (uid 2,1 from {1+}\r\na) seen",
            ),
            (
                "SEARCH SINCE 01-Feb-1994 HEADER X-Spam yes",
                "SEARCH HEADER x-spam \"yes\" since \"1-feb-1994\"",
            ),
            (
                "SORT (REVERSE DATE) UTF-8 SEEN FLAGGED",
                "SORT (reverse date) utf-8 flagged seen",
            ),
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
            ("FETCH $ FLAGS", "FETCH x FLAGS", "sequence set"),
            ("FETCH 1 BODY[]<0.100>", "FETCH 1 BODY[]<100.100>", "items"),
            (
                "FETCH 1 BODY[HEADER.FIELDS (DATE)]",
                "FETCH 1 BODY[HEADER.FIELDS (FROM)]",
                "items",
            ),
            (
                "LIST \"\" * RETURN (CHILDREN)",
                "LIST \"\" * RETURN (SUBSCRIBED)",
                "items",
            ),
            ("LIST \"\" (a b)", "LIST \"\" (a c)", "mailbox"),
            (
                "SORT (DATE SIZE) UTF-8 ALL",
                "SORT (SIZE DATE) UTF-8 ALL",
                "argument 1",
            ),
            ("SEARCH OR SEEN NEW", "SEARCH SEEN NEW", "argument 1"),
            ("SEARCH SUBJECT abc", "SEARCH SUBJECT ABC", "search keys"),
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
