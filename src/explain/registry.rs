//! That every name of the registries is explained and read: the table of them is `registry.txt`, which
//! says what stands in it.
//!
//! A name that is missing in `terms.txt`, a term that is missing here, a line whose reading is the value
//! tree alone, or another than it was: each fails. When a reading is changed on purpose, a failure
//! prints the file as it should be.

use super::table::{Kind, entries, entry};
use crate::event::json::write_array;
use crate::event::{Body, Gate, Micros, Peer, Reading, Said, Secrets};
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;

const TEXT: &str = include_str!("registry.txt");

/// The kind of the heading.
fn kind(heading: &str) -> Kind {
    let is_it = |kind: &Kind| {
        let behind = heading.strip_prefix(kind.name());
        behind.is_some_and(|behind| behind.is_empty() || behind.starts_with(" ("))
    };
    let mut kinds = Kind::ALL.into_iter().filter(is_it);
    kinds.next().expect("a heading that is a kind")
}

/// What is read of the last message of this conversation, after a greeting that needs no login.
fn heard(steps: &[(Peer, &[u8])]) -> Said {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    for (from, octets) in steps {
        let _ = observer.observe(*from, octets, Micros(0), &mut drafts);
    }
    match drafts.pop().expect("a message").into_body() {
        Body::Said(said) => *said,
        _ => panic!("something is said"),
    }
}

/// A line that is one message, with the two octets of its literal where it announces one.
fn one(from: Peer, line: &str) -> Said {
    let closing = ")".repeat(
        line.matches('(')
            .count()
            .saturating_sub(line.matches(')').count()),
    );
    let whole = match line.ends_with('}') {
        true => format!("{line}\r\nab{closing}\r\n"),
        false => format!("{line}\r\n"),
    };
    let greeting: &[u8] = match ["LOGIN", "AUTHENTICATE", "STARTTLS"]
        .iter()
        .any(|name| line.starts_with(&format!("a {name}")))
    {
        true => b"* OK hello\r\n",
        false => b"* PREAUTH hello\r\n",
    };
    match line.starts_with("* PREAUTH") {
        true => heard(&[(from, whole.as_bytes())]),
        false => heard(&[(Peer::Server, greeting), (from, whole.as_bytes())]),
    }
}

/// What is read of it; `-` where its head says all.
fn read(said: &Said) -> String {
    let data = match &said.reading {
        Reading::Untagged { data, .. } => *data,
        _ => None,
    };
    let mut json = Vec::new();
    match (
        data.or(said.details.arguments).or(said.details.code),
        said.code(),
    ) {
        (Some(reader), _) => reader(said, &mut json),
        (None, Some(code)) => match code.values.as_slice() {
            [] => {}
            [value] => value.write_json(&mut json),
            values => write_array(&mut json, values, |out, value| value.write_json(out)),
        },
        (None, None) => {}
    }
    match String::from_utf8(json).unwrap() {
        nothing if nothing.is_empty() => "-".to_owned(),
        json => json,
    }
}

/// What is read of the line in a row of this kind.
fn reading(kind: Kind, name: &str, line: &str) -> String {
    let (from, text) = match line.split_at_checked(3) {
        Some(("C: ", text)) => (Peer::Client, text),
        Some(("S: ", text)) => (Peer::Server, text),
        _ => panic!("{name}: {line} is nobody's"),
    };
    let whole = match (kind, from) {
        (Kind::FetchItem, Peer::Server) => match text.ends_with('}') {
            true => format!("* 1 FETCH ({text}"),
            false => format!("* 1 FETCH ({text})"),
        },
        (Kind::StatusItem, _) => format!("* STATUS x ({text})"),
        _ => text.to_owned(),
    };
    let bare = name.trim_end_matches(['/', '=']).to_ascii_uppercase();
    assert!(
        whole.to_ascii_uppercase().contains(&bare),
        "{name} is not in {line}"
    );
    let said = one(from, &whole);
    assert!(!said.incomplete, "{line}");
    let json = read(&said);
    match (kind, from) {
        (Kind::FetchItem, Peer::Server) | (Kind::StatusItem, _) => {
            let inside = json.split_once(r#""items":{"#).map(|(_, inside)| inside);
            let inside = inside.and_then(|inside| inside.strip_suffix("}}"));
            inside.unwrap_or_else(|| panic!("{json}")).to_owned()
        }
        _ => json,
    }
}

#[test]
fn every_registered_name_is_explained_and_read() {
    let mut should = String::new();
    let mut here: Option<Kind> = None;
    let mut known: Vec<(Kind, usize)> = Vec::new();
    let mut explained = |kind: Kind, name: &str| {
        let term = entry(kind, name).unwrap_or_else(|| panic!("no {} {name}", kind.name()));
        assert_eq!(term.term, name, "as it is written there");
        known.push((kind, term.index));
    };
    for line in TEXT.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            here = Some(kind(heading));
        }
        let row = here.filter(|_| !line.is_empty() && !line.starts_with(['#', ';']));
        let Some(kind) = row else {
            should += &format!("{line}\n");
            continue;
        };
        let mut fields = line.split(" | ");
        match (fields.next(), fields.next()) {
            (Some(name), Some(wire)) => {
                explained(kind, name);
                let read = reading(kind, name, wire);
                assert!(!read.starts_with(r#"{"values":"#), "{wire}: {read}");
                should += &format!("{name} | {wire} | {read}\n");
            }
            _ => {
                line.split(' ').for_each(|name| explained(kind, name));
                should += &format!("{line}\n");
            }
        }
    }
    assert!(TEXT == should, "it should be:\n{should}");
    // And the other way round: syntax and notes are in no registry.
    for entry in entries() {
        let is_here = known.contains(&(entry.kind, entry.index));
        let is_ours = matches!(entry.kind, Kind::Syntax | Kind::Note);
        assert!(is_here != is_ours, "{} {}", entry.kind.name(), entry.term);
    }
    assert!(known.len() > 500, "{}", known.len());
}
