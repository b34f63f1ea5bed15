//! Lines that nobody generated: the messages of `imap-codec`'s own tests, and the examples of the RFCs.

use imap_codec::decode::Decoder;
use imap_codec::{CommandCodec, ResponseCodec};

use super::{Peer, Tally, compare_command, compare_response};

/// Compares these octets as what `imap-codec` takes them for; whether it takes them for anything.
fn compare(wire: &[u8], tally: &mut Tally) -> bool {
    if let Ok((b"", parsed)) = ResponseCodec::default().decode(wire) {
        compare_response(wire, &parsed, tally);
        return true;
    }
    if let Ok((b"", parsed)) = CommandCodec::default().decode(wire) {
        compare_command(&sent(wire), wire, &parsed, tally);
        return true;
    }
    false
}

/// A client's octets, with the go-ahead for each literal that waits for one.
fn sent(wire: &[u8]) -> Vec<(Peer, Vec<u8>)> {
    let mut steps = Vec::new();
    let mut rest = wire;
    while let Some(end) = rest.windows(3).position(|octets| octets == b"}\r\n") {
        let (line, behind) = rest.split_at(end + 3);
        let waits = rest[end - 1] != b'+';
        steps.push((Peer::Client, line.to_vec()));
        if waits {
            steps.push((Peer::Server, b"+ go\r\n".to_vec()));
        }
        rest = behind;
    }
    steps.push((Peer::Client, rest.to_vec()));
    steps
}

/// The lines of the RFCs' examples, as far as `imap-codec` takes them.
#[test]
fn the_examples_are_read_as_imap_codec_reads_them() {
    macro_rules! example {
        ($($name:literal)*) => {
            [$(include_str!(concat!("../../../conversations/rfc/rfc", $name, ".txt"))),*]
        };
    }
    let examples = example!(2177 3501 4978 5161 5464 5465 6154 6851 7162 7888 8438 8474 9051);
    let mut tally = Tally::default();
    let mut taken = 0;
    for line in examples.iter().flat_map(|example| example.lines()) {
        let line = line
            .strip_prefix("S: ")
            .or_else(|| line.strip_prefix("C: "));
        let wire = line.map(|line| format!("{line}\r\n").into_bytes());
        taken += usize::from(wire.is_some_and(|wire| compare(&wire, &mut tally)));
    }
    assert!(taken > 900, "{taken}");
    for name in [
        "code APPENDUID",
        "code COPYUID",
        "code MODIFIED",
        "AUTHENTICATE",
        "FETCH",
        "LIST",
        "METADATA",
        "NAMESPACE",
        "SEARCH",
        "SELECT",
        "STORE",
        "VANISHED",
    ] {
        tally.assert_complete(&[name]);
    }
}

/// The messages of `imap-codec`'s own tests, a line each, with `\r`, `\n`, `\\` and `\xNN` for octets.
#[test]
fn its_own_messages_are_read_as_imap_codec_reads_them() {
    let mut tally = Tally::default();
    let mut taken = 0;
    for line in include_str!("own.txt").lines() {
        taken += usize::from(compare(&octets(line), &mut tally));
    }
    assert!(taken > 250, "{taken}");
}

fn octets(line: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = line.bytes();
    while let Some(octet) = rest.next() {
        let escape = match octet {
            b'\\' => rest.next(),
            octet => {
                octets.push(octet);
                continue;
            }
        };
        octets.push(match escape {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'x') => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = std::str::from_utf8(&digits).expect("two digits");
                u8::from_str_radix(digits, 16).expect("two digits")
            }
            Some(other) => other,
            None => panic!("an escape at the end: {line}"),
        });
    }
    octets
}
