//! The whole way: documents that the writer makes, hands edit and power cuts tear, read again.

use std::io::{BufReader, Cursor};

use serde_json::{Value, json};

use super::document::Document;
use super::document::tests::Disk;
use super::sample;
use super::schema::tests::assert_valid;
use super::*;
use crate::event::{
    Awaited, Body, Event, LiteralForm, Message, Micros, Peer, Recorded, RecordedBody,
    RecordedMessage, Secrets,
};

/// The sample session's document, as it lies on disk.
fn document() -> String {
    written(&sample::session())
}

pub(super) fn written(events: &[Event]) -> String {
    let mut document = Document::begin(Disk::new(usize::MAX), &sample::header()).unwrap();
    document.append(events).unwrap();
    String::from_utf8(document.storage_mut().octets.clone()).unwrap()
}

fn reader(octets: impl AsRef<[u8]>) -> crate::error::Result<Reader> {
    // A small buffer, so that most values lie across several reads.
    let input = Cursor::new(octets.as_ref().to_vec());
    Reader::new(BufReader::with_capacity(7, input), "tour.json")
}

/// All events, and what is said about the end.
fn read(octets: impl AsRef<[u8]>) -> (Vec<Recorded>, Option<String>) {
    let mut reader = reader(octets).unwrap();
    let events = reader.by_ref().map(Result::unwrap).collect();
    (events, reader.torn())
}

fn error(octets: impl AsRef<[u8]>) -> String {
    match reader(octets) {
        Err(error) => error.to_string(),
        Ok(reader) => reader
            .filter_map(Result::err)
            .next()
            .expect("an error")
            .to_string(),
    }
}

fn message(event: &Recorded) -> &RecordedMessage {
    match &event.body {
        RecordedBody::Message(message) => message,
        RecordedBody::Bare(_) => panic!("event {} has no wire", event.n),
    }
}

/// A document with these events, one a line from line 3 on.
fn events(lines: &[&str]) -> String {
    format!(
        "{{\"mailscope\":{{\"format\":1}},\n\"events\":[\n{}\n]}}\n",
        lines.join(",\n")
    )
}

fn assert_same(read: &[Recorded], session: &[Event]) {
    assert_eq!(read.len(), session.len());
    for (read, event) in read.iter().zip(session) {
        assert_eq!(
            (read.n, read.conn, read.at),
            (event.n, event.conn, event.at)
        );
        match (&read.body, &event.body) {
            (RecordedBody::Message(read), Body::Said(said)) => {
                assert_eq!(read.from, said.from);
                assert_eq!(read.message.bytes(), said.wire.bytes());
                assert_eq!(read.message.pieces(), said.wire.pieces());
                assert_eq!(read.incomplete, said.incomplete);
            }
            (RecordedBody::Bare(body), _) => {
                let event = Event {
                    body: body.clone(),
                    ..event.clone()
                };
                let mut line = Vec::new();
                write_event(&mut line, &event);
                assert_eq!(line, sample::LINES[event.n as usize - 1].as_bytes());
            }
            _ => panic!("event {} changed its nature", event.n),
        }
    }
}

#[test]
fn what_was_written_is_read_again() {
    let (events, torn) = read(document());
    assert_eq!(torn, None);
    assert_same(&events, &sample::session());
    assert_eq!(reader(document()).unwrap().header(), &sample::header());
}

#[test]
fn what_only_the_recording_knows_is_kept() {
    let (events, _) = read(document());
    let login = message(&events[3]);
    assert_eq!(
        (login.kind.as_deref(), login.identity.as_deref()),
        (Some("command"), Some("alice"))
    );
    let plus = message(&events[7]);
    assert_eq!(
        (plus.awaited, plus.tag.as_deref()),
        (Some(Awaited::Idle), Some("b"))
    );
    assert_eq!(message(&events[13]).part, Some((3, 6)));
    assert_eq!(message(&events[14]).message.octets(), 60);
    assert!(message(&events[16]).refused);
    assert!(message(&events[17]).incomplete);
}

#[test]
fn one_laid_out_anew_is_read_the_same() {
    let value: Value = serde_json::from_str(&document()).unwrap();
    let (header, list) = (&value["mailscope"], &value["events"]);
    for document in [
        serde_json::to_string(&value).unwrap(),
        serde_json::to_string_pretty(&value).unwrap(),
        json!({"events": list, "other": [{}], "mailscope": header}).to_string(),
        format!("\u{feff} {}", document().replace('\n', "\r\n")),
    ] {
        let (events, torn) = read(&document);
        assert_eq!(torn, None, "{document}");
        assert_same(&events, &sample::session());
    }
}

#[test]
fn the_contracts_example_is_read() {
    let document = r#"{"mailscope":{"format":1,"protocol":"imap","version":"0.1.0","started":"2026-11-23T12:00:00.000Z",
      "server":"imap.gmail.com:993","secrets":"masked"},
    "events":[
    {"n":1,"conn":1,"at":0.000000,"kind":"connected","client":"127.0.0.1:51324","server":"imap.gmail.com:993"},
    {"n":2,"conn":1,"at":0.021400,"kind":"secured","leg":"server","version":"TLSv1.3","cipher":"...","alpn":null,"sni":"imap.gmail.com","certificate":{}},
    {"n":6,"conn":1,"at":0.121000,"from":"server","kind":"tagged","tag":"tag3","status":"OK","answers":4,"elapsed":0.080,"text":"...","wire":["..."]},
    {"n":9,"conn":1,"at":0.300000,"from":"server","kind":"untagged","name":"FETCH","number":1,"answers":7,"data":{},
      "wire":["* 1 FETCH (BODY[HEADER.FIELDS (DATE FROM)] ",{"literal":"From: ...\r\n\r\n"},")\r\n"]},
    {"n":10,"conn":1,"at":0.300000,"from":"server","kind":"untagged","name":"EXPUNGE","number":55,"unsolicited":true,"wire":["* 55 EXPUNGE\r\n"]}
    ]}"#;
    let (events, torn) = read(document);
    assert_eq!(torn, None);
    assert_eq!(events.len(), 5);
    assert_eq!(events[3].at, Micros(300_000));
    assert_eq!(
        message(&events[3]).message.bytes(),
        b"* 1 FETCH (BODY[HEADER.FIELDS (DATE FROM)] {13}\r\nFrom: ...\r\n\r\n)\r\n"
    );
    assert_valid(document);
}

#[test]
fn a_file_torn_anywhere_gives_its_whole_events() {
    let document = document();
    let session = sample::session();
    let ends: Vec<usize> = sample::LINES
        .iter()
        .map(|line| document.find(line).unwrap() + line.len())
        .collect();
    for length in 1..document.len() {
        for tail in ["", "\0", "\0\0\0\0\0\0\0\0\0"] {
            let torn = [&document.as_bytes()[..length], tail.as_bytes()].concat();
            let whole = ends.iter().filter(|&&end| end <= length).count();
            let (events, message) = read(&torn);
            assert_same(&events, &session[..whole]);
            let complete = length == document.len() - 1 && tail.is_empty();
            assert_eq!(message.is_none(), complete, "{length} octets");
        }
    }
}

#[test]
fn about_a_torn_file_its_name_its_line_and_its_events_are_said() {
    let document = document();
    let (_, torn) = read(&document[..document.find("\"tag\":\"a\"").unwrap()]);
    let torn = torn.unwrap();
    assert!(
        torn.starts_with("tour.json ends unfinished in line 6") && torn.contains("3 whole"),
        "{torn}"
    );
}

#[test]
fn what_a_hand_leaves_out_is_made_up_for() {
    let (events, _) = read(events(&[
        r#"{"kind":"connected"}"#,
        r#"{"at":1.5,"from":"server","wire":["* OK ",{"base64":"/w=="},"\r\n"],"more":[1]}"#,
        r#"{"n":7,"conn":2,"at":2,"from":"client","kind":"command","wire":[]}"#,
        r#"{"from":"server","kind":"literal_part","wire":["abc"]}"#,
        r#"{"kind":"compressed","method":"DEFLATE"}"#,
        r#"{"from":"mailscope","to":"client","kind":"untagged","wire":["* BYE\r\n"]}"#,
        r#"{"from":"server","kind":"tomorrow","wire":["x"]}"#,
    ]));
    let places: Vec<_> = events.iter().map(|e| (e.n, e.conn, e.at.0)).collect();
    assert_eq!(
        places,
        [
            (1, 1, 0),
            (2, 1, 1_500_000),
            (7, 2, 2_000_000),
            (8, 1, 2_000_000),
            (9, 1, 2_000_000),
            (10, 1, 2_000_000),
            (11, 1, 2_000_000)
        ]
    );
    assert_eq!(message(&events[1]).kind, None);
    assert_eq!(message(&events[3]).part, Some((0, 3)));
    assert!(matches!(
        &events[4].body,
        RecordedBody::Bare(Body::Compressed)
    ));
    assert!(message(&events[5]).own);
    assert_eq!(message(&events[6]).kind.as_deref(), Some("tomorrow"));
}

/// A capture may say of two packets that they are a century apart.
#[test]
fn r010_a_time_is_read_to_the_microsecond_however_long_a_run_is() {
    for (written, at) in [
        ("4323455642.314677", 4_323_455_642_314_677),
        ("9007199254.740993", 9_007_199_254_740_993),
        ("18446744073709.551615", u64::MAX),
        ("0", 0),
        ("7.25", 7_250_000),
        ("0.0000015", 2),
        ("1e3", 1_000_000_000),
        ("-1.5", 0),
    ] {
        let line = format!(r#"{{"at":{written},"kind":"connected"}}"#);
        assert_eq!(read(events(&[&line])).0[0].at.0, at, "{written}");
    }
    let why = error(events(&[r#"{"at":"now","kind":"connected"}"#]));
    assert!(
        why.contains("line 3: at is a number of seconds, not \"now\""),
        "{why}"
    );
}

#[test]
fn an_error_names_file_line_and_reason() {
    let good = r#"{"kind":"connected"}"#;
    for (line, why) in [
        (r#"{"kind":"connected""#, "line 5: "),
        (
            r#"{"kind":"connected}"#,
            "line 4: the line ends within a string",
        ),
        (r#"{"kind":connected}"#, "line 4: expected value"),
        (r#"{"kind":"connected"},"#, "line 4: expected a value"),
        (r#""connected""#, "line 4: invalid type: string"),
        ("[]", "line 4: "),
        ("]", "line 4: a comma before ]"),
        (r#"{"kind":"gap"}{}"#, "line 4: "),
        (
            r#"{"n":1,"kind":"connected"}"#,
            "line 4: n is 1 and does not rise",
        ),
        (
            r#"{"n":"2","kind":"connected"}"#,
            "line 4: invalid type: string",
        ),
        (r#"{"kind":"command","wire":[]}"#, "line 4: from is missing"),
        (
            r#"{"from":"me","wire":[]}"#,
            "line 4: from is client or server, not \"me\"",
        ),
        (
            r#"{"from":"client","kind":"command"}"#,
            "line 4: command needs a wire",
        ),
        (r#"{"from":"client"}"#, "line 4: an event needs a kind"),
        (
            r#"{"from":"client","wire":"x"}"#,
            "line 4: invalid type: string",
        ),
        (
            r#"{"from":"client","wire":[{"base64":"="}]}"#,
            "line 4: base64",
        ),
        (
            r#"{"from":"client","wire":[{"literal":"","form":"x"}]}"#,
            "line 4: the form",
        ),
        (
            r#"{"from":"client","wire":[{"literal":{"parts":[1]}}]}"#,
            "line 4: event 1 is no literal_part",
        ),
        (r#"{"kind":"note"}"#, "line 4: a note needs an id"),
        (r#"{"kind":"gap"}"#, "line 4: a gap needs its octets"),
        (r#"{"kind":"secured"}"#, "line 4: leg is missing"),
        (
            r#"{"kind":"closed","half":true}"#,
            "line 4: from is missing",
        ),
    ] {
        let error = error(events(&[good, line, good]));
        let expected = format!("read tour.json, {why}");
        assert!(error.starts_with(&expected), "{line}: {error}");
    }
}

#[test]
fn broken_json_is_no_torn_tail() {
    for (document, why) in [
        (format!("{} x", document()), "text behind the end"),
        (document().replace("\n]}", "\n]"), ""),
        (document().replace("\n]}", ",\n]}"), "a comma before ]"),
        (document().replace("\n]}", "\n}}"), "expected , or ]"),
        (
            document().replacen("\"imap\"", "imap", 1),
            "line 1: expected value",
        ),
    ] {
        if why.is_empty() {
            assert!(read(&document).1.is_some());
        } else {
            assert!(error(&document).contains(why), "{}", error(&document));
        }
    }
    let invalid = document().into_bytes();
    let place = invalid.iter().position(|&o| o == b'G').unwrap();
    let mut invalid = invalid;
    invalid[place] = 0xff;
    assert!(
        error(&invalid).contains("line 4: invalid unicode"),
        "{}",
        error(&invalid)
    );
}

#[test]
fn after_an_error_there_is_nothing() {
    let mut reader = reader(events(&["{}", r#"{"kind":"closed"}"#])).unwrap();
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn what_is_no_transcript_is_told_so() {
    for text in [
        "",
        "* OK hello\r\n",
        "[]",
        "{}",
        "{\"n\":1,\"kind\":\"connected\"}\n{\"n\":2}\n",
        "{\"log\":{",
        "{\"log\":1,",
        "{\"events\":[]}",
        "\0\0\0",
    ] {
        let error = error(text);
        assert!(
            error.contains("this is not a transcript"),
            "{text}: {error}"
        );
        assert!(
            error.contains("try: a file that mailscope record wrote"),
            "{text}: {error}"
        );
    }
}

#[test]
fn a_newer_format_is_refused() {
    let newer = document().replacen("\"format\":1", "\"format\":2", 1);
    assert_eq!(
        error(newer),
        "read tour.json, line 1: format 2 is newer than this version reads (1)"
    );
}

#[test]
fn parts_belong_to_their_connection_and_to_one_message() {
    let part = r#"{"n":1,"conn":1,"from":"server","kind":"literal_part","wire":["abc"]}"#;
    let message = r#"{"from":"server","kind":"untagged","wire":[{"literal":{"parts":[1]}}]}"#;
    let elsewhere = message.replacen('{', "{\"conn\":2,", 1);
    assert_eq!(read(events(&[part, message])).0.len(), 2);
    for broken in [
        events(&[part, message, message]),
        events(&[part, &elsewhere]),
        events(&[part, r#"{"kind":"closed"}"#, message]),
    ] {
        assert!(error(broken).contains("event 1 is no literal_part"));
    }
}

#[test]
fn a_literal_cut_short_keeps_its_header() {
    let mut cut = Message::text(b"a APPEND x ");
    cut.push_whole_literal(LiteralForm::NonSync, b"{310+}\r\n", b"Fr");
    let mut said = sample::said(Peer::Client, cut.clone(), crate::event::Reading::Opaque);
    said.incomplete = true;
    let event = Event {
        n: 1,
        conn: 1,
        at: Micros(0),
        body: Body::Said(Box::new(said)),
    };
    let document = written(&[event]);
    assert!(document.contains(
        r#""incomplete":true,"wire":["a APPEND x ",{"literal":"Fr","form":"nonsync","header":"{310+}\r\n"}]"#
    ));
    assert!(message(&read(document).0[0]).message == cut);
}

#[test]
fn no_broken_file_is_too_much() {
    // Every octet dropped, or another one: an error or events, and an end.
    const INSTEAD: [&[u8]; 9] = [b"", b"\"", b"{", b"]", b"\\", b"\n", b"\xff", b"0", b"\0"];
    let document = document().into_bytes();
    for (place, instead) in (0..document.len()).zip(INSTEAD.iter().cycle()) {
        let (before, after) = (&document[..place], &document[place + 1..]);
        if let Ok(reader) = reader([before, instead, after].concat()) {
            assert!(reader.count() <= sample::LINES.len() + 1);
        }
    }
}

#[test]
fn a_file_is_read_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = place(
        folder.path(),
        "h",
        time::macros::datetime!(2026-11-24 00:00 UTC),
    )
    .unwrap();
    let mut file = TranscriptFile::create(&path, &sample::header()).unwrap();
    file.append(&sample::session()).unwrap();
    let mut reader = Reader::open(&path).unwrap();
    assert_eq!(reader.header().secrets, Secrets::Masked);
    assert_eq!(reader.by_ref().count() as u64, file.events());
    assert_eq!(reader.torn(), None);
    let error = Reader::open(&folder.path().join("no.json")).err().unwrap();
    assert!(error.to_string().contains("no.json: "), "{error}");
}
