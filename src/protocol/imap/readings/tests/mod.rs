//! Messages as octets, and the data that is read from them.

mod bounds;
mod codes;
mod commands;
mod fetch;
mod imap_codec;
mod responses;
mod schema;

use super::super::Observer;
use crate::event::{Body, Draft, Gate, Micros, Peer, Reading, Said, Secrets};
use crate::protocol::Protocol;

/// What both peers said after a greeting that needs no login.
pub(super) fn said(steps: &[(Peer, &[u8])]) -> Vec<Said> {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    let greeting: &[(Peer, &[u8])] = &[(Peer::Server, b"* PREAUTH hello\r\n")];
    for (from, octets) in greeting.iter().chain(steps) {
        let _ = observer.observe(*from, octets, Micros(0), &mut drafts);
    }
    let said = |draft: Draft| match draft.into_body() {
        Body::Said(said) => Some(*said),
        _ => None,
    };
    drafts.into_iter().filter_map(said).skip(1).collect()
}

/// What a server said first.
pub(super) fn greeted(octets: &[u8]) -> Said {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    let _ = observer.observe(Peer::Server, octets, Micros(0), &mut drafts);
    match drafts.pop().map(Draft::into_body) {
        Some(Body::Said(said)) => *said,
        _ => panic!("no greeting: {}", String::from_utf8_lossy(octets)),
    }
}

/// What one peer said in one message.
pub(super) fn one(from: Peer, octets: &[u8]) -> Said {
    let mut said = said(&[(from, octets)]);
    assert_eq!(said.len(), 1, "{}", String::from_utf8_lossy(octets));
    said.remove(0)
}

/// Its data as JSON, or that of its response code; empty where there is none.
pub(super) fn data(said: &Said) -> String {
    let response = match &said.reading {
        Reading::Untagged { data, .. } => *data,
        _ => None,
    };
    let reader = response.or(said.details.arguments).or(said.details.code);
    let mut out = Vec::new();
    if let Some(reader) = reader {
        reader(said, &mut out);
        let json: Result<serde_json::Value, _> = serde_json::from_slice(&out);
        assert!(json.is_ok(), "{}", String::from_utf8_lossy(&out));
    }
    String::from_utf8(out).unwrap()
}

/// The data of a response, or of a command, without its line end.
pub(super) fn read(from: Peer, line: &str) -> String {
    let said = one(from, format!("{line}\r\n").as_bytes());
    schema::assert_valid(&said);
    data(&said)
}

/// Each response has this data.
pub(super) fn responses(cases: &[(&str, &str)]) {
    for (line, json) in cases {
        assert_eq!(read(Peer::Server, line), *json, "{line}");
    }
}

/// Each command has this data.
pub(super) fn commands(cases: &[(&str, &str)]) {
    for (line, json) in cases {
        assert_eq!(read(Peer::Client, line), *json, "{line}");
    }
}
