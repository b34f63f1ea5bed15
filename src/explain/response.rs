//! A server's response in words, and the terms in it.
//!
//! ```text
//! S: * 55 EXISTS
//!    -- the mailbox holds 55 messages
//! ```

use super::items::Item;
use super::lookup;
use super::sentence::{Sentence, utf7_decoded};
use super::table::{Entry, Kind, entry};
use crate::event::{Code, Label, Said, Status, Value};

/// Items of a FETCH response that are named.
const ITEMS: usize = 8;

/// Flags of a message that are named.
const FLAGS: usize = 12;

/// Literals of a message in which encoded words are looked for.
const LITERALS: usize = 4;

/// Octets of each in which they are.
const LOOKED_AT: usize = 4096;

/// What is said of a response in this place.
pub(super) struct Placed {
    pub(super) sentence: Sentence,
    /// Tells what was said already: the same is not said twice.
    pub(super) key: &'static str,
    /// `RFC 9051, 7.4.1`
    pub(super) source: &'static str,
}

impl Placed {
    pub(super) fn new(key: &'static str, source: &'static str, sentence: Sentence) -> Self {
        Self {
            sentence,
            key,
            source,
        }
    }

    fn of(entry: &'static Entry, sentence: Sentence) -> Self {
        Self::new(entry.sentence, entry.source, sentence)
    }
}

/// The key of what is said of untagged data of this name, where that is always the same.
pub(super) fn key(name: &str) -> &'static str {
    entry(Kind::Response, name).map_or("", |known| known.sentence)
}

/// Untagged data, the answer to the command of this name, where that is known.
pub(super) fn untagged(
    said: &Said,
    name: &str,
    number: Option<u64>,
    asked_by: Option<&str>,
) -> Option<Placed> {
    let known = entry(Kind::Response, name)?;
    let by_uid = asked_by.is_some_and(|command| command.starts_with("UID "));
    let sentence = match (name, number) {
        ("EXISTS", Some(1)) => Sentence::new("the mailbox holds 1 message"),
        ("EXISTS", Some(number)) => Sentence::new(format!("the mailbox holds {number} messages")),
        ("RECENT", Some(0)) => Sentence::new("no message is new since the last session"),
        ("RECENT", Some(1)) => Sentence::new("1 message is new since the last session"),
        ("RECENT", Some(number)) => {
            Sentence::new(format!("{number} messages are new since the last session"))
        }
        ("EXPUNGE", Some(number)) => Sentence::new(format!(
            "message {number} is gone, and each higher number is one less from now on"
        )),
        ("FETCH" | "UIDFETCH", Some(number)) => fetched(said, name, number),
        ("LIST" | "LSUB" | "XLIST", _) => listed(said)?,
        ("SEARCH" | "SORT", _) => return Some(found(said, known, by_uid)),
        ("STATUS", _) => Sentence::new("counts of the mailbox ").mailbox(said.arguments().first()?),
        _ => Sentence::new(known.phrase()),
    };
    Some(Placed::of(known, sentence))
}

/// `* SEARCH 4388 4390`, which are numbers or UIDs as the command had it.
fn found(said: &Said, known: &'static Entry, by_uid: bool) -> Placed {
    let arguments = said.arguments();
    let count = arguments.iter().filter_map(Value::number).count();
    let (key, kind) = match by_uid {
        true => ("found by UID", "UID"),
        false => ("found by number", "number"),
    };
    let words = match count {
        0 => "no message fits".to_owned(),
        1 => format!("1 message fits, and this is its {kind}"),
        count => format!("{count} messages fit, and these are their {kind}s"),
    };
    let words = match (count, by_uid) {
        (1.., false) => words + "; numbers count the mailbox's messages from 1 on",
        _ => words,
    };
    let key = if count == 0 { "found nothing" } else { key };
    Placed::new(key, known.source, Sentence::new(words))
}

/// `* LIST (\HasNoChildren) "/" INBOX`
fn listed(said: &Said) -> Option<Sentence> {
    let arguments = said.arguments();
    let [_, delimiter, name, ..] = arguments.as_slice() else {
        return None;
    };
    let words = Sentence::new("there is a mailbox ").mailbox(name);
    Some(match delimiter {
        Value::Nil => words.own("; names have one level only"),
        delimiter => words
            .own("; ")
            .value(delimiter)
            .own(" stands between the levels of names"),
    })
}

/// `* 53 FETCH (UID 4388 FLAGS ())`
fn fetched(said: &Said, name: &str, number: u64) -> Sentence {
    let words = match name {
        "UIDFETCH" => format!("data of the message with UID {number}: "),
        _ => format!("data of message {number}: "),
    };
    let arguments = said.arguments();
    let items = arguments
        .iter()
        .find(|value| matches!(value, Value::List(_)))
        .map_or(&[][..], Value::members);
    let items = items.chunks(2).take(ITEMS).map(|item| match item {
        [name, Value::Number(number)] => {
            let is_long = name.bytes().is_some_and(|name| name.contains(&b'['));
            let between = if is_long { ": " } else { " " };
            one_item(name).own(format!("{between}{number}"))
        }
        [name, Value::List(flags)] if name.is_word("FLAGS") && flags.is_empty() => {
            Sentence::new("no flags")
        }
        [name, Value::List(flags)] if name.is_word("FLAGS") => {
            let words = Sentence::new("the flags");
            let flags = flags.iter().take(FLAGS);
            flags.fold(words, |words, flag| words.own(" ").value(flag))
        }
        [name, Value::List(number)] if matches!(number[..], [Value::Number(_)]) => {
            one_item(name).own(" ").value(&number[0])
        }
        [name, ..] => one_item(name),
        [] => Sentence::default(),
    });
    Sentence::new(words).with(Sentence::list(items, " and "))
}

fn one_item(name: &Value<'_>) -> Sentence {
    match name.bytes() {
        Some(name) => Item::read(name).words(),
        None => Sentence::default().value(name),
    }
}

/// An untagged status response, by its code or by its status.
pub(super) fn status_response(status: Status, code: Option<&Code<'_>>) -> Option<Placed> {
    if let Some(code) = code {
        let known = entry(Kind::ResponseCode, &code.name)?;
        let phrase = Sentence::new(known.phrase());
        return Some(Placed::of(known, phrase));
    }
    let sentence = match status {
        Status::Ok => "information for people; only an answer with a tag ends a command",
        Status::No => "a warning for people; only an answer with a tag ends a command",
        _ => return entry(Kind::Response, status.name()).map(whole),
    };
    let known = entry(Kind::Response, status.name())?;
    Some(Placed::new(sentence, known.source, Sentence::new(sentence)))
}

/// All that the table says.
pub(super) fn whole(entry: &'static Entry) -> Placed {
    Placed::of(entry, Sentence::new(entry.phrase()))
}

/// What the end of a command means, by the command's name.
pub(super) fn tagged(tag: &str, status: Option<Status>, command: Option<&str>) -> Option<Placed> {
    let known = entry(Kind::Response, status?.name())?;
    let placed = |key, sentence| Some(Placed::new(key, known.source, sentence));
    let the_command = || match command {
        Some(command) => Sentence::default().sent(command.as_bytes()),
        None => Sentence::new("the command"),
    };
    match (status?, command) {
        (Status::Ok, Some("LOGIN" | "AUTHENTICATE")) => Some(Placed::new(
            "logged in",
            "RFC 9051, 3.2",
            Sentence::new("logged in: mailboxes can be listed and opened from now on"),
        )),
        (Status::Ok, Some("SELECT" | "EXAMINE")) => Some(Placed::new(
            "selected",
            "RFC 9051, 3.3",
            Sentence::new("the mailbox is open: its messages can be asked for from now on"),
        )),
        (Status::Ok, Some("STARTTLS")) => placed(
            "starttls",
            Sentence::new("both sides begin with TLS right behind this line"),
        ),
        (Status::Ok, _) => {
            let words = Sentence::default().sent(tag.as_bytes());
            placed(
                "ok",
                words.own(" succeeded: an answer with its tag ends a command"),
            )
        }
        (Status::No, _) => placed(
            "no",
            the_command().own(" failed, and nothing is wrong with the way it was said"),
        ),
        (Status::Bad, _) => placed(
            "bad",
            Sentence::new("the server could not read ")
                .with(the_command())
                .own(", or does not allow it at this moment: a mistake of the app's"),
        ),
        (Status::Preauth | Status::Bye, _) => None,
    }
}

/// What is said of a command that failed once it is known what NO and BAD mean.
pub(super) fn failed_again(status: Status, command: &str) -> Option<Sentence> {
    let command = Sentence::default().sent(command.as_bytes());
    match status {
        Status::No => Some(command.own(" failed")),
        Status::Bad => Some(command.own(" was not understood or is not allowed")),
        _ => None,
    }
}

/// The terms in a response that are worth a word of their own, each as it is written.
pub(super) fn terms(said: &Said, name: &str, code: Option<&Code<'_>>) -> Vec<Term> {
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

/// A term as it is written, and what the table says.
pub(super) type Term = (Vec<u8>, &'static Entry);

/// Adds a term that is not there yet: a line may name the same one without end.
pub(super) fn push(terms: &mut Vec<Term>, written: &[u8], known: &'static Entry) {
    if terms.iter().all(|(_, other)| other.index != known.index) {
        terms.push((written.to_vec(), known));
    }
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
fn encoded_word(said: &Said) -> Option<Term> {
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
pub(super) fn literals(said: &Said) -> Option<Term> {
    let is_header = |span: &&crate::event::Span| span.label == Label::LiteralHeader;
    let header = said.spans.iter().find(is_header)?;
    let octets = said.span_bytes(header).trim_ascii_end();
    let form = lookup::syntax(std::str::from_utf8(octets).ok()?)?;
    Some((octets.to_vec(), entry(Kind::Syntax, form)?))
}

/// A mailbox name of a LIST response in modified UTF-7, and what it stands for.
pub(super) fn encoded_name(said: &Said) -> Option<Sentence> {
    let arguments = said.arguments();
    let name = arguments.get(2)?.bytes()?;
    let decoded = utf7_decoded(name)?;
    let words = Sentence::default().sent(name);
    Some(words.own(" is modified UTF-7 for ").sent(&decoded))
}
