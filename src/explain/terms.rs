//! The terms in a message that are worth a word of their own, each as it is written there.
//!
//! What is a term depends on the place: `STATUS` in LIST's RETURN is an option, `UNSEEN` in STATUS an
//! item. Terms that the table does not have are left out.

use super::command::Command;
use super::items::{Item, asked};
use super::lookup;
use super::table::{Entry, Kind, entry};
use crate::event::{Code, Label, Said, Value};

/// Literals of a message in which encoded words are looked for.
const LITERALS: usize = 4;

/// Octets of each in which they are.
const LOOKED_AT: usize = 4096;

/// A term as it is written, and what the table says.
pub(super) type Term = (Vec<u8>, &'static Entry);

/// The terms in a command that are worth a word of their own, each as it is written.
pub(super) fn of_command(command: &Command<'_>, said: &Said) -> Vec<Term> {
    let mut terms = Vec::new();
    let arguments = command.arguments;
    let name = command.name.strip_prefix("UID ").unwrap_or(command.name);
    let mut every = |kind: Kind, values: &[Value<'_>]| every_atom(&mut terms, kind, values);
    match name {
        "SELECT" | "EXAMINE" => every(Kind::Option, arguments.last().map_or(&[], Value::members)),
        "STATUS" => every(
            Kind::StatusItem,
            arguments.last().map_or(&[], Value::members),
        ),
        "AUTHENTICATE" => every(Kind::Mechanism, &arguments[..arguments.len().min(1)]),
        "ENABLE" => every(Kind::Capability, arguments),
        "APPEND" => every(Kind::Flag, arguments.get(1).map_or(&[], Value::members)),
        "LIST" => {
            let is_return = |value: &Value<'_>| value.is_word("RETURN");
            let place = arguments.iter().position(is_return);
            let returned = place.and_then(|place| arguments.get(place + 1));
            every(Kind::Option, arguments.first().map_or(&[], Value::members));
            every(Kind::Option, returned.map_or(&[], Value::members));
        }
        "STORE" => {
            for argument in arguments.iter().skip(1) {
                every(Kind::Option, argument.members());
                every(Kind::Flag, argument.members());
                every(Kind::Flag, std::slice::from_ref(argument));
            }
        }
        "FETCH" => fetched(&mut terms, arguments),
        "SETACL" => rights(&mut terms, arguments.get(2..).unwrap_or_default()),
        "GETMETADATA" | "SETMETADATA" => annotated(&mut terms, arguments),
        "NOTIFY" => notified(&mut terms, arguments),
        _ => {}
    }
    terms.extend(literals(said));
    terms
}

/// The letters of rights: `lrs`, `+lrs`.
fn rights(terms: &mut Vec<Term>, values: &[Value<'_>]) {
    for octet in values.iter().filter_map(Value::bytes).flatten() {
        let letter = char::from(*octet).to_string();
        if let Some(known) = entry(Kind::AclRight, &letter) {
            push(terms, &[*octet], known);
        }
    }
}

/// The entries of GETMETADATA, SETMETADATA and METADATA, which alone begin with a slash there but for
/// mailboxes: the first argument that is no list.
fn annotated(terms: &mut Vec<Term>, arguments: &[Value<'_>]) {
    let is_name = |value: &&Value<'_>| !matches!(value, Value::List(_));
    let mailbox = arguments.iter().position(|value| is_name(&value));
    let behind = &arguments[mailbox.map_or(arguments.len(), |mailbox| mailbox + 1)..];
    let names = behind.iter().flat_map(|value| match value {
        Value::List(members) => members.as_slice(),
        value => std::slice::from_ref(value),
    });
    for octets in names.filter_map(Value::bytes) {
        let name = std::str::from_utf8(octets).ok();
        if let Some(known) = name.and_then(lookup::metadata_entry) {
            push(terms, octets, known);
        }
    }
}

/// Mailboxes and events: `(selected (MessageNew (UID) MessageExpunge))`.
fn notified(terms: &mut Vec<Term>, arguments: &[Value<'_>]) {
    for group in arguments.iter().map(Value::members) {
        every_atom(
            terms,
            Kind::MailboxFilter,
            group.get(..1).unwrap_or_default(),
        );
        every(terms, Kind::NotifyEvent, group.get(1..).unwrap_or_default());
    }
}

/// The items that FETCH asks for, and its modifiers.
fn fetched(terms: &mut Vec<Term>, arguments: &[Value<'_>]) {
    let wanted = arguments.get(1).map(asked).unwrap_or_default();
    let known = wanted.iter().filter(|item| !item.is_macro());
    for known in known.filter_map(Item::entry) {
        push(terms, known.term.as_bytes(), known);
    }
    every_atom(terms, Kind::FetchItem, names(arguments.get(2)));
}

/// The terms in a response that are worth a word of their own, each as it is written.
pub(super) fn of_response(said: &Said, name: &str, code: Option<&Code<'_>>) -> Vec<Term> {
    let arguments = said.arguments();
    let mut terms = Vec::new();
    match name {
        "CAPABILITY" | "ENABLED" => capabilities(&mut terms, &arguments),
        "FLAGS" => every(&mut terms, Kind::Flag, &arguments),
        "LIST" | "LSUB" | "XLIST" => {
            let attributes = arguments.first().map_or(&[][..], Value::members);
            every(&mut terms, Kind::MailboxAttribute, attributes);
        }
        "STATUS" => every(&mut terms, Kind::StatusItem, names(arguments.get(1))),
        "QUOTA" => every(&mut terms, Kind::QuotaResource, names(arguments.get(1))),
        "FETCH" | "UIDFETCH" => items(&mut terms, arguments.first()),
        "MYRIGHTS" => rights(&mut terms, arguments.get(1..).unwrap_or_default()),
        "LISTRIGHTS" => rights(&mut terms, arguments.get(2..).unwrap_or_default()),
        "ACL" => {
            for entry in arguments.get(1..).unwrap_or_default().chunks(2) {
                rights(&mut terms, entry.get(1..).unwrap_or_default());
            }
        }
        "METADATA" => annotated(&mut terms, &arguments),
        _ => {}
    }
    match code.map(|code| (code.name.as_str(), &code.values)) {
        Some(("CAPABILITY", values)) => capabilities(&mut terms, values),
        Some(("PERMANENTFLAGS", values)) => every(&mut terms, Kind::Flag, values),
        Some(("UIDVALIDITY" | "UIDNEXT" | "APPENDUID" | "COPYUID", _)) => also(&mut terms, "UID"),
        Some(("HIGHESTMODSEQ", _)) => also(&mut terms, "MODSEQ"),
        _ => {}
    }
    terms.extend(literals(said));
    terms.extend(encoded_word(said));
    terms
}

fn names<'a>(list: Option<&'a Value<'a>>) -> &'a [Value<'a>] {
    list.map_or(&[], Value::members)
}

/// Those of a kind, one level of lists deep.
fn every(terms: &mut Vec<Term>, kind: Kind, values: &[Value<'_>]) {
    for value in values {
        match value {
            Value::List(members) => every_atom(terms, kind, members),
            value => every_atom(terms, kind, std::slice::from_ref(value)),
        }
    }
}

fn every_atom(terms: &mut Vec<Term>, kind: Kind, values: &[Value<'_>]) {
    for octets in values.iter().filter_map(Value::bytes) {
        let term = std::str::from_utf8(octets).ok();
        let found = term.and_then(|term| entry(kind, term));
        if let Some(found) = found {
            push(terms, octets, found);
        }
    }
}

/// `AUTH=PLAIN` is explained by the mechanism, where that is known.
fn capabilities(terms: &mut Vec<Term>, values: &[Value<'_>]) {
    for octets in values.iter().filter_map(Value::bytes) {
        let Ok(term) = std::str::from_utf8(octets) else {
            continue;
        };
        let is_login = term
            .get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case("AUTH="));
        let mechanism = is_login
            .then(|| entry(Kind::Mechanism, &term[5..]))
            .flatten();
        let found = mechanism.or_else(|| lookup::capability(term));
        if let Some(found) = found {
            push(terms, octets, found);
        }
    }
}

fn items(terms: &mut Vec<Term>, list: Option<&Value<'_>>) {
    for pair in names(list).chunks(2) {
        let item = pair[0].bytes().map(Item::read);
        let item = item.filter(|item| !item.answers_either_way());
        let found = item.and_then(|item| item.entry());
        if let Some(found) = found {
            push(terms, found.term.as_bytes(), found);
        }
        if pair[0].is_word("FLAGS") {
            every(terms, Kind::Flag, &pair[1..]);
        }
    }
}

/// What the reader has to know to understand a response code.
fn also(terms: &mut Vec<Term>, item: &str) {
    let found = entry(Kind::FetchItem, item);
    terms.extend(found.map(|found| (found.term.as_bytes().to_vec(), found)));
}

/// The first encoded word in a message's literals (RFC 2047), as far as somebody would look.
pub(super) fn encoded_word(said: &Said) -> Option<Term> {
    let known = entry(Kind::Syntax, "=?...?=")?;
    let literals = said
        .spans
        .iter()
        .filter(|span| span.label == Label::Literal);
    for literal in literals.take(LITERALS) {
        let octets = said.span_bytes(literal);
        let octets = &octets[..octets.len().min(LOOKED_AT)];
        let Some(start) = memchr::memmem::find(octets, b"=?") else {
            continue;
        };
        let mut words = octets[start..].split(u8::is_ascii_whitespace);
        let word = words.next().filter(|word| word.ends_with(b"?="));
        if let Some(word) = word {
            return Some((word.to_vec(), known));
        }
    }
    None
}

/// The first literal of a message, by its header.
fn literals(said: &Said) -> Option<Term> {
    let is_header = |span: &&crate::event::Span| span.label == Label::LiteralHeader;
    let header = said.spans.iter().find(is_header)?;
    let octets = said.span_bytes(header).trim_ascii_end();
    let form = lookup::syntax(std::str::from_utf8(octets).ok()?)?;
    Some((octets.to_vec(), entry(Kind::Syntax, form)?))
}

/// Adds a term that is not there yet: a line may name the same one without end.
fn push(terms: &mut Vec<Term>, written: &[u8], known: &'static Entry) {
    if terms.iter().all(|(_, other)| other.index != known.index) {
        terms.push((written.to_vec(), known));
    }
}
