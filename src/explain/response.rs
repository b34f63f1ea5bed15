//! A server's response in words, and the terms in it.
//!
//! ```text
//! S: * 55 EXISTS
//!    -- the mailbox holds 55 messages
//! ```

use super::items::Item;
use super::sentence::{Sentence, utf7_decoded};
use super::table::{Entry, Kind, entry};
use crate::event::{Code, Said, Status, Value};

/// Items of a FETCH response that are named.
const ITEMS: usize = 8;

/// Flags of a message that are named.
const FLAGS: usize = 12;

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

/// The first encoded word of a message, and what it stands for.
pub(super) fn encoded_word(word: &[u8]) -> Option<Sentence> {
    let decoded = crate::event::encoded_word::decoded(word)?;
    let words = Sentence::default().sent(word);
    Some(
        words
            .own(" is an encoded word for ")
            .sent(decoded.as_bytes()),
    )
}

/// A mailbox name of a LIST response in modified UTF-7, and what it stands for.
pub(super) fn encoded_name(said: &Said) -> Option<Sentence> {
    let arguments = said.arguments();
    let name = arguments.get(2)?.bytes()?;
    let decoded = utf7_decoded(name)?;
    let words = Sentence::default().sent(name);
    Some(words.own(" is modified UTF-7 for ").sent(&decoded))
}
