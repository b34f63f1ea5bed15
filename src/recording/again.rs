//! Random conversations on the whole way of a recording: wire, events, JSON, reader, events, wire.

use std::io::Cursor;

use proptest::prelude::*;

use super::Readings;
use crate::event::{Body, Event, Gate, Micros, Numbers, Peer, Secrets};
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;
use crate::protocol::imap::conversations::random::{conversation, events};
use crate::transcript::{Reader, write_event};

fn lines(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| {
        let mut line = Vec::new();
        write_event(&mut line, event);
        String::from_utf8(line).unwrap()
    };
    events.iter().map(line).collect()
}

/// The events written as a transcript, and read from it.
fn read_again(events: &[Event]) -> Vec<Event> {
    let head = "{\"mailscope\":{\"format\":1},\n\"events\":[\n";
    let document = format!("{head}{}\n]}}\n", lines(events).join(",\n"));
    let mut readings = Readings::default();
    let reader = Reader::new(Cursor::new(document.into_bytes()), "x.json").unwrap();
    reader
        .flat_map(|recorded| readings.read(recorded.unwrap()))
        .collect()
}

/// The octets that a peer said.
fn wire(events: &[Event], from: Peer) -> Vec<u8> {
    let mut wire = Vec::new();
    for event in events {
        match &event.body {
            Body::Said(said) if said.from == from => wire.extend_from_slice(said.wire.bytes()),
            _ => {}
        }
    }
    wire
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn what_was_said_is_in_the_transcript_octet_for_octet(steps in conversation()) {
        let again = read_again(&events(&steps, Secrets::Shown));
        for peer in [Peer::Client, Peer::Server] {
            let said = steps.iter().filter(|(from, _)| *from == peer);
            let said: Vec<u8> = said.flat_map(|(_, octets)| octets.to_vec()).collect();
            prop_assert_eq!(wire(&again, peer), said);
        }
    }

    /// Masks too, and everything that is read from the wire anew.
    #[test]
    fn what_is_read_from_a_transcript_is_what_was_written(steps in conversation()) {
        for secrets in [Secrets::Masked, Secrets::Shown] {
            let events = events(&steps, secrets);
            prop_assert_eq!(lines(&read_again(&events)), lines(&events));
        }
    }
}

#[test]
fn r007_what_is_not_known_behind_a_gap_is_not_known_when_it_is_read_again() {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    let said: [(Peer, &[u8]); 5] = [
        (Peer::Server, b"* PREAUTH hi\r\n"),
        (Peer::Client, b"a SELECT INBOX\r\n"),
        (
            Peer::Server,
            b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\na OK in\r\n",
        ),
        (Peer::Client, b"b FETCH 2 UID\r\n"),
        (Peer::Server, b"* 2 FETCH (UID 17)\r\nb OK\r\n"),
    ];
    for (from, octets) in said {
        let _ = observer.observe(from, octets, Micros(0), &mut drafts);
    }
    observer.missed(Peer::Server, 20, Micros(0), &mut drafts);
    let _ = observer.observe(Peer::Server, b"* 2 EXPUNGE\r\n", Micros(0), &mut drafts);
    let mut numbers = Numbers::new(1);
    let events: Vec<Event> = (1..)
        .zip(drafts)
        .map(|(n, draft)| numbers.number(draft, n))
        .collect();
    let told = lines(&events);
    let expunge = told.last().unwrap();
    assert!(
        expunge.contains("EXPUNGE") && !expunge.contains("\"uid\""),
        "{expunge}"
    );
    assert_eq!(lines(&read_again(&events)), told);
}
