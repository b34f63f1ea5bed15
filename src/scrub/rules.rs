//! What stands where in commands and responses: the rule for each of a message's values.
//!
//! Not how a rule replaces what it is about (`message.rs`). A place that no rule knows is
//! [`Rule::Text`]: when in doubt, everything is replaced.

use super::mime::is_free;
use crate::event::{Label, Span};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It stays.
    Stay,
    /// Words of the protocol and numbers; in a string, a date or a tag.
    Protocol,
    /// Names of header fields.
    HeaderName,
    /// Anything that a person or a program wrote.
    Text,
    /// A user or a host: as text, and wherever it comes again.
    Private,
    /// A person's name, or a part of an address: as text, and wherever a server's text has it.
    Address,
    /// A mailbox's name.
    Mailbox,
    /// A server's human-readable text.
    Human,
    /// A subject.
    Subject,
    /// A date, or text.
    Date,
    /// A value of MIME.
    Mime,
    /// The value of a parameter of MIME that the user chose.
    Parameter,
    /// A mail, or a header.
    Mail,
    /// The content of a part.
    Content,
    /// A SASL turn.
    Base64,
    /// Rights to a mailbox.
    Rights,
}

/// A value with its place.
pub struct Place<'a> {
    /// Values and lists before it in the outermost list.
    pub argument: usize,
    /// How many lists it is in.
    pub depth: usize,
    /// Values and lists before it in its own list.
    pub index: usize,
    /// What it is.
    pub label: Label,
    /// Its octets; of a literal that streamed, none.
    pub octets: &'a [u8],
    /// The words before it, upper case, the nearest first.
    pub before: [&'a str; 2],
}

impl Place<'_> {
    fn is_string(&self) -> bool {
        matches!(
            self.label,
            Label::Quoted | Label::Literal | Label::LiteralHeader
        )
    }

    fn begins_with(&self, octet: u8) -> bool {
        self.octets.iter().find(|o| **o != b'"') == Some(&octet)
    }

    /// A hierarchy delimiter's rule: one character stays (RFC 9051, section 9), and NIL does by itself.
    fn delimiter(&self) -> Rule {
        let delimiter = String::from_utf8_lossy(self.octets);
        let delimiter = match delimiter.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"').unwrap_or(quoted),
            None => &delimiter,
        };
        let delimiter = delimiter
            .strip_prefix('\\')
            .filter(|rest| !rest.is_empty())
            .unwrap_or(delimiter);
        match delimiter.chars().count() {
            0 | 1 => Rule::Stay,
            _ => Rule::Mailbox,
        }
    }

    /// An atom's rule where atoms are of the protocol.
    fn word(&self) -> Rule {
        match self.label {
            Label::Literal | Label::LiteralHeader => Rule::Text,
            Label::Quoted => Rule::Date,
            _ if self.octets.contains(&b'[') => Rule::HeaderName, // BODY[HEADER.FIELDS (X-ID)]<0.9>
            _ => Rule::Protocol,
        }
    }
}

/// The rules of a command's arguments.
pub fn of_a_command(name: &str, place: &Place<'_>, has_returned: bool) -> Rule {
    let outermost = place.depth == 0;
    match (name, place.argument) {
        ("LOGIN", _) => Rule::Private,
        ("AUTHENTICATE", 0) => Rule::Protocol,
        ("AUTHENTICATE", _) => Rule::Base64,
        (
            "SELECT" | "EXAMINE" | "CREATE" | "DELETE" | "SUBSCRIBE" | "UNSUBSCRIBE" | "STATUS"
            | "APPEND" | "GETQUOTAROOT" | "GETACL" | "SETACL" | "DELETEACL" | "LISTRIGHTS"
            | "MYRIGHTS" | "GETANNOTATION" | "SETANNOTATION" | "RESETKEY",
            0,
        )
        | ("RENAME", 0 | 1)
        | ("COPY" | "MOVE" | "UID COPY" | "UID MOVE" | "REPLACE" | "UID REPLACE", 1)
            if outermost =>
        {
            Rule::Mailbox
        }
        ("SETACL", 2) => Rule::Rights,
        ("SETACL" | "DELETEACL" | "LISTRIGHTS" | "GETACL", _) => Rule::Private,
        ("LIST" | "LSUB" | "XLIST" | "RLIST" | "RLSUB", argument) => match place.depth {
            _ if has_returned => place.word(),
            0 => Rule::Mailbox,
            _ if argument == 0 => place.word(),
            _ => Rule::Mailbox,
        },
        ("APPEND" | "REPLACE" | "UID REPLACE", _) => match place.label {
            Label::Literal | Label::LiteralHeader => Rule::Mail,
            Label::Quoted if outermost => Rule::Date,
            Label::Quoted => Rule::Text,
            _ => Rule::Protocol,
        },
        ("ID", _) => identification(place),
        ("GETMETADATA" | "SETMETADATA", _) => metadata(place),
        ("SETANNOTATION" | "GETANNOTATION", _) => metadata(place),
        ("GETQUOTA" | "SETQUOTA", _) if outermost => Rule::Mailbox,
        (
            "SEARCH" | "UID SEARCH" | "SORT" | "UID SORT" | "THREAD" | "UID THREAD" | "ESEARCH",
            _,
        ) => search(place),
        ("GENURLAUTH" | "URLFETCH", _) => Rule::Text,
        ("NOTIFY" | "STORE" | "UID STORE", _) if place.is_string() => Rule::Mailbox,
        (name, _) if crate::protocol::imap::is_command(name) => place.word(),
        _ => Rule::Text,
    }
}

/// The rule of a search key, or of its argument (RFC 9051, section 6.4.4).
fn search(place: &Place<'_>) -> Rule {
    match place.before {
        ["SUBJECT", _] => Rule::Subject,
        ["FROM" | "TO" | "CC" | "BCC", _] => Rule::Address,
        ["BODY" | "TEXT" | "X-GM-RAW", _] => Rule::Text,
        ["X-GM-MSGID" | "X-GM-THRID" | "EMAILID" | "THREADID", _] => Rule::Text,
        ["X-GM-LABELS", _] => Rule::Mailbox,
        ["HEADER", _] => Rule::HeaderName,
        [_, "HEADER"] => Rule::Text,
        _ if place.before[0] == "MAILBOXES" || place.before[0] == "SUBTREE" => Rule::Mailbox,
        _ => place.word(),
    }
}

/// Names and values in turns (RFC 2971, section 3.1).
fn identification(place: &Place<'_>) -> Rule {
    match place.index % 2 {
        0 => Rule::Protocol,
        _ => Rule::Text,
    }
}

/// A mailbox, and entries with their values (RFC 5464, section 4).
fn metadata(place: &Place<'_>) -> Rule {
    match place.begins_with(b'/') {
        true => Rule::Protocol,
        false if place.depth == 0 => Rule::Mailbox,
        false if place.is_string() => Rule::Text,
        false => Rule::Protocol,
    }
}

/// The rules of an untagged response's data, FETCH excepted.
pub fn of_data(name: &str, place: &Place<'_>) -> Rule {
    let outermost = place.depth == 0;
    match (name, place.argument) {
        ("LIST" | "LSUB" | "XLIST" | "RLIST" | "RLSUB", 0) => place.word(),
        ("LIST" | "LSUB" | "XLIST" | "RLIST" | "RLSUB", 1) => place.delimiter(),
        ("LIST" | "LSUB" | "XLIST" | "RLIST" | "RLSUB", 2) => Rule::Mailbox,
        ("LIST" | "LSUB" | "XLIST" | "RLIST" | "RLSUB", _) => match place.before[0] {
            "OLDNAME" => Rule::Mailbox,
            _ => Rule::Protocol,
        },
        ("STATUS" | "ACL" | "MYRIGHTS" | "LISTRIGHTS" | "METADATA" | "ANNOTATION", 0)
        | ("QUOTA" | "QUOTAROOT", _)
            if outermost =>
        {
            Rule::Mailbox
        }
        ("STATUS" | "FLAGS" | "CAPABILITY" | "ENABLED" | "QUOTA" | "LANGUAGE", _) => {
            match place.label {
                Label::Quoted | Label::Literal => Rule::Text,
                _ => Rule::Protocol,
            }
        }
        ("COMPARATOR" | "EXISTS" | "RECENT" | "EXPUNGE" | "SEARCH" | "SORT" | "THREAD", _)
        | ("VANISHED" | "UIDBATCHES", _) => place.word(),
        ("ESEARCH", _) => match place.before[0] {
            "TAG" => Rule::Protocol,
            "MAILBOX" => Rule::Mailbox,
            _ => place.word(),
        },
        ("NAMESPACE", _) => namespace(place),
        ("ID", _) => identification(place),
        ("METADATA" | "ANNOTATION", _) => metadata(place),
        ("ACL", argument) if argument % 2 == 1 => Rule::Private,
        ("LISTRIGHTS", 1) => Rule::Private,
        ("ACL" | "LISTRIGHTS" | "MYRIGHTS", _) => Rule::Rights,
        _ => Rule::Text,
    }
}

/// Of each descriptor a prefix, a delimiter, and names of extensions with their values in turns (RFC 9051,
/// section 7.3.2): `("Public/" "/" "TRANSLATION" ("Gemeinsame/"))`.
fn namespace(place: &Place<'_>) -> Rule {
    const IN_A_DESCRIPTOR: usize = 2;
    match (place.depth, place.index) {
        (IN_A_DESCRIPTOR, 1) => place.delimiter(),
        (IN_A_DESCRIPTOR, index) if index > 1 && index % 2 == 0 => Rule::Protocol,
        _ => Rule::Mailbox,
    }
}

/// The rules of a response code's values.
pub fn of_a_code(name: &str, place: &Place<'_>) -> Rule {
    match name {
        "BADURL" | "NEWNAME" | "REFERRAL" | "MAILBOXID" | "JMAPACCESS" | "ALERT" => Rule::Text,
        _ if place.label == Label::Quoted => Rule::Protocol,
        _ => place.word(),
    }
}

/// The rules of a FETCH item's value: `item` is its name in upper case.
pub fn of_an_item(item: &str, place: &Place<'_>) -> Rule {
    let section = item
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(section, _)| section);
    match (item, section) {
        ("FLAGS" | "UID" | "MODSEQ" | "RFC822.SIZE", _) => place.word(),
        ("INTERNALDATE" | "SAVEDATE", _) => Rule::Date,
        ("X-GM-LABELS", _) => Rule::Mailbox,
        ("ENVELOPE", _) => match (place.depth, place.index) {
            (2, 0) => Rule::Date,
            (2, 1) => Rule::Subject,
            (2, _) => Rule::Text,
            _ => Rule::Address,
        },
        ("BODY" | "BODYSTRUCTURE", None) => match place.label {
            Label::Number => Rule::Stay,
            _ if is_free(&place.before[0].trim_matches('"').to_ascii_lowercase()) => {
                Rule::Parameter
            }
            _ => Rule::Mime,
        },
        ("ANNOTATION", _) => metadata(place),
        ("RFC822" | "RFC822.HEADER", _) => Rule::Mail,
        (_, Some(section)) if item.starts_with("BODY[") => match section {
            "" => Rule::Mail,
            section if section.contains("HEADER") || section.ends_with("MIME") => Rule::Mail,
            _ => Rule::Content,
        },
        (_, Some(_)) if item.starts_with("BINARY.SIZE") => Rule::Protocol,
        (_, Some(_)) => Rule::Content,
        ("RFC822.TEXT", _) => Rule::Content,
        _ => Rule::Text,
    }
}

/// Where a value's octets are: those of a literal, not its header's. `None` for what is none.
pub fn is_value(spans: &[Span], index: usize) -> bool {
    let next = spans.get(index + 1).map(|span| span.label);
    match spans[index].label {
        Label::LiteralHeader => next != Some(Label::Literal), // one that streamed
        Label::Secret(_) | Label::ListOpen | Label::ListClose => false,
        Label::CodeOpen | Label::CodeClose => false,
        _ => true,
    }
}
