//! Whether a live command means what a recorded one meant.
//!
//! Not its octets: tags differ, a string is the same as atom, quoted string and literal (RFC 9051,
//! section 4.3), a sequence set or a list of items is a set, and what was masked is taken for equal.
//!
//! ```text
//! recorded  C: a3 FETCH 1:3 (FLAGS UID)
//! live      C: X9 fetch 1,2,3 (uid flags)     the same
//! ```

use super::canonical::{items, mailboxes, shown, text};
pub use super::canonical::{mailbox, set};
use super::search::question;
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
    /// A part of APPEND: a message, its flags, and what extensions have there.
    Part,
    /// Whatever it is.
    Anything,
}

impl Kind {
    /// The kind of these values, where it is for them to say.
    ///
    /// ```text
    /// C: a APPEND x (\Seen) {3+}                                     flags, then a message
    /// C: b APPEND x (\Seen) {3+} {4+}                               two messages (RFC 3502)
    /// C: c APPEND x CATENATE (URL "/x;UIDVALIDITY=1/;UID=2" TEXT {3+})   RFC 4469
    /// C: d APPEND x UTF8 (~{3+})                                    RFC 6855
    /// ```
    fn of(self, values: &[Option<&Value<'_>>]) -> Self {
        let is_flag = |value: &Value<'_>| matches!(value, Value::Atom(_) | Value::Secret(_));
        let are_flags = |value: &&Value<'_>| match value {
            Value::List(members) => members.iter().all(is_flag),
            _ => false,
        };
        let mut all = values.iter().flatten();
        match self {
            Self::Part if all.clone().all(are_flags) => Self::Items,
            Self::Part if all.all(|value| matches!(value, Value::Atom(_))) => Self::Words,
            Self::Part => Self::Text,
            kind => kind,
        }
    }
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
    of_arguments(name, &ours, &theirs, most)
}

/// As [`difference`], up to the literal at which the recorded command was refused.
pub fn difference_before_literal(recorded: &Said, live: &Said) -> Option<Difference> {
    if name(recorded) != name(live) {
        return difference(recorded, live);
    }
    let (ours, theirs) = (recorded.arguments(), live.arguments());
    let (mut ours, mut theirs) = (
        without_optional(name(recorded), &ours),
        without_optional(name(live), &theirs),
    );
    // Its header, which has become text, stands for whatever comes there.
    theirs.truncate(ours.len());
    if let Some(last) = ours.len().checked_sub(1)
        && let Some(literal) = theirs.get(last)
    {
        ours[last] = literal;
    }
    of_arguments(name(recorded), &ours, &theirs, 1).pop()
}

fn of_arguments(
    name: &str,
    ours: &[&Value<'_>],
    theirs: &[&Value<'_>],
    most: usize,
) -> Vec<Difference> {
    let questions = (question(name, ours), question(name, theirs));
    let is_same_question = match &questions {
        (Some(one), Some(other)) => Some(one == other),
        _ => None,
    };
    if is_same_question == Some(true) {
        return Vec::new();
    }
    let differing = |place: usize| {
        let (one, other) = (ours.get(place).copied(), theirs.get(place).copied());
        let kind = kind(name, place, ours.len()).of(&[one, other]);
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
    let mut differences: Vec<_> = places.filter_map(differing).take(most).collect();
    if differences.is_empty() && is_same_question == Some(false) {
        // `SUBJECT abc` and `SUBJECT ABC` are the same words, and not the same text.
        differences.push(Difference {
            argument: "search keys".into(),
            recorded: all_shown(ours),
            live: all_shown(theirs),
        });
    }
    differences
}

fn all_shown(values: &[&Value<'_>]) -> String {
    let values: Vec<String> = values.iter().map(|value| shown(value)).collect();
    values.join(" ")
}

/// Whether a FETCH sets `\Seen`, as far as can be told (RFC 9051, section 6.4.5).
pub fn sets_seen(said: &Said) -> bool {
    let sets_it = |item: &String| {
        item.starts_with("BODY[")
            || item.starts_with("BINARY[")
            || matches!(&**item, "RFC822" | "RFC822.TEXT")
            || item.starts_with("<SECRET:")
    };
    let arguments = said.arguments();
    arguments
        .iter()
        .skip(1)
        .flat_map(items)
        .any(|item| sets_it(&item))
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
    if let Some(question) = question(name, &arguments) {
        digest.extend(format!(" {question:?}").bytes());
        return digest;
    }
    // Where a literal's octets may not be here, its length has to do.
    let brief = |value: &Value<'_>| match value {
        Value::Literal(octets) if octets.len() as u64 > limits::LITERAL_HELD => {
            text(&Value::Streamed(octets.len() as u64))
        }
        value => text(value),
    };
    for (place, value) in arguments.iter().enumerate() {
        digest.push(0);
        match kind(name, place, arguments.len()).of(&[Some(value)]) {
            Kind::Anything | Kind::Part => {}
            Kind::Mailbox => digest.extend(mailboxes(value).into_iter().flatten().flatten()),
            Kind::Set => match set(value) {
                Some(ranges) => digest.extend(format!("{ranges:?}").bytes()),
                None => digest.extend(brief(value).unwrap_or_default()),
            },
            Kind::Items => digest.extend(items(value).join(" ").bytes()),
            Kind::Text => digest.extend(brief(value).unwrap_or_default()),
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
        ("APPEND", _) => Kind::Part,
        // Users and quota roots are called what they are called (RFC 4314, section 3, and RFC 9208,
        // section 3.1.1), and rights are letters.
        ("SETACL" | "DELETEACL" | "LISTRIGHTS", _) | ("GETQUOTA" | "SETQUOTA", 0) => Kind::Text,
        _ => Kind::Words,
    }
}

fn is_same(kind: Kind, one: &Value<'_>, other: &Value<'_>) -> bool {
    if matches!(one, Value::Secret(_)) || matches!(other, Value::Secret(_)) {
        return true;
    }
    match kind {
        Kind::Anything => true,
        Kind::Part => is_same(Kind::Part.of(&[Some(one), Some(other)]), one, other),
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

/// Where a literal's octets are not here, its length decides.
fn is_same_text(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Streamed(length), text) | (text, Value::Streamed(length)) => match text {
            Value::Streamed(other) => length == other,
            text => text
                .bytes()
                .is_some_and(|octets| octets.len() as u64 == *length),
        },
        (Value::List(one), Value::List(other)) => {
            let mut pairs = one.iter().zip(other);
            one.len() == other.len() && pairs.all(|(one, other)| is_same_text(one, other))
        }
        _ => text(one) == text(other),
    }
}

fn is_same_word(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Secret(_), _) | (_, Value::Secret(_)) => true,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Body, Draft, Gate, Micros, Peer, Secrets};
    use crate::protocol::Protocol;
    use crate::protocol::imap::Observer;

    fn said(command: &str) -> Said {
        said_in(command.as_bytes())
    }

    fn said_in(command: &[u8]) -> Said {
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let mut drafts = Vec::new();
        let _ = observer.observe(Peer::Server, b"* PREAUTH hi\r\n", Micros(0), &mut drafts);
        let _ = observer.observe(Peer::Client, command, Micros(0), &mut drafts);
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
                "APPEND x (\\Seen \\Draft) {3+}\r\nabc (\\Seen) {3+}\r\ndef",
                "APPEND x (\\draft \\seen) \"17-Jul-1996 02:44:25 -0700\" {3+}\r\nabc (\\seen) {3+}\r\ndef",
            ),
            (
                "APPEND x CATENATE (URL \"/y/;UID=2\" TEXT {3+}\r\nabc)",
                "APPEND x catenate (URL \"/y/;UID=2\" TEXT {3+}\r\nabc)",
            ),
            ("SETACL inbox alice lrs", "SETACL INBOX \"alice\" lrs"),
            ("XFOO Bar", "XFOO bar"),
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
    fn a_fetch_that_sets_seen_is_known() {
        for (command, sets) in [
            ("FETCH 1 (RFC822)", true),
            ("FETCH 1 rfc822", true),
            ("FETCH 1 (FLAGS RFC822.TEXT)", true),
            ("UID FETCH 1 (BODY[]<0.10>)", true),
            ("FETCH 1 BODY[HEADER.FIELDS (DATE)]", true),
            ("FETCH 1 BINARY[1]", true),
            ("FETCH 1 (RFC822.SIZE RFC822.HEADER)", false),
            ("FETCH 1 (BODY.PEEK[] BINARY.PEEK[1] BINARY.SIZE[1])", false),
            ("FETCH 1 BODY.PEEK[HEADER.FIELDS (X-RFC822)]", false),
            ("FETCH 1 FULL", false),
        ] {
            assert_eq!(
                sets_seen(&said(&format!("a {command}\r\n"))),
                sets,
                "{command}"
            );
        }
    }

    /// Octets that are not UTF-8 are those that they are.
    #[test]
    fn messages_differ_in_every_octet() {
        let append = |octet: &[u8]| {
            let mut command = b"a APPEND x {3+}\r\na".to_vec();
            command.extend(octet);
            command.extend(b"b {3+}\r\ndef\r\n");
            said_in(&command)
        };
        let difference = difference(&append(b"\xe4"), &append(b"\xf6")).unwrap();
        assert_eq!(difference.argument, "argument 2");
        assert!(digest(&append(b"\xe4")) != digest(&append(b"\xf6")));
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
            (
                "APPEND x {3+}\r\nabc {3+}\r\ndef",
                "APPEND x {3+}\r\nABC {3+}\r\ndef",
                "argument 2",
            ),
            (
                "APPEND x (\\Seen) {3+}\r\nabc {3+}\r\ndef",
                "APPEND x (\\Seen) {3+}\r\nabc {3+}\r\nDEF",
                "argument 4",
            ),
            (
                "APPEND x (\\Seen) {3+}\r\nabc",
                "APPEND x (\\Draft) {3+}\r\nabc",
                "items",
            ),
            (
                "APPEND x CATENATE (URL \"/y/;UID=2\")",
                "APPEND x CATENATE (URL \"/Y/;UID=2\")",
                "argument 3",
            ),
            (
                "SETACL INBOX alice lr",
                "SETACL INBOX Alice lr",
                "argument 2",
            ),
            (
                "DELETEACL INBOX alice",
                "DELETEACL INBOX Alice",
                "argument 2",
            ),
            ("GETQUOTA Root", "GETQUOTA root", "argument 1"),
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
