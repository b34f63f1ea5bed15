//! What `imap-codec` parses is read here with the same names and values.
//!
//! Messages are generated (by `imap-types`, in all their variants), written by `imap-codec`, parsed by
//! it, and the parsed value is told as the data that it should be. `imap-codec` is a strict parser: it
//! says nothing of what it does not take. Its own tests' lines (`own.txt`) and the examples of the RFCs
//! are compared likewise.

mod body;
mod commands;
mod heads;
mod keys;
mod own;
mod responses;
mod status;

use arbitrary::{Arbitrary, Unstructured};
use imap_codec::decode::Decoder;
use imap_codec::encode::{Encoder, Fragment};
use imap_codec::imap_types::auth::AuthMechanism;
use imap_codec::imap_types::command::{Command, CommandBody};
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
        tally.add(expected["status"].as_str().unwrap_or("number"));
        match &expected["code"] {
            Value::Null => {}
            Value::Object(_) => tally.add("code other"),
            code => tally.add(&format!("code {}", code[0].as_str().unwrap_or_default())),
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
    assert_same_login(&heard.reading, &parsed.body, &shown);
    let counted = match (name, bare) {
        ("UID EXPUNGE", _) => name,
        (_, bare) => bare,
    };
    if let Some((_, expected)) = commands::expected(&parsed.body) {
        let ours: Value = serde_json::from_str(&data(heard)).unwrap_or_default();
        assert_same(&simplified(ours), &simplified(expected), &shown);
        tally.add(counted);
    } else if commands::HEADS.contains(&counted) {
        assert_eq!(data(heard), "", "{shown}");
        tally.add(counted);
    }
}

/// Who logs in, and how; what else they say is masked.
fn assert_same_login(reading: &Reading, parsed: &CommandBody<'_>, shown: &str) {
    let Reading::Command {
        mechanism,
        identity,
        ..
    } = reading
    else {
        return;
    };
    match parsed {
        CommandBody::Login { username, .. } => {
            let username = String::from_utf8_lossy(username.as_ref());
            // One that nobody has is not told: it may be a password in the wrong place.
            let may_be = !username.is_empty() && username.bytes().all(|o| o.is_ascii_graphic());
            if may_be || identity.is_some() {
                assert_eq!(identity.as_deref(), Some(&*username), "{shown}");
            }
        }
        CommandBody::Authenticate {
            mechanism: theirs, ..
        } => {
            // A word that is no mechanism is masked: it may be a password in the wrong place.
            let is_known = !matches!(theirs, AuthMechanism::Other(_));
            let theirs = theirs.to_string().to_ascii_uppercase();
            let ours = mechanism.as_ref().map(|ours| ours.to_ascii_uppercase());
            if is_known || ours.is_some() {
                assert_eq!(ours, Some(theirs), "{shown}");
            }
        }
        _ => {}
    }
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
    tally.assert_complete(&["OK", "NO", "BAD", "BYE", "+", "number"]);
    tally.assert_complete(responses::NAMES);
    for code in status::CODES {
        tally.assert_complete(&[&format!("code {code}")]);
    }
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
    tally.assert_complete(commands::HEADS);
}
