//! What a response says, apart from how: the parts of it that have a meaning, each with its name.
//!
//! ```text
//! S: * 2 FETCH (UID 12 FLAGS (\Seen))      FETCH, of UID 12: message number 2, UID 12, FLAGS {\SEEN}
//! S: a4 OK [READ-WRITE] Select completed   answer: status OK, code READ-WRITE
//! ```
//!
//! Human-readable text is none of it, but where RFC 9051 (section 7.1) wants the user to see it: `ALERT`.

use std::collections::BTreeSet;

use super::digest::{Digest, digest};
use super::ignored::Ignored;
use super::meaning::Meaning;
use crate::event::{Reading, Said, Status, Value};
use crate::protocol::imap::sameness;

/// Part of how a leg is secured, which is not compared.
const OF_THE_LEG: [&[u8]; 2] = [b"STARTTLS", b"LOGINDISABLED"];

/// What a response says.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// `FETCH`, `OK`; `answer` for a tagged response.
    pub name: String,
    /// What it is about, so that two that say something else of the same are found.
    pub subject: Vec<u8>,
    /// What it says of it.
    pub parts: Vec<(String, Meaning)>,
}

impl Facts {
    /// What a response says. `number` stands in place of the number before its name, `long` has the
    /// digests of its streamed literals. `None` if it says nothing that has a meaning, or that is to be
    /// compared.
    pub fn of(
        said: &Said,
        number: Option<u64>,
        long: &[Digest],
        ignored: &Ignored,
    ) -> Option<Self> {
        let mut facts = Self::of_all(said, number, long)?;
        let is_code_ignored = || said.code().is_some_and(|code| ignored.has(&code.name));
        let is_untagged = matches!(said.reading, Reading::Untagged { .. });
        if ignored.has(&facts.name) || is_untagged && is_code_ignored() {
            return None;
        }
        if facts.name == "FETCH" && ignored.has("UID") {
            facts.subject = number.unwrap_or_default().to_string().into_bytes();
        }
        let is_kept = |(name, value): &(String, Meaning)| {
            !(ignored.has(name) || name == "code" && ignored.has(&value.shown()))
        };
        facts.parts.retain(is_kept);
        Some(facts)
    }

    fn of_all(said: &Said, number: Option<u64>, long: &[Digest]) -> Option<Self> {
        match &said.reading {
            Reading::Greeting { status } => Some(status_response("greeting", *status, said)),
            Reading::Tagged { status, .. } => Some(status_response("answer", *status, said)),
            Reading::Untagged {
                name,
                status: Some(status),
                ..
            } => {
                // How far a command has come (RFC 9585) is as little as no code.
                let code = said.code().filter(|code| code.name != "INPROGRESS");
                let says_nothing = *status == Status::Ok && code.is_none();
                (!says_nothing).then(|| status_response(name, Some(*status), said))
            }
            Reading::Untagged { name, .. } => Some(data(name, number, said, long)),
            Reading::ContinuationRequest { .. } => None,
            _ => Some(Self {
                name: "octets that could not be read".into(),
                subject: Vec::new(),
                parts: vec![("octets".into(), Meaning::octets(said.wire.bytes()))],
            }),
        }
    }

    /// What stands for it.
    pub fn digest(&self) -> Digest {
        digest(self)
    }

    /// Takes the other's parts too, where it speaks of other things of the same message.
    pub fn join(&mut self, other: Self) -> Result<(), Self> {
        let has = |name: &String| self.parts.iter().any(|(own, _)| own == name);
        let is_number = |name: &String| name == NUMBER;
        if other
            .parts
            .iter()
            .any(|(name, _)| has(name) && !is_number(name))
        {
            return Err(other);
        }
        if other.subject.starts_with(b"UID") {
            self.subject = other.subject;
        }
        let parts = other.parts.into_iter();
        self.parts
            .extend(parts.filter(|(name, _)| !is_number(name)));
        self.parts.sort();
        Ok(())
    }

    /// The value of a part.
    pub fn part(&self, name: &str) -> Option<&Meaning> {
        let part = self.parts.iter().find(|(own, _)| own == name);
        part.map(|(_, value)| value)
    }
}

/// The part that the number before the name is.
pub const NUMBER: &str = "number";

fn status_response(name: &str, status: Option<Status>, said: &Said) -> Facts {
    let mut parts = Vec::new();
    let word = status.map_or("none", Status::name);
    parts.push(("status".to_owned(), Meaning::octets(word.as_bytes())));
    let mut subject = Vec::new();
    if let Some(code) = said.code() {
        subject = code.name.clone().into_bytes();
        let mut values = meanings(&code.values, &[]);
        match &*code.name {
            "ALERT" => {
                let text = said.human_text().unwrap_or_default();
                parts.push(("ALERT".into(), Meaning::octets(text.as_bytes())));
            }
            "CAPABILITY" => parts.push((code.name, capabilities(values))),
            "PERMANENTFLAGS" | "BADCHARSET" => {
                let list = values.pop().unwrap_or(Meaning::Nil);
                parts.push((code.name, list.in_any_case().unordered()));
            }
            _ if values.is_empty() => parts.push(("code".into(), Meaning::octets(&subject))),
            _ if values.len() == 1 => parts.extend(values.pop().map(|value| (code.name, value))),
            _ => parts.push((code.name, Meaning::List(values))),
        }
    }
    Facts {
        name: name.to_owned(),
        subject,
        parts,
    }
}

fn meanings(values: &[Value<'_>], long: &[Digest]) -> Vec<Meaning> {
    let mut long = long.iter().copied();
    values
        .iter()
        .map(|value| Meaning::of(value, &mut long))
        .collect()
}

fn capabilities(names: Vec<Meaning>) -> Meaning {
    let names = names.into_iter().map(Meaning::in_any_case);
    let of_the_leg = |name: &Meaning| {
        name.bytes().is_some_and(|name| {
            OF_THE_LEG
                .iter()
                .any(|of_the_leg| name.eq_ignore_ascii_case(of_the_leg))
        })
    };
    Meaning::Set(names.filter(|name| !of_the_leg(name)).collect())
}

/// Untagged data.
fn data(name: &str, number: Option<u64>, said: &Said, long: &[Digest]) -> Facts {
    let values = said.arguments();
    let mailbox = |place: usize| {
        values
            .get(place)
            .and_then(sameness::mailbox)
            .unwrap_or_default()
    };
    let mut all = meanings(&values, long);
    let mut parts = Vec::new();
    let mut subject = Vec::new();
    if let Some(number) = number {
        let number = number.to_string().into_bytes();
        parts.push((NUMBER.to_owned(), Meaning::Octets(number)));
    }
    match name {
        "FETCH" => {
            subject = number.unwrap_or_default().to_string().into_bytes();
            let items = all.into_iter().next().map(Meaning::into_members);
            fetched(items.unwrap_or_default(), &mut subject, &mut parts);
        }
        "EXPUNGE" => subject = number.unwrap_or_default().to_string().into_bytes(),
        "LIST" | "LSUB" if all.len() >= 3 => {
            subject = mailbox(2);
            listed(all, &mut parts);
        }
        "STATUS" if all.len() == 2 => {
            subject = mailbox(0);
            pairs(all.pop().map(Meaning::into_members), &mut parts);
        }
        "ESEARCH" => found(all, &mut parts),
        "CAPABILITY" => parts.push(("capabilities".into(), capabilities(all))),
        "ENABLED" => parts.push((
            "capabilities".into(),
            Meaning::List(all).in_any_case().unordered(),
        )),
        "FLAGS" => {
            let flags = all.into_iter().flat_map(Meaning::into_members);
            let flags: BTreeSet<Meaning> = flags.map(Meaning::in_any_case).collect();
            parts.push(("flags".into(), Meaning::Set(flags)));
        }
        "SEARCH" => parts.push(("numbers".into(), Meaning::List(all).unordered())),
        "VANISHED" => {
            let set = all.pop().map(as_sequence_set).unwrap_or(Meaning::Nil);
            parts.push(("numbers".into(), set));
            parts.push(("EARLIER".into(), Meaning::List(all).in_any_case()));
        }
        "QUOTA" | "QUOTAROOT" | "METADATA" | "ACL" | "MYRIGHTS" | "LISTRIGHTS" => {
            subject = mailbox(0);
            parts.push(("data".into(), Meaning::List(all)));
        }
        "ID" => {}
        _ => parts.push(("data".into(), Meaning::List(all))),
    }
    parts.sort();
    Facts {
        name: name.to_owned(),
        subject,
        parts,
    }
}

/// A mailbox's attributes, in any order, its delimiter, and what extensions add behind its name.
fn listed(mut all: Vec<Meaning>, parts: &mut Vec<(String, Meaning)>) {
    let extended = all.split_off(3);
    let delimiter = all.swap_remove(1);
    let attributes = all.swap_remove(0).in_any_case().unordered();
    parts.push(("attributes".into(), attributes));
    parts.push(("delimiter".into(), delimiter));
    parts.push(("extended data".into(), Meaning::List(extended)));
}

/// A FETCH response's items, in any order.
fn fetched(items: Vec<Meaning>, subject: &mut Vec<u8>, parts: &mut Vec<(String, Meaning)>) {
    let before = parts.len();
    pairs(Some(items), parts);
    for (name, value) in &mut parts[before..] {
        match &**name {
            "FLAGS" => {
                *value = std::mem::replace(value, Meaning::Nil)
                    .in_any_case()
                    .unordered()
            }
            "X-GM-LABELS" => *value = std::mem::replace(value, Meaning::Nil).unordered(),
            "UID" => {
                *subject = b"UID ".to_vec();
                subject.extend_from_slice(value.bytes().unwrap_or_default());
            }
            _ => {}
        }
    }
}

/// Names and values in turns, in any order.
fn pairs(items: Option<Vec<Meaning>>, parts: &mut Vec<(String, Meaning)>) {
    let mut items = items.unwrap_or_default().into_iter();
    while let Some(name) = items.next() {
        // Header fields may be quoted in it: `BODY[HEADER.FIELDS ("DATE")]`.
        let name = name.shown().to_ascii_uppercase().replace('"', "");
        parts.push((name, items.next().unwrap_or(Meaning::Nil)));
    }
}

/// `(TAG "a1") UID MIN 2 ALL 2,4:6`; the tag is a tag.
fn found(all: Vec<Meaning>, parts: &mut Vec<(String, Meaning)>) {
    let mut rest = all.into_iter().peekable();
    rest.next_if(|first| matches!(first, Meaning::List(_)));
    let is_uid = |word: &Meaning| {
        word.bytes()
            .is_some_and(|word| word.eq_ignore_ascii_case(b"UID"))
    };
    if rest.next_if(is_uid).is_some() {
        parts.push(("numbers are".into(), Meaning::octets(b"UIDs")));
    }
    let before = parts.len();
    pairs(Some(rest.collect()), parts);
    for (name, value) in &mut parts[before..] {
        if name == "ALL" {
            *value = as_sequence_set(std::mem::replace(value, Meaning::Nil));
        }
    }
}

/// `3,1:2` as `1:3`.
fn as_sequence_set(value: Meaning) -> Meaning {
    let text = value.bytes().unwrap_or_default();
    match sameness::set(&Value::Atom(text)) {
        None => value,
        Some(ranges) => {
            let ranges = ranges.into_iter().map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}:{last}"),
            });
            Meaning::Octets(ranges.collect::<Vec<_>>().join(",").into_bytes())
        }
    }
}
