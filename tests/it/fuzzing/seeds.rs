//! What fuzzing begins with: the recordings that ship, in the form that each target takes, and what no
//! recording has.

use std::path::{Path, PathBuf};
use std::time::Duration;

use mailscope::event::{Body, Event, MASK, Peer};
use mailscope::recording::Events;
use mailscope::sink::pcapng::Capture;
use mailscope::transcript::{Reader, TextWriter, write_event};

use super::super::properties::talk::{
    AS_IT_IS, CLIENT, CUT, DEFLATED_CLIENT, DEFLATED_SERVER, ENCODED, PASSWORD, SERVER,
};

/// Parts of a session that the recordings have not: `C` and `S` begin what a peer says, `%` is the
/// password, `^` begins deflated octets of the same peer.
const RARE: [&str; 10] = [
    "S* OK hi\r\nCa LOGIN {5}\r\nS+ \r\nCalice {10}\r\nS+ \r\nC%\r\nSa OK in\r\n",
    "S* OK hi\r\nCa AUTHENTICATE PLAIN\r\nS+ \r\nC%\r\nSa NO [AUTHENTICATIONFAILED] %\r\nC%\r\n",
    "S* PREAUTH hi\r\nCa COMPRESS DEFLATE\r\nSa OK on\r\n^* 3 EXISTS\r\nC^b NOOP\r\nc NOOP\r\nS^b OK\r\nc OK\r\n",
    "S* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nCa STARTTLS\r\nSa OK go\r\nC\u{16}\u{3}\u{1}\u{0}\u{5}hello",
    "S* OK hi\r\nCa STARTTLS\r\nb LOGIN alice %\r\nSa BAD no\r\nSb OK in\r\n",
    "S* PREAUTH hi\r\nCa APPEND x {3}\r\nSa NO [TRYCREATE] no\r\nCb APPEND x (\\Seen) ~{3+}\r\na\u{0}c\r\nSb OK [APPENDUID 1 2]\r\n",
    "S* PREAUTH hi\r\nCa IDLE\r\nS+ idling\r\n* 4 EXISTS\r\nCDONE\r\nSa OK\r\nCb LOGOUT\r\nS* BYE\r\nb OK\r\n",
    "S* PREAUTH hi\r\nCa UID FETCH 1:* (UID FLAGS BODY[HEADER.FIELDS (DATE)] BINARY[1])\r\nS* 1 FETCH (UID 7 FLAGS (\\Seen) BODY[HEADER.FIELDS (DATE)] {2}\r\n\r\n BINARY[1] ~{2}\r\n\u{0}x)\r\n* 2 FETCH (X (((((\r\nSa OK\r\n",
    "S* PREAUTH hi\r\nCa SEARCH RETURN (MIN COUNT) OR (FROM x) NOT SEEN\r\nS* ESEARCH (TAG \"a\") MIN 1 COUNT 2\r\na OK [MODIFIED 7,9] x\r\nCb GETMETADATA \"\" (/private/c)\r\nS* METADATA \"\" (/private/c {2}\r\nhi)\r\nb OK\r\n",
    "S* OK hi\nCa AUTHENTICATE SCRAM-SHA-256 biwsbj11c2Vy\r\nS+ cj1hLHM9YixpPTQwOTY=\r\nCYz1iaXdz\r\nS+ dj1hYg==\r\nC\r\nSa OK [CAPABILITY IMAP4rev1 IDLE] in\r\n",
];

/// The seeds of a target, with names.
pub fn of(target: &str) -> Vec<(String, Vec<u8>)> {
    match target {
        "transcript_reader" => files(&["json"]),
        "text_importer" => {
            let named = |(name, text): (String, Vec<u8>)| (name, [&[0], &text[..]].concat());
            let mut seeds: Vec<_> = texts().into_iter().map(named).collect();
            for (name, log) in LOGS {
                seeds.push(((*name).to_owned(), log.to_vec()));
            }
            seeds
        }
        "capture_reader" => {
            let mut seeds: Vec<_> = recordings()
                .into_iter()
                .map(|(name, events)| (name, capture(&events)))
                .collect();
            let disordered = |(name, talk): (String, Vec<u8>)| {
                (format!("{name}-packets"), [&[CUT, 1], &talk[..]].concat())
            };
            seeds.extend(talks().into_iter().map(disordered));
            seeds
        }
        "replay_player" => {
            let apps = talks().into_iter();
            let played = texts()
                .into_iter()
                .zip(apps)
                .map(|((name, text), (_, talk))| {
                    (name, [&[0], &text[..], &[0xf7], &talk[..]].concat())
                });
            played.collect()
        }
        "filter" => {
            let lines = FILTERS.iter().zip(0..);
            let (_, talk) = talks().remove(0);
            let with = |(filter, place): (&&str, usize)| {
                let filter = filter.as_bytes();
                (
                    format!("filter-{place}"),
                    [filter, &talk[..talk.len().min(1000)]].concat(),
                )
            };
            lines.map(with).collect()
        }
        "bridge" => behind(&[3, 0]),
        "secrets" | "sinks" => {
            let mut seeds = behind(&[80]);
            seeds.extend(
                behind(&[1])
                    .into_iter()
                    .map(|(name, seed)| (format!("{name}-1"), seed)),
            );
            seeds
        }
        _ => talks(),
    }
}

fn behind(first: &[u8]) -> Vec<(String, Vec<u8>)> {
    let behind = |(name, talk): (String, Vec<u8>)| (name, [first, &talk[..]].concat());
    talks().into_iter().map(behind).collect()
}

const FILTERS: [&str; 6] = [
    "command:FETCH status:NO,BAD elapsed>=200ms",
    "mailbox:INBOX (unsolicited or not kind:note) -conn:2 and at<1.5s",
    "\"say \\\"x\\\"\" or flag:\\Seen octets!=10KiB n<=27",
    "from:server,client code:ALERT name:EXISTS tag:a1",
    "not not (note:bare-lf* or incomplete ambiguous)",
    "mailbox:\"Sent Items\",Archive/* or \"\u{e9}\"",
];

/// The first octet is the name's, as the target has it.
const LOGS: &[(&str, &[u8])] = &[
    ("rawlog-in", b"\x011700000000.000001 a APPEND x {3}\r\n1700000000.000002 abc\r\n1700000000.000003 b IDLE\r\n"),
    ("rawlog-out", b"\x02* CAPABILITY X\r\nz OK in\r\n* 1 FETCH (A {3}\r\nabc)\r\n+ go\r\n"),
    ("rawlog-both", b"\x03a NOOP\r\nb IDLE\r\nDONE\r\n\xf7z OK in\r\na OK\r\n+ idling\r\nb OK\r\n"),
    ("imaplib", b"\x00  57:42.84 < b'* OK \\xe9\\''\n  57:42.84 > b\"a X {3}\"\n  57:42.84 write literal size 3\n"),
    ("thunderbird", b"\x002023-11-11 10:11:12.5 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:CreateNewLineFromSocket: * OK hi\n2023-11-11 10:11:12.5 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:SendData: Logging suppressed for this command\n"),
    ("s-client", b"\x00CONNECTED(00000003)\n---\n* OK hi\na APPEND x {3}\n+ go\nabc\na OK\n---\nx\n---\nclosed\n"),
    ("curl", b"\x00*   Trying 127.0.0.1:143...\n< * OK hi\n> A1 NOOP\n< A1 OK done\n* Connection #0\n"),
    ("mailkit", b"\x00Connected to imaps://imap.example.com:993/\n10:11:12.5 S: * OK hi\n10:11:13 C: A1 LOGIN x y\nS\\: + \\xe9\n"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings")
}

/// The recordings' files with such an ending.
fn files(endings: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        if endings.contains(&ending) {
            let name = path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .replace('.', "-");
            files.push((name, std::fs::read(&path).unwrap()));
        }
    }
    files.sort();
    assert!(!files.is_empty());
    files
}

fn recordings() -> Vec<(String, Vec<Event>)> {
    let mut all = Vec::new();
    for (name, _) in files(&["json", "txt"]) {
        let (stem, ending) = name.rsplit_once('-').unwrap();
        let path = folder().join(format!("{stem}.{ending}"));
        let events = Events::open(&path).unwrap().map(Result::unwrap).collect();
        all.push((name, events));
    }
    all
}

/// Each as the short form.
fn texts() -> Vec<(String, Vec<u8>)> {
    recordings()
        .into_iter()
        .map(|(name, events)| (name, text(&events)))
        .collect()
}

fn document(events: &[Event]) -> Vec<u8> {
    let mut document = b"{\"mailscope\":{\"format\":1},\"events\":[\n".to_vec();
    for (place, event) in events.iter().enumerate() {
        document.extend_from_slice(if place == 0 { b"" } else { b",\n" });
        write_event(&mut document, event);
    }
    document.extend_from_slice(b"\n]}\n");
    document
}

fn text(events: &[Event]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut writer = TextWriter::new(&mut octets);
    let document = std::io::Cursor::new(document(events));
    for recorded in Reader::new(document, "a recording").unwrap() {
        writer.write(&recorded.unwrap()).unwrap();
    }
    writer.flush().unwrap();
    drop(writer);
    octets
}

fn capture(events: &[Event]) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut capture = Capture::new(&mut octets, Duration::from_secs(1)).unwrap();
    for event in events {
        capture.write(event).unwrap();
    }
    capture.flush().unwrap();
    drop(capture);
    octets
}

/// Each as a conversation.
fn talks() -> Vec<(String, Vec<u8>)> {
    let of = |(name, events): (String, Vec<Event>)| (name, talk(&events));
    let mut talks: Vec<_> = recordings().into_iter().map(of).collect();
    for (place, rare) in RARE.iter().enumerate() {
        talks.push((format!("rare-{place}"), rarely(rare)));
    }
    talks
}

fn talk(events: &[Event]) -> Vec<u8> {
    let mut talk = Vec::new();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        talk.push(match said.from {
            Peer::Client => CLIENT,
            Peer::Server => SERVER,
        });
        let mut rest = said.wire.bytes();
        while let Some((first, behind)) = rest.split_first() {
            if let Some(behind) = rest.strip_prefix(MASK) {
                talk.push(PASSWORD);
                rest = behind;
                continue;
            }
            if *first >= CLIENT {
                talk.push(AS_IT_IS);
            }
            talk.push(*first);
            rest = behind;
        }
    }
    talk
}

fn rarely(rare: &str) -> Vec<u8> {
    let mut talk = Vec::new();
    let mut from = SERVER;
    let mut before = '\n';
    for character in rare.chars() {
        let begins = matches!(before, '\n') && matches!(character, 'C' | 'S');
        match character {
            'C' if begins => from = CLIENT,
            'S' if begins => from = SERVER,
            '%' => talk.push(PASSWORD),
            '^' => talk.push(if from == CLIENT {
                DEFLATED_CLIENT
            } else {
                DEFLATED_SERVER
            }),
            other => talk.extend(other.to_string().into_bytes()),
        }
        if begins {
            talk.push(from);
        }
        before = character;
    }
    if talk.contains(&PASSWORD) {
        talk.extend([CLIENT, b'x', CUT, b' ', ENCODED, 3, b'\r', b'\n']);
    }
    talk
}
