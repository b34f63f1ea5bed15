//! Random conversations on the whole way of a recording: wire, events, JSON, reader, events, wire.

use std::io::Cursor;

use proptest::prelude::*;

use super::Readings;
use crate::event::{Body, Event, Peer, Secrets};
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
        rng_seed: proptest::test_runner::RngSeed::Fixed(9051),
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
