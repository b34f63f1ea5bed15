//! A whole session, as a reader sees it: golden files, and a way to look at it in colour.

mod fit;
mod rows;
mod talk;

use self::talk::Part::{Literal, Secret as Hidden, Streamed, Text};
use self::talk::Talk;
use super::*;
use crate::event::*;

fn view(events: &[Event], width: usize, color: Color) -> String {
    let mut terminal = Terminal::new(Style { width, color });
    let mut out = Vec::new();
    for event in events {
        terminal.write_event(&mut out, event).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn plain(events: &[Event], width: usize) -> String {
    view(events, width, Color::Never)
}

fn session() -> Vec<Event> {
    let mut talk = Talk::new();
    talk.body(Body::Connected {
        client: "127.0.0.1:51324".into(),
        server: "imap.example.org:993".into(),
    });
    talk.wait(20).body(Body::Secured(Box::new(Secured {
        leg: Peer::Server,
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        alpn: Some("imap".into()),
        sni: Some("imap.example.org".into()),
        certificate: serde_json::json!({ "verified": true }),
        group: None,
        client_certificate: None,
        keylog: false,
    })));
    talk.body(Body::Secured(Box::new(Secured {
        leg: Peer::Client,
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_256_GCM_SHA384".into(),
        alpn: None,
        sni: Some("localhost".into()),
        certificate: serde_json::json!({}),
        group: None,
        client_certificate: None,
        keylog: false,
    })));
    logging_in(&mut talk);
    reading(&mut talk);
    idling(&mut talk);
    talk.events
}

fn logging_in(talk: &mut Talk) {
    let reading = Reading::Greeting {
        status: Some(Status::Ok),
    };
    let line = b"* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ AUTH=PLAIN] example.org ready\r\n";
    let mut greeting = talk.message(Peer::Server, &[Text(line)], reading);
    let names = ["IMAP4rev1", "SASL-IR", "LITERAL+", "AUTH=PLAIN"];
    greeting.capabilities = Some(Box::new(CapabilityChange {
        added: names.map(String::from).to_vec(),
        removed: Vec::new(),
    }));
    talk.wait(12).said(greeting);
    talk.command(
        "a1",
        "LOGIN",
        &[
            Text(b"a1 LOGIN alice "),
            Hidden(Secret::Password),
            Text(b"\r\n"),
        ],
    );
    let line = b"* CAPABILITY IMAP4rev1 LITERAL+ IDLE MOVE UIDPLUS\r\n";
    let mut changed = talk.response(&[Text(line)], Relation::Answers(5));
    changed.capabilities = Some(Box::new(CapabilityChange {
        added: ["IDLE", "MOVE", "UIDPLUS"].map(String::from).to_vec(),
        removed: ["SASL-IR", "AUTH=PLAIN"].map(String::from).to_vec(),
    }));
    talk.wait(79).said(changed);
    talk.tagged("a1", "OK Logged in", 80);
}

fn reading(talk: &mut Talk) {
    talk.command("a2", "SELECT", &[Text(b"a2 SELECT INBOX\r\n")]);
    talk.command(
        "a3",
        "STATUS",
        &[Text(b"a3 STATUS Drafts (MESSAGES UNSEEN)\r\n")],
    );
    talk.wait(9);
    for line in [
        "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Forwarded)\r\n",
        "* 55 EXISTS\r\n",
        "* OK [UIDVALIDITY 1386592512] UIDs valid\r\n",
    ] {
        let mut said = talk.response(&[Text(line.as_bytes())], Relation::Answers(8));
        said.among = Some("a2".into());
        talk.said(said);
    }
    let ambiguous = Relation::Ambiguous(vec![8, 9]);
    let said = talk.response(&[Text(b"* LIST () \"/\" INBOX\r\n")], ambiguous);
    talk.said(said);
    talk.tagged("a2", "OK [READ-WRITE] Select completed", 12);
    talk.tagged("a3", "NO [NONEXISTENT] Mailbox doesn't exist: Drafts", 1210);
    talk.command(
        "a4",
        "FETCH",
        &[Text(b"a4 FETCH 1 (FLAGS BODY.PEEK[HEADER])\r\n")],
    );
    let header = "Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nFrom: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\n\
        To: alice@example.org\r\nSubject: Grüße \u{202e}gpj.exe\r\n\
        Received: from mx.example.org (mx.example.org [192.0.2.1])\r\n\tby imap.example.org; Mon\r\n\
        MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    talk.untagged(&[
        Text(b"* 1 FETCH (FLAGS (\\Seen) BODY[HEADER] "),
        Literal(header.as_bytes()),
        Text(b" BODY[1] "),
        Literal(b"Hello"),
        Text(b")\r\n"),
    ]);
    talk.untagged(&[
        Text(b"* 2 FETCH (BODY[2] "),
        Streamed(1_048_576, 16),
        Text(b")\r\n"),
    ]);
    talk.tagged("a4", "OK Fetch completed", 3);
    talk.command("a5", "FECTH", &[Text(b"a5 FECTH 1 BODY[]\r\n")]);
    talk.tagged("a5", "BAD Unknown command FECTH", 1);
}

fn idling(talk: &mut Talk) {
    talk.command("a6", "IDLE", &[Text(b"a6 IDLE\r\n")]);
    let reading = Reading::ContinuationRequest {
        awaited: Some(Awaited::Idle),
        tag: Some("a6".into()),
    };
    let idling = talk.message(Peer::Server, &[Text(b"+ idling\r\n")], reading);
    talk.said(idling);
    talk.wait(7_000).unsolicited("* 55 EXPUNGE");
    talk.unsolicited("* 54 EXISTS");
    talk.unsolicited("* 12 FETCH (FLAGS (\\Seen $Junk))");
    talk.unsolicited("* OK [ALERT] Your quota is nearly used up");
    let reading = Reading::Continuation {
        tag: Some("a6".into()),
        mechanism: None,
        identity: None,
        idled: Some(Micros(12_345_000)),
    };
    let done = talk.message(Peer::Client, &[Text(b"DONE\r\n")], reading);
    talk.wait(5_000).said(done);
    talk.tagged("a6", "OK Idle completed", 12_347);
    talk.body(Body::Note(Note::Insecure.finding()));
    talk.body(Body::Note(Note::BareLf.finding()));
    talk.body(Body::Gap {
        octets: 123_456,
        missed_by: crate::event::MissedBy::Viewer,
    });
    let opaque = b"\x17\x03\x03\x00\x45\x9a\x01\x88\xfe\xdc\xba\x98\x76\x54\x32\x10hello\x00world";
    let opaque = talk.message(Peer::Server, &[Text(opaque)], Reading::Opaque);
    talk.said(opaque);
    talk.unsolicited("* BYE Autologout; idle for too long");
    talk.body(Body::HalfClosed { from: Peer::Server });
    talk.body(Body::Closed { reason: None });
}

/// Compares with a file beside this one; `BLESS=1 cargo test --lib sink::` writes it.
fn golden(name: &str, expected: &str, actual: &str) {
    if std::env::var_os("BLESS").is_some() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sink/terminal/tests/");
        std::fs::write(format!("{folder}{name}"), actual).unwrap();
        return;
    }
    assert_eq!(actual, expected, "{name}");
}

#[test]
fn a_session_on_80_columns() {
    let expected = include_str!("session-80.txt");
    golden("session-80.txt", expected, &plain(&session(), 80));
}

#[test]
fn a_session_on_50_columns() {
    let expected = include_str!("session-50.txt");
    golden("session-50.txt", expected, &plain(&session(), 50));
}

#[test]
fn each_event_is_written_the_same_alone_and_among_others() {
    let events = session();
    let alone: String = events
        .iter()
        .map(|event| plain(std::slice::from_ref(event), 80))
        .collect();
    assert_eq!(alone, plain(&events, 80));
}

#[test]
fn a_message_that_is_gone_is_told_with_its_uid() {
    let mut talk = Talk::new();
    talk.command("a1", "SELECT", &[Text(b"a1 SELECT x\r\n")]);
    talk.untagged(&[Text(b"* 55 EXISTS\r\n")]);
    talk.unsolicited("* 54 FETCH (FLAGS (\\Seen))").about(4390);
    talk.unsolicited("* 3 EXPUNGE");
    talk.unsolicited("* 53 EXPUNGE").about(4390);
    let shown = plain(&talk.events, 120);
    assert!(shown.contains("message 3 is gone, higher"), "{shown}");
    assert!(
        shown.contains("flags of message 54 (UID 4390) are now \\Seen"),
        "{shown}"
    );
    assert!(
        shown.contains("message 53 is gone (UID 4390), higher"),
        "{shown}"
    );
}

/// A command's reading.
fn named(tag: &str, name: &'static str) -> Reading {
    Reading::Command {
        tag: Some(tag.into()),
        name: Some(name.into()),
        mechanism: None,
        identity: None,
        refused: false,
    }
}
