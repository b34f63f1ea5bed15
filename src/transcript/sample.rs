//! One session with an event of every kind, and the lines that it is written as; for tests.

use time::macros::datetime;

use crate::event::json::Object;
use crate::event::{
    Awaited, Body, CapabilityChange, Draft, Event, Finding, Gate, Label, LiteralForm, Message,
    Micros, Numbers, Peer, Reading, Relation, Said, Secret, Secrets, Secured, Span, Status,
};

use super::header::Header;

/// A header whose octets do not change with the crate's version.
pub(super) fn header() -> Header {
    Header {
        version: "0.1.0".into(),
        ..Header::new(datetime!(2026-11-23 12:00 UTC), "imap.gmail.com:993")
    }
}

/// A server's octets that make no message.
pub(super) fn text(n: u64, octets: &[u8]) -> Event {
    let said = said(Peer::Server, Message::text(octets), Reading::Opaque);
    Numbers::new(1).number(Draft::new(n, Micros(n), Body::Said(Box::new(said))), n)
}

/// The sealed message with nothing known about it.
pub(super) fn said(from: Peer, message: Message, reading: Reading) -> Said {
    Said::new(from, Gate::new(Secrets::Masked).seal(message, &[]), reading)
}

/// A line with the spans of these words, which stand in it in this order.
fn line(from: Peer, text: &str, words: &[(Label, &str)], reading: Reading) -> Said {
    let mut said = said(from, Message::text(text.as_bytes()), reading);
    let mut at = 0;
    for (label, word) in words {
        let start = at + text[at..].find(word).unwrap();
        at = start + word.len();
        said.spans.push(Span {
            range: start..at,
            label: *label,
        });
    }
    said
}

fn command(tag: &str, name: &'static str) -> Reading {
    Reading::Command {
        tag: Some(tag.into()),
        name: Some(name.into()),
        mechanism: None,
        identity: None,
        refused: false,
    }
}

fn untagged(name: &'static str, number: Option<u64>, status: Option<Status>) -> Reading {
    Reading::Untagged {
        name: name.into(),
        number,
        status,
        data: None,
    }
}

/// The session's events, numbered from 1.
pub(super) fn session() -> Vec<Event> {
    let mut numbers = Numbers::new(1);
    let bodies = [opening(), login(), fetching(), ending()].concat();
    (1..)
        .zip(bodies)
        .map(|(n, body)| numbers.number(Draft::new(n, Micros(n * 10_000 + 1), body), n))
        .collect()
}

fn boxed(said: Said) -> Body {
    Body::Said(Box::new(said))
}

fn opening() -> Vec<Body> {
    let status = Some(Status::Ok);
    let words = [
        (Label::Tag, "*"),
        (Label::Status, "OK"),
        (Label::CodeOpen, "["),
        (Label::CodeName, "capability"),
        (Label::Atom, "IMAP4rev1"),
        (Label::Atom, "IDLE"),
        (Label::CodeClose, "]"),
        (Label::Text, "Gimap ready"),
    ];
    let greeting = "* OK [capability IMAP4rev1 IDLE] Gimap ready\r\n";
    let mut greeting = line(Peer::Server, greeting, &words, Reading::Greeting { status });
    greeting.capabilities = Some(Box::new(CapabilityChange {
        added: vec!["IMAP4rev1".into(), "IDLE".into()],
        removed: vec![],
    }));
    vec![
        Body::Connected {
            client: "127.0.0.1:51324".into(),
            server: "imap.gmail.com:993".into(),
        },
        Body::Secured(Box::new(Secured {
            leg: Peer::Server,
            version: "TLSv1.3".into(),
            cipher: "TLS13_AES_256_GCM_SHA384".into(),
            alpn: None,
            sni: Some("imap.gmail.com".into()),
            certificate: serde_json::json!({"subject": "CN=imap.gmail.com\u{202e}"}),
            group: Some("X25519".into()),
            client_certificate: Some(serde_json::json!({})),
            keylog: true,
        })),
        boxed(greeting),
    ]
}

fn login() -> Vec<Body> {
    let gate = Gate::new(Secrets::Masked);
    let mut login = said(Peer::Client, Message::new(), command("a", "LOGIN"));
    login.wire = gate.seal(
        Message::text(b"a LOGIN alice \"hunter2\"\r\n"),
        &[(14..23, Secret::Password)],
    );
    if let Reading::Command { identity, .. } = &mut login.reading {
        *identity = Some("alice".into());
    }
    let plus = [(Label::Tag, "+"), (Label::Text, "go ahead")];
    let mut plus = line(
        Peer::Server,
        "+ go ahead\r\n",
        &plus,
        Reading::ContinuationRequest {
            awaited: Some(Awaited::Idle),
            tag: Some("b".into()),
        },
    );
    plus.relation = Relation::Answers(7);
    let done = said(
        Peer::Client,
        Message::text(b"DONE\r\n"),
        Reading::Continuation {
            tag: Some("b".into()),
            mechanism: None,
            identity: None,
            idled: Some(Micros(1_500_000)),
        },
    );
    let mut exists = line(
        Peer::Server,
        "* 23 EXISTS\r\n",
        &[],
        untagged("EXISTS", Some(23), None),
    );
    exists.relation = Relation::Unsolicited;
    vec![
        boxed(login),
        tagged_ok("a", 4),
        Body::Note(Finding {
            id: "bare-lf".into(),
            text: "the line ends with LF alone".into(),
            clause: Some("RFC 9051, 2.2".into()),
        }),
        boxed(said(
            Peer::Client,
            Message::text(b"b IDLE\n"),
            command("b", "IDLE"),
        )),
        boxed(plus),
        boxed(exists),
        boxed(done),
        tagged_ok("b", 7),
    ]
}

fn tagged_ok(tag: &str, command: u64) -> Body {
    let words = [
        (Label::Tag, tag),
        (Label::Status, "OK"),
        (Label::Text, "done"),
    ];
    let reading = Reading::Tagged {
        tag: tag.into(),
        status: Some(Status::Ok),
        elapsed: Some(Micros(80_000)),
    };
    let text = format!("{tag} OK done\r\n");
    let mut tagged = line(Peer::Server, &text, &words, reading);
    tagged.relation = Relation::Answers(command);
    boxed(tagged)
}

fn fetching() -> Vec<Body> {
    let part = |octets: &[u8], offset| {
        let reading = Reading::LiteralPart { offset, total: 6 };
        let mut part = said(Peer::Server, Message::text(octets), reading);
        part.relation = Relation::Answers(12);
        boxed(part)
    };
    let mut message = Message::text(b"* 1 FETCH (BODY[TEXT] ");
    message.push_whole_streamed(LiteralForm::Sync, b"{6}\r\n", 6, vec![13, 14]);
    message.push_text(b" BODY[HEADER] ");
    message.push_whole_literal(LiteralForm::Literal8, b"~{03}\r\n", b"\xff\r\n");
    message.push_text(b")\r\n");
    let mut fetch = said(Peer::Server, message, untagged("FETCH", Some(1), None));
    fetch.relation = Relation::Ambiguous(vec![12, 12]);
    if let Reading::Untagged { data, .. } = &mut fetch.reading {
        *data = Some(|said, out| {
            let mut data = Object::open(out);
            let mut items = Object::open(data.name("items"));
            items.number("octets", said.wire.octets());
            items.close();
            data.close();
        });
    }
    let words = [
        (Label::Tag, "*"),
        (Label::Status, "OK"),
        (Label::CodeOpen, "["),
        (Label::CodeName, "UNSEEN"),
        (Label::Number, "3"),
        (Label::CodeClose, "]"),
        (Label::Text, "first unseen"),
    ];
    let mut unseen = line(
        Peer::Server,
        "* OK [UNSEEN 3] first unseen\r\n",
        &words,
        untagged("OK", None, Some(Status::Ok)),
    );
    unseen.relation = Relation::Answers(12);
    vec![
        boxed(said(
            Peer::Client,
            Message::text(b"c FETCH 1 (BODY[])\r\n"),
            command("c", "FETCH"),
        )),
        part(b"abc", 0),
        part(b"d\xffe", 3),
        boxed(fetch),
        boxed(unseen),
    ]
}

fn ending() -> Vec<Body> {
    let mut refused = said(
        Peer::Client,
        Message::text(b"d APPEND x {3}\r\n"),
        command("d", "APPEND"),
    );
    if let Reading::Command { refused, .. } = &mut refused.reading {
        *refused = true;
    }
    let mut cut = said(
        Peer::Server,
        Message::text(b"* \x1b[2J \xff"),
        Reading::Opaque,
    );
    cut.incomplete = true;
    cut.relation = Relation::Unsolicited;
    vec![
        boxed(refused),
        boxed(cut),
        Body::Gap {
            octets: 512,
            missed_by: crate::event::MissedBy::Transcript,
        },
        Body::HalfClosed { from: Peer::Client },
        Body::Closed {
            reason: Some("reset".into()),
        },
    ]
}

/// What [`session`] is written as.
pub(super) const LINES: [&str; 21] = [
    r#"{"n":1,"conn":1,"at":0.010001,"kind":"connected","client":"127.0.0.1:51324","server":"imap.gmail.com:993"}"#,
    r#"{"n":2,"conn":1,"at":0.020001,"kind":"secured","leg":"server","version":"TLSv1.3","cipher":"TLS13_AES_256_GCM_SHA384","alpn":null,"sni":"imap.gmail.com","certificate":{"subject":"CN=imap.gmail.com\u202e"},"group":"X25519","client_certificate":{},"keylog":true}"#,
    r#"{"n":3,"conn":1,"at":0.030001,"from":"server","kind":"greeting","status":"OK","code":{"name":"CAPABILITY","value":["IMAP4rev1","IDLE"]},"text":"Gimap ready","capabilities":{"added":["IMAP4rev1","IDLE"],"removed":[]},"wire":["* OK [capability IMAP4rev1 IDLE] Gimap ready\r\n"]}"#,
    r#"{"n":4,"conn":1,"at":0.040001,"from":"client","kind":"command","tag":"a","name":"LOGIN","identity":"alice","wire":["a LOGIN alice ",{"secret":"password"},"\r\n"]}"#,
    r#"{"n":5,"conn":1,"at":0.050001,"from":"server","kind":"tagged","tag":"a","status":"OK","answers":4,"elapsed":0.080000,"text":"done","wire":["a OK done\r\n"]}"#,
    r#"{"n":6,"conn":1,"at":0.060001,"kind":"note","id":"bare-lf","text":"the line ends with LF alone","clause":"RFC 9051, 2.2"}"#,
    r#"{"n":7,"conn":1,"at":0.070001,"from":"client","kind":"command","tag":"b","name":"IDLE","wire":["b IDLE\n"]}"#,
    r#"{"n":8,"conn":1,"at":0.080001,"from":"server","kind":"continuation_request","for":"idle","tag":"b","answers":7,"text":"go ahead","wire":["+ go ahead\r\n"]}"#,
    r#"{"n":9,"conn":1,"at":0.090001,"from":"server","kind":"untagged","name":"EXISTS","number":23,"unsolicited":true,"wire":["* 23 EXISTS\r\n"]}"#,
    r#"{"n":10,"conn":1,"at":0.100001,"from":"client","kind":"continuation","tag":"b","idled":1.500000,"wire":["DONE\r\n"]}"#,
    r#"{"n":11,"conn":1,"at":0.110001,"from":"server","kind":"tagged","tag":"b","status":"OK","answers":7,"elapsed":0.080000,"text":"done","wire":["b OK done\r\n"]}"#,
    r#"{"n":12,"conn":1,"at":0.120001,"from":"client","kind":"command","tag":"c","name":"FETCH","wire":["c FETCH 1 (BODY[])\r\n"]}"#,
    r#"{"n":13,"conn":1,"at":0.130001,"from":"server","kind":"literal_part","answers":12,"offset":0,"octets":6,"wire":["abc"]}"#,
    r#"{"n":14,"conn":1,"at":0.140001,"from":"server","kind":"literal_part","answers":12,"offset":3,"octets":6,"wire":["d",{"base64":"/w=="},"e"]}"#,
    r#"{"n":15,"conn":1,"at":0.150001,"from":"server","kind":"untagged","name":"FETCH","number":1,"ambiguous":[12,12],"data":{"items":{"octets":60}},"wire":["* 1 FETCH (BODY[TEXT] ",{"literal":{"parts":[13,14]}}," BODY[HEADER] ",{"literal":{"base64":"/w0K"},"form":"literal8","header":"~{03}\r\n"},")\r\n"]}"#,
    r#"{"n":16,"conn":1,"at":0.160001,"from":"server","kind":"untagged","name":"OK","answers":12,"status":"OK","code":{"name":"UNSEEN","value":3},"text":"first unseen","wire":["* OK [UNSEEN 3] first unseen\r\n"]}"#,
    r#"{"n":17,"conn":1,"at":0.170001,"from":"client","kind":"command","tag":"d","name":"APPEND","refused":true,"wire":["d APPEND x {3}\r\n"]}"#,
    r#"{"n":18,"conn":1,"at":0.180001,"from":"server","kind":"opaque","unsolicited":true,"incomplete":true,"wire":["* \u001b[2J ",{"base64":"/w=="}]}"#,
    r#"{"n":19,"conn":1,"at":0.190001,"kind":"gap","octets":512}"#,
    r#"{"n":20,"conn":1,"at":0.200001,"kind":"closed","from":"client","half":true}"#,
    r#"{"n":21,"conn":1,"at":0.210001,"kind":"closed","reason":"reset"}"#,
];
