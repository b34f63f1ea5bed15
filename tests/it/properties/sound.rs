//! What holds for every list of events, wherever they come from.

use std::collections::HashMap;
use std::io::Cursor;

use mailscope::event::{Body, Event, Message, Passed, Peer, Piece, Reading, Said};
use mailscope::recording::Readings;
use mailscope::transcript::{Reader, is_hidden, write_event};

use super::shown;

/// Everything in the events can be asked for, lies where it says, and is valid JSON without anything
/// hidden in it.
pub fn sound(events: &[Event]) {
    let mut last = None;
    for event in events {
        assert!(last < Some(event.n), "numbers rise");
        last = Some(event.n);
        match &event.body {
            Body::Said(said) => sound_said(said),
            // A reader that panics is replaced by one that reads nothing.
            Body::Note(note) => assert_ne!(note.id, "observer-stopped"),
            _ => {}
        }
        let line = line(event);
        let hidden = line.chars().find(|c| is_hidden(*c) || c.is_control());
        assert_eq!(hidden, None, "{line}");
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&line) {
            panic!("{error}: {line}");
        }
    }
}

fn sound_said(said: &Said) {
    covered(&said.wire);
    if let Passed::Instead(sent) = &said.passed {
        covered(sent);
    }
    let octets = said.wire.bytes().len();
    let mut end = 0;
    for span in &said.spans {
        let place = &span.range;
        assert!(
            place.start >= end && place.start <= place.end,
            "{:?}",
            said.spans
        );
        assert!(place.end <= octets, "{:?} of {octets}", said.spans);
        end = place.end;
    }
    let _ = (said.code(), said.human_text(), said.arguments());
}

/// The pieces cover the octets without gap or overlap, in order.
fn covered(message: &Message) {
    let mut end = 0;
    for piece in message.pieces() {
        let place = piece.range();
        assert_eq!(place.start, end, "{:?}", message.pieces());
        end = place.end;
    }
    assert_eq!(end, message.bytes().len(), "{:?}", message.pieces());
}

/// The event as it stands in a transcript.
pub fn line(event: &Event) -> String {
    let mut line = Vec::new();
    write_event(&mut line, event);
    String::from_utf8(line).expect("JSON is UTF-8")
}

/// The transcript of these events.
pub fn document(events: &[Event]) -> Vec<u8> {
    let lines: Vec<String> = events.iter().map(line).collect();
    let head = "{\"mailscope\":{\"format\":1},\n\"events\":[\n";
    format!("{head}{}\n]}}\n", lines.join(",\n")).into_bytes()
}

/// What is read of a transcript, as whole events.
pub fn read(document: Vec<u8>) -> Vec<Event> {
    let reader = Reader::new(Cursor::new(document), "a document").expect("its head is whole");
    let mut readings = Readings::default();
    let mut events = Vec::new();
    for recorded in reader {
        match recorded {
            Ok(recorded) => events.extend(readings.read(recorded)),
            Err(error) => panic!("{error}"),
        }
    }
    events
}

/// The events written and read again are the same lines.
pub fn same_again(events: &[Event]) {
    let again = read(document(events));
    for (event, again) in events.iter().zip(&again) {
        assert_eq!(line(again), line(event), "read again");
    }
    assert_eq!(again.len(), events.len());
}

/// Octets of large literals, by their events' numbers, until their messages come.
#[derive(Default)]
pub struct Parts(HashMap<u64, Vec<u8>>);

impl Parts {
    /// The octets of `message`, as which `said` is told or passed on, with the parts in their places;
    /// none for a part.
    pub fn put_in_place(&mut self, event: &Event, said: &Said, message: &Message) -> Vec<u8> {
        if matches!(said.reading, Reading::LiteralPart { .. }) {
            self.0.insert(event.n, message.bytes().to_vec());
            return Vec::new();
        }
        let mut octets = Vec::new();
        for piece in message.pieces() {
            octets.extend_from_slice(&message.bytes()[piece.range()]);
            if let Piece::Streamed { parts, .. } = piece {
                for part in parts.iter() {
                    let part = self.0.remove(part);
                    octets.extend(part.expect("a part stands before its message"));
                }
            }
        }
        octets
    }
}

/// The octets of one direction, the parts of large literals in their places.
pub fn wires(events: &[Event], from: Peer) -> Vec<u8> {
    let mut parts = Parts::default();
    let mut wires = Vec::new();
    for event in events {
        match &event.body {
            Body::Said(said) if said.from == from && !matches!(said.passed, Passed::Own) => {
                wires.extend(parts.put_in_place(event, said, &said.wire));
            }
            _ => {}
        }
    }
    let left = parts.0.keys();
    assert!(left.len() == 0, "parts that belong to no message: {left:?}");
    wires
}

/// The octets of both directions are these.
pub fn assert_wires(events: &[Event], said_by: impl Fn(Peer) -> Vec<u8>) {
    for peer in [Peer::Client, Peer::Server] {
        let (wires, said) = (wires(events, peer), said_by(peer));
        assert_eq!(shown(&wires), shown(&said), "what {peer:?} said");
    }
}
