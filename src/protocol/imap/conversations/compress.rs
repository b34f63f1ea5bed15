//! COMPRESS=DEFLATE: what is read of compressed conversations, at every split of their octets.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{number, told};
use crate::event::{Body, Event, Gate, Micros, Peer, Secrets};
use crate::limits;
use crate::protocol::imap::{Hidden, Observer, Setting};
use crate::protocol::{Protocol, Verdict};

const C: Peer = Peer::Client;
const S: Peer = Peer::Server;

/// One direction's deflate stream.
pub(super) struct Deflater(DeflateEncoder<Vec<u8>>);

impl Deflater {
    pub(super) fn new() -> Self {
        Self(DeflateEncoder::new(Vec::new(), Compression::default()))
    }

    /// The octets for these, with a flush behind them.
    pub(super) fn deflated(&mut self, octets: &[u8]) -> Vec<u8> {
        self.0.write_all(octets).unwrap();
        self.0.flush().unwrap();
        std::mem::take(self.0.get_mut())
    }
}

/// A login, and COMPRESS; the server's OK shares a read with what it says next.
fn begun(compressed: &[u8]) -> Vec<(Peer, Vec<u8>)> {
    vec![
        (S, b"* OK hi\r\n".to_vec()),
        (C, b"a LOGIN alice hunter2\r\n".to_vec()),
        (S, b"a OK in\r\n".to_vec()),
        (C, b"b COMPRESS DEFLATE\r\n".to_vec()),
        (S, [b"b OK on\r\n", compressed].concat()),
    ]
}

fn read(steps: &[(Peer, Vec<u8>)], cut: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> Vec<Event> {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    for (step, (from, octets)) in steps.iter().enumerate() {
        for part in cut(octets) {
            let verdict = observer.observe(*from, &part, Micros(step as u64), &mut drafts);
            assert_eq!(verdict, Verdict::AsRead);
        }
    }
    for from in [C, S] {
        observer.ended(from, Micros(steps.len() as u64), &mut drafts);
    }
    number(drafts)
}

/// Told of the conversation, whole, at every split of every step, and octet by octet.
fn told_of(steps: &[(Peer, Vec<u8>)]) -> Vec<String> {
    let whole = told(&read(steps, |octets| vec![octets.to_vec()]));
    let single = read(steps, |octets| {
        octets.chunks(1).map(<[u8]>::to_vec).collect()
    });
    assert_eq!(told(&single), whole);
    let longest = steps.iter().map(|(_, octets)| octets.len()).max().unwrap();
    for at in 1..longest {
        let split = read(steps, |octets| {
            let (a, b) = octets.split_at(at.min(octets.len()));
            vec![a.to_vec(), b.to_vec()]
        });
        assert_eq!(told(&split), whole, "split at {at}");
    }
    whole
}

#[test]
fn both_directions_are_read_inflated_from_the_ok_on() {
    let (mut client, mut server) = (Deflater::new(), Deflater::new());
    let mut steps = begun(&server.deflated(b"* 1 EXISTS\r\n"));
    steps.push((
        C,
        client.deflated(b"c SELECT INBOX\r\nd FETCH 1 BODY[]\r\n"),
    ));
    let mut answer = server.deflated(b"* 2 EXISTS\r\nc OK\r\n* 1 FETCH (BODY[] {12}\r\nhello ");
    answer.extend(server.deflated(b"world!)\r\nd OK\r\n"));
    steps.push((S, answer));
    steps.push((C, client.deflated(b"e APPEND INBOX {3}\r\n")));
    steps.push((S, server.deflated(b"+ go\r\n")));
    steps.push((C, client.deflated(b"abc\r\n")));
    steps.push((S, server.deflated(b"e OK\r\n")));
    let told = told_of(&steps);
    let behind = told.iter().position(|line| line == "other").unwrap();
    assert_eq!(
        told[behind..],
        [
            "other",
            "* 1 EXISTS unsolicited",
            "command c SELECT",
            "command d FETCH",
            "* 2 EXISTS answers=8",
            "tagged c OK answers=8",
            "* 1 FETCH answers=9",
            "tagged d OK answers=9",
            "+ for=literal tag=e",
            "command e APPEND",
            "tagged e OK answers=15",
        ]
    );
}

#[test]
fn damaged_data_ends_the_reading_and_nothing_else() {
    let (mut client, mut server) = (Deflater::new(), Deflater::new());
    let mut steps = begun(&server.deflated(b"* 1 EXISTS\r\n"));
    steps.push((S, b"\xff\xff\xff\xff plain".to_vec()));
    steps.push((C, client.deflated(b"c NOOP\r\n")));
    let events = read(&steps, |octets| vec![octets.to_vec()]);
    let told = told(&events);
    let behind = told
        .iter()
        .position(|line| line == "note compress-damaged")
        .unwrap();
    assert!(
        told[behind + 1..]
            .iter()
            .all(|line| line.starts_with("opaque")),
        "{told:?}"
    );
    assert_eq!(told.len(), behind + 3);
}

#[test]
fn a_line_without_an_end_is_not_inflated_for_ever() {
    let mut server = Deflater::new();
    let endless = vec![b'x'; 4 * limits::INFLATED_LINE];
    let mut steps = begun(b"");
    steps.push((S, server.deflated(&endless)));
    let events = read(&steps, |octets| {
        octets.chunks(4096).map(<[u8]>::to_vec).collect()
    });
    let kept: u64 = events
        .iter()
        .map(|event| match &event.body {
            Body::Said(said) => said.wire.octets(),
            _ => 0,
        })
        .sum();
    assert!(kept < 2 * limits::INFLATED_LINE as u64, "{kept}");
    assert!(told(&events).contains(&"note compress-endless".into()));
}

#[test]
fn a_large_literal_that_deflates_well_is_no_attack() {
    let mut server = Deflater::new();
    let length = 2 * limits::INFLATED_LINE;
    let mut octets = format!("* 1 FETCH (BODY[] {{{length}}}\r\n").into_bytes();
    octets.resize(octets.len() + length, b'x');
    octets.extend_from_slice(b")\r\n* 2 EXISTS\r\n");
    let steps = begun(&server.deflated(&octets));
    let told = told(&read(&steps, |octets| vec![octets.to_vec()]));
    assert_eq!(told.last().unwrap(), "* 2 EXISTS unsolicited");
    assert!(!told.iter().any(|line| line.starts_with("note")));
}

#[test]
fn a_passwords_mask_does_not_end_with_compression() {
    let (mut client, mut server) = (Deflater::new(), Deflater::new());
    let mut steps = begun(b"");
    steps.push((C, client.deflated(b"c LOGIN alice hunter2\r\n")));
    steps.push((S, server.deflated(b"c NO not hunter2\r\n")));
    for event in read(&steps, |octets| vec![octets.to_vec()]) {
        if let Body::Said(said) = &event.body {
            let text = String::from_utf8_lossy(said.wire.bytes());
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[test]
fn hiding_ends_with_compression_and_that_is_told() {
    let setting = Setting {
        hidden: Hidden::new(["IDLE"]),
        ..Setting::default()
    };
    let mut observer = Observer::bridging(Gate::new(Secrets::Masked), setting);
    let mut drafts = Vec::new();
    for (from, octets) in begun(b"") {
        let _ = observer.observe(from, &octets, Micros(0), &mut drafts);
    }
    let verdict = observer.observe(C, b"x", Micros(0), &mut drafts);
    assert_eq!(verdict, Verdict::AsRead);
    assert!(told(&number(drafts)).contains(&"note hiding-ends".into()));
}

#[test]
fn lines_that_deflate_well_become_events_in_bounded_runs() {
    // The least that a line may be, and a server that says that a whole mailbox was expunged.
    for (line, of_each) in [(&b"\r\n"[..], 2), (b"* 1 EXPUNGE\r\n", 1)] {
        let lines = 50_000;
        let mut server = Deflater::new();
        let mut octets = line.repeat(lines);
        octets.extend_from_slice(b"* 2 EXISTS\r\n");
        let deflated = server.deflated(&octets);
        assert!(deflated.len() < limits::COMPRESSED_READ);
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let mut drafts = Vec::new();
        for (from, octets) in begun(b"") {
            observer.observe(from, &octets, Micros(0), &mut drafts);
        }
        let mut events = std::mem::take(&mut drafts);
        let before = events.len();
        let mut length = 0;
        observer.observe(S, &deflated, Micros(1), &mut drafts);
        loop {
            length = drafts.len().max(length);
            events.append(&mut drafts);
            if !observer.read_on(&mut drafts) {
                break;
            }
        }
        assert!(length <= limits::INFLATED_EVENTS + limits::INFLATED + 1);
        assert_eq!(events.len() - before, lines * of_each + 1);
        let told = told(&number(events));
        assert_eq!(told.last().unwrap(), "* 2 EXISTS unsolicited");
    }
}
