//! Whole conversations as bytes, and what is read from them: whole, at every split, byte by byte,
//! and again from what was recorded.

mod again;
mod attribution;
mod compress;
mod crossing;
mod doubt;
mod every;
mod faults;
mod found;
mod framing;
pub(crate) mod random;
mod rfc;
mod secrets;
mod session;
mod upgrade;

use super::Observer;
use crate::event::{
    Awaited, Body, Draft, Event, Gate, Micros, Numbers, Peer, Piece, Reading, RecordedMessage,
    Relation, Secrets,
};
use crate::protocol::Protocol;

/// Reads a conversation; the time is the step's number.
pub(super) fn read(observer: &mut Observer, steps: &[(Peer, &[u8])]) -> Vec<Event> {
    let mut drafts = Vec::new();
    for (step, (from, bytes)) in steps.iter().enumerate() {
        observer.observe(*from, bytes, Micros(step as u64), &mut drafts);
    }
    let end = Micros(steps.len() as u64);
    observer.ended(Peer::Client, end, &mut drafts);
    observer.ended(Peer::Server, end, &mut drafts);
    number(drafts)
}

pub(super) fn number(drafts: Vec<Draft>) -> Vec<Event> {
    let mut numbers = Numbers::new(1);
    drafts
        .into_iter()
        .zip(1..)
        .map(|(draft, n)| numbers.number(draft, n))
        .collect()
}

/// One line an event: kind, what was read, relation, and the sealed octets.
pub(super) fn told(events: &[Event]) -> Vec<String> {
    events.iter().map(tell).collect()
}

fn tell(event: &Event) -> String {
    let said = match &event.body {
        Body::Said(said) => said,
        Body::Note(note) => return format!("note {}", note.id),
        _ => return "other".into(),
    };
    let mut line = match &said.reading {
        Reading::Greeting { status } => format!("greeting {}", name(*status)),
        Reading::Command {
            tag,
            name,
            mechanism,
            identity,
            refused,
        } => {
            let mut line = format!(
                "command {} {}",
                tag.as_deref().unwrap_or("-"),
                name.as_deref().unwrap_or("-")
            );
            for (word, value) in [("mechanism", mechanism), ("identity", identity)] {
                if let Some(value) = value {
                    line += &format!(" {word}={value}");
                }
            }
            if *refused {
                line += " refused";
            }
            line
        }
        Reading::ContinuationRequest { awaited, tag } => format!(
            "+ for={} tag={}",
            awaited.map_or("-", Awaited::name),
            tag.as_deref().unwrap_or("-")
        ),
        Reading::Continuation {
            mechanism,
            identity,
            idled,
            ..
        } => format!(
            "continuation{}{}{}",
            mechanism
                .iter()
                .map(|m| format!(" {m}"))
                .collect::<String>(),
            identity
                .iter()
                .map(|i| format!(" identity={i}"))
                .collect::<String>(),
            idled.iter().map(|_| " idled").collect::<String>(),
        ),
        Reading::Untagged { name, number, .. } => {
            format!(
                "* {}{name}{}",
                number.map_or(String::new(), |n| format!("{n} ")),
                said.uid.map_or(String::new(), |uid| format!(" uid={uid}"))
            )
        }
        Reading::Tagged { tag, status, .. } => format!("tagged {tag} {}", name(*status)),
        Reading::LiteralPart { offset, total } => format!("part {offset}/{total}"),
        Reading::Opaque => format!("opaque {}", said.from.name()),
    };
    match &said.relation {
        Relation::None => {}
        Relation::Answers(n) => line += &format!(" answers={n}"),
        Relation::Ambiguous(all) => line += &format!(" ambiguous={all:?}"),
        Relation::Unsolicited => line += " unsolicited",
    }
    if said.incomplete {
        line += " incomplete";
    }
    if let Some(change) = &said.capabilities {
        line += &format!(" +{:?} -{:?}", change.added, change.removed);
    }
    line
}

fn name(status: Option<crate::event::Status>) -> &'static str {
    status.map_or("-", |status| status.name())
}

pub(super) fn wires(events: &[Event], from: Peer) -> Vec<u8> {
    let mut parts: std::collections::BTreeMap<u64, Vec<u8>> = Default::default();
    let mut wire = Vec::new();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        if said.from != from {
            continue;
        }
        if matches!(said.reading, Reading::LiteralPart { .. }) {
            parts.insert(event.n, said.wire.bytes().to_vec());
            continue;
        }
        for piece in said.wire.pieces() {
            wire.extend_from_slice(&said.wire.bytes()[piece.range()]);
            if let Piece::Streamed { parts: numbers, .. } = piece {
                for number in numbers.iter() {
                    wire.extend(parts.remove(number).expect("a part comes once, before"));
                }
            }
        }
    }
    assert!(parts.is_empty());
    wire
}

/// What is read again from a recording of `events`, its notes left out.
pub(super) fn again(events: &[Event]) -> Vec<Event> {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut numbers = Numbers::new(1);
    let mut again = Vec::new();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        let mut drafts = Vec::new();
        observer.read_again(event.n, event.at, RecordedMessage::of(said), &mut drafts);
        assert_eq!(
            drafts.len(),
            1,
            "one event is one event again: {}",
            tell(event)
        );
        again.extend(
            drafts
                .into_iter()
                .map(|draft| numbers.number(draft, event.n)),
        );
    }
    again
}

/// Reads the conversation whole, with every step cut at every place, and byte by byte; and again
/// from the recording. All must tell the same. Returns that.
pub(super) fn conversation(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), steps);
    let whole = told(&events);
    for (index, (from, bytes)) in steps.iter().enumerate() {
        for cut in 1..bytes.len() {
            let mut cut_steps = steps.to_vec();
            let (head, tail) = bytes.split_at(cut);
            cut_steps.splice(index..=index, [(*from, head), (*from, tail)]);
            let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &cut_steps);
            assert_eq!(told(&events), whole, "step {index} cut at {cut}");
        }
    }
    let single: Vec<(Peer, &[u8])> = steps
        .iter()
        .flat_map(|(from, bytes)| bytes.chunks(1).map(move |byte| (*from, byte)))
        .collect();
    let byte_by_byte = read(&mut Observer::new(Gate::new(Secrets::Masked)), &single);
    assert_eq!(told(&byte_by_byte), whole, "byte by byte");
    let without_notes: Vec<String> = whole
        .iter()
        .filter(|line| !line.starts_with("note "))
        .cloned()
        .collect();
    assert_eq!(told(&again(&events)), without_notes, "read again");
    whole
}

/// As [`conversation`], after a greeting and a login.
pub(super) fn logged_in(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let mut all: Vec<(Peer, &[u8])> = vec![(Peer::Server, b"* PREAUTH hello\r\n")];
    all.extend_from_slice(steps);
    let told = conversation(&all);
    assert_eq!(told[0], "greeting PREAUTH");
    told[1..].to_vec()
}

/// Reads the conversation whole and with every step cut at every place. Nowhere in its events may
/// stand any of `secrets`: not in the octets, nor in what was read from them.
pub(super) fn keeps(secrets: &[&str], steps: &[(Peer, &[u8])]) -> Vec<String> {
    let check = |steps: &[(Peer, &[u8])]| {
        let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), steps);
        let all = everything(&events);
        for secret in secrets {
            assert!(!all.contains(secret), "{secret} in {all}");
        }
        told(&events)
    };
    for (index, (from, bytes)) in steps.iter().enumerate() {
        for cut in 1..bytes.len() {
            let mut cut_steps = steps.to_vec();
            let (head, tail) = bytes.split_at(cut);
            cut_steps.splice(index..=index, [(*from, head), (*from, tail)]);
            check(&cut_steps);
        }
    }
    check(steps)
}

/// All that the events tell, as one text.
fn everything(events: &[Event]) -> String {
    let mut all = told(events).join("\n");
    for event in events {
        match &event.body {
            Body::Said(said) => all += &String::from_utf8_lossy(said.wire.bytes()),
            Body::Note(note) => all += &note.text,
            _ => {}
        }
    }
    all
}

/// The sealed octets of one direction.
pub(super) fn sealed(steps: &[(Peer, &[u8])], from: Peer) -> String {
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), steps);
    String::from_utf8(wires(&events, from)).unwrap()
}
