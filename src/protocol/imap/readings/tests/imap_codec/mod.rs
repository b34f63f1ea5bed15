//! What `imap-codec` parses is read here with the same names and values.
//!
//! Messages are generated (by `imap-types`, in all their variants), written by `imap-codec`, parsed by
//! it, and the parsed value is told as the data that it should be. `imap-codec` is a strict parser: it
//! says nothing of what it does not take.

mod body;
mod commands;
mod keys;
mod responses;
mod status;

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::decode::Decoder;
use imap_codec::encode::{Encoder, Fragment};
use imap_codec::imap_types::command::Command;
use imap_codec::imap_types::core::{AString, IString, LiteralMode, NString};
use imap_codec::imap_types::mailbox::Mailbox;
use imap_codec::imap_types::response::Response;
use imap_codec::imap_types::sequence::{SeqOrUid, Sequence, SequenceSet};
use imap_codec::{CommandCodec, ResponseCodec};
use serde_json::{Map, Value, json};

use super::{Peer, data, said, schema};
use crate::event::Reading;

/// Octets that a generated message is made of.
const SEED: usize = 1024;

/// As many octets as are asked for, the same in every run.
fn seed(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let octets = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 56) as u8
    });
    octets.take(SEED).collect()
}

/// An array of strings.
fn texts<'a, T: AsRef<[u8]> + 'a>(all: impl IntoIterator<Item = &'a T>) -> Value {
    all.into_iter().map(text).collect()
}

fn text<T: AsRef<[u8]>>(text: &T) -> Value {
    json!(String::from_utf8_lossy(text.as_ref()))
}

fn astring(string: &AString<'_>) -> Value {
    match string {
        AString::Atom(atom) if atom.as_ref().eq_ignore_ascii_case("NIL") => json!("NIL"),
        string => text(string),
    }
}

fn nstring(string: &NString<'_>) -> Value {
    string.0.as_ref().map_or(Value::Null, text)
}

fn mailbox(mailbox: &Mailbox<'_>) -> Value {
    match mailbox {
        Mailbox::Inbox => json!("INBOX"),
        Mailbox::Other(other) => astring(other.inner()),
    }
}

fn set(set: &SequenceSet) -> Value {
    let number = |number: &SeqOrUid| match number {
        SeqOrUid::Value(number) => number.to_string(),
        SeqOrUid::Asterisk => "*".to_owned(),
    };
    let ranges = set.0.as_ref().iter().map(|range| match range {
        Sequence::Single(one) => number(one),
        Sequence::Range(first, last) => format!("{}:{}", number(first), number(last)),
    });
    json!(ranges.collect::<Vec<_>>().join(","))
}

/// Names and strings as an object; in turns where a name comes twice.
fn pairs(pairs: &[(IString<'_>, Value)]) -> Value {
    let mut names = std::collections::HashSet::new();
    let lower = |name: &IString<'_>| name.as_ref().to_ascii_lowercase();
    if !pairs.iter().all(|(name, _)| names.insert(lower(name))) {
        return Value::Null;
    }
    let key = |name: &IString<'_>| String::from_utf8_lossy(name.as_ref()).into_owned();
    let object: Map<String, Value> = pairs
        .iter()
        .map(|(name, value)| (key(name), value.clone()))
        .collect();
    json!(object)
}

/// What we add, and two ways to say one thing: of parentheses around a single key, `imap-codec` does
/// not tell.
fn simplified(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(simplified).collect(),
        Value::Object(members) => {
            let members = members
                .into_iter()
                .filter(|(name, _)| !name.ends_with("_decoded"));
            let members: Map<String, Value> = members
                .map(|(name, value)| (without_section(name), simplified(value)))
                .collect();
            match members.get("keys").and_then(Value::as_array) {
                Some(keys) if keys.len() == 1 && members.len() == 1 => keys[0].clone(),
                _ => Value::Object(members),
            }
        }
        value => value,
    }
}

/// `BODY[`: a section can be spelled in more than one way.
fn without_section(name: String) -> String {
    match ["BODY[", "BINARY["]
        .iter()
        .find(|item| name.starts_with(**item))
    {
        Some(item) => (*item).to_owned(),
        None => name,
    }
}

/// What the messages are compared by: how many, and of how many kinds.
#[derive(Default)]
struct Tally(std::collections::BTreeMap<String, usize>);

impl Tally {
    fn add(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }

    fn assert_complete(&self, names: &[&str]) {
        for name in names {
            assert!(self.0.contains_key(*name), "no {name} in {:?}", self.0);
        }
    }
}

/// As `imap-codec` tells it: of names that are told apart without regard to case in the usual spelling,
/// of days with two digits.
fn usual(value: &Value) -> Value {
    let mut text = value.to_string().to_ascii_lowercase();
    for day in 1..=9 {
        text = text.replace(&format!("\"{day}-"), &format!("\"0{day}-"));
    }
    serde_json::from_str(&text).unwrap_or_default()
}

fn assert_same(ours: &Value, expected: &Value, shown: &str) {
    if usual(ours) != usual(expected) {
        assert_eq!(ours, expected, "{shown}");
    }
}

fn compare_response(wire: &[u8], parsed: &Response<'_>, tally: &mut Tally) {
    let heard = said(&[(Peer::Server, wire)]);
    let shown = String::from_utf8_lossy(wire);
    let [heard] = heard.as_slice() else {
        panic!("{} messages: {shown}", heard.len());
    };
    schema::assert_valid(heard);
    if let Some(expected) = status::expected(parsed) {
        assert_same(&status::ours(heard, &expected), &expected, &shown);
        tally.add("head");
        if !expected["code"].is_null() {
            tally.add("code");
        }
    }
    if let Some((name, expected)) = responses::expected(parsed) {
        let ours: Value = serde_json::from_str(&data(heard)).unwrap_or_default();
        assert_same(&simplified(ours), &expected, &shown);
        tally.add(name);
    }
}

fn compare_command(
    steps: &[(Peer, Vec<u8>)],
    wire: &[u8],
    parsed: &Command<'_>,
    tally: &mut Tally,
) {
    let steps: Vec<(Peer, &[u8])> = steps.iter().map(|(from, o)| (*from, &o[..])).collect();
    let heard = said(&steps);
    let heard = heard.iter().rfind(|said| said.from == Peer::Client);
    let heard = heard.expect("the command");
    let shown = String::from_utf8_lossy(wire);
    schema::assert_valid(heard);
    let Reading::Command { tag, name, .. } = &heard.reading else {
        panic!("no command: {shown}");
    };
    assert_eq!(tag.as_deref(), Some(parsed.tag.as_ref()), "{shown}");
    let name = name.as_deref().unwrap_or_default();
    let bare = name.strip_prefix("UID ").unwrap_or(name);
    assert_eq!(bare, parsed.body.name(), "{shown}");
    if let Some((name, expected)) = commands::expected(&parsed.body) {
        let ours: Value = serde_json::from_str(&data(heard)).unwrap_or_default();
        assert_same(&simplified(ours), &simplified(expected), &shown);
        tally.add(name);
    }
}

/// The lines of the RFCs' examples, as far as `imap-codec` takes them.
#[test]
fn the_examples_are_read_as_imap_codec_reads_them() {
    const EXAMPLES: [&str; 4] = [
        include_str!("../../../conversations/rfc/rfc3501.txt"),
        include_str!("../../../conversations/rfc/rfc5464.txt"),
        include_str!("../../../conversations/rfc/rfc7162.txt"),
        include_str!("../../../conversations/rfc/rfc9051.txt"),
    ];
    let mut tally = Tally::default();
    for line in EXAMPLES.iter().flat_map(|example| example.lines()) {
        if let Some(line) = line.strip_prefix("S: ") {
            let wire = format!("{line}\r\n").into_bytes();
            if let Ok((b"", parsed)) = ResponseCodec::default().decode(&wire) {
                compare_response(&wire, &parsed, &mut tally);
            }
        } else if let Some(line) = line.strip_prefix("C: ") {
            let wire = format!("{line}\r\n").into_bytes();
            if let Ok((b"", parsed)) = CommandCodec::default().decode(&wire) {
                compare_command(&[(Peer::Client, wire.clone())], &wire, &parsed, &mut tally);
            }
        }
    }
    tally.assert_complete(&[
        "APPENDUID",
        "FETCH",
        "LIST",
        "METADATA",
        "SEARCH",
        "SELECT",
        "STORE",
        "code",
    ]);
}

#[test]
fn responses_are_read_as_imap_codec_reads_them() {
    let mut tally = Tally::default();
    for number in 0..12_000 {
        let octets = seed(number);
        let Ok(response) = Response::arbitrary(&mut Unstructured::new(&octets)) else {
            continue;
        };
        let wire = ResponseCodec::default().encode(&response).dump();
        let Ok((b"", parsed)) = ResponseCodec::default().decode(&wire) else {
            continue;
        };
        compare_response(&wire, &parsed, &mut tally);
    }
    tally.assert_complete(&["code", "head"]);
    tally.assert_complete(responses::NAMES);
}

#[test]
fn commands_are_read_as_imap_codec_reads_them() {
    let mut tally = Tally::default();
    for number in 0..12_000 {
        let octets = seed(number);
        let Ok(command) = Command::arbitrary(&mut Unstructured::new(&octets)) else {
            continue;
        };
        let mut steps: Vec<(Peer, Vec<u8>)> = Vec::new();
        for fragment in CommandCodec::default().encode(&command) {
            match fragment {
                Fragment::Line { data } => steps.push((Peer::Client, data)),
                Fragment::Literal { data, mode } => {
                    if mode == LiteralMode::Sync {
                        steps.push((Peer::Server, b"+ go\r\n".to_vec()));
                    }
                    steps.push((Peer::Client, data));
                }
            }
        }
        let from_client = steps.iter().filter(|(from, _)| *from == Peer::Client);
        let wire: Vec<u8> = from_client.flat_map(|(_, octets)| octets.clone()).collect();
        let Ok((b"", parsed)) = CommandCodec::default().decode(&wire) else {
            continue;
        };
        compare_command(&steps, &wire, &parsed, &mut tally);
    }
    tally.assert_complete(commands::NAMES);
}
