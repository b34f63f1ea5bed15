//! Single events, row by row.

use super::talk::Part::{Literal, Secret as Hidden, Text};
use super::talk::Talk;
use super::{named, plain};
use crate::event::*;
use crate::figure;

fn one(said: impl FnOnce(&Talk) -> Said, width: usize) -> String {
    let mut talk = Talk::new();
    let said = said(&talk);
    plain(&talk.said(said).events, width)
}

/// The rows without time, connection and what is left of them.
fn rows(view: &str) -> Vec<String> {
    let cut = |row: &str| row.chars().skip(12).collect();
    view.lines().map(cut).collect()
}

fn command(text: &[u8]) -> impl FnOnce(&Talk) -> Said {
    move |talk| talk.message(Peer::Client, &[Text(text)], named("a1", "X"))
}

#[test]
fn what_names_and_encoded_words_read_as_is_told_below() {
    let view = one(
        command(b"a1 COPY 1 \"Entw&APw-rfe\" &AOk- \"=?utf-8?Q?=C3=89?=\"\r\n"),
        80,
    );
    assert!(view.contains("reads as: Entwürfe, é, É\n"), "{view}");
    // A right-to-left override is not let loose on the terminal.
    let view = one(command(b"a1 SELECT x&IC4-y\r\n"), 80);
    assert!(
        view.contains("reads as: x") && !view.contains('\u{202e}'),
        "{view}"
    );
    for text in [&b"a1 SELECT INBOX\r\n"[..], b"a1 SELECT R&D\r\n"] {
        let view = one(command(text), 80);
        assert!(!view.contains("reads as"), "{view}");
    }
    let in_utf8 = |talk: &Talk| {
        let mut said = command(b"a1 SELECT &AOk-\r\n")(talk);
        said.details.names = MailboxNames::Utf8;
        said
    };
    assert!(!one(in_utf8, 80).contains("reads as"));
}

#[test]
fn long_text_is_folded_after_eight_rows() {
    let text = format!("a1 SEARCH {}\r\n", "1234567 ".repeat(1000));
    let view = one(command(text.as_bytes()), 80);
    let rows = rows(&view);
    assert_eq!(rows.len(), 9);
    assert!(rows[1].starts_with("     1234567 1234567"), "{view}");
    assert!(rows[8].starts_with("     … 7,"), "{view}");
    assert!(rows[8].contains(" more octets"), "{view}");
}

#[test]
fn nine_rows_are_not_folded() {
    let word = "x".repeat(60);
    let text = [word.as_str(); 9].join(" ");
    let view = one(command(text.as_bytes()), 80);
    assert_eq!(view.lines().count(), 9, "{view}");
    assert!(!view.contains("more octets"));
}

#[test]
fn folded_text_says_how_many_octets_are_not_shown() {
    let text = format!("{}\r\n", "x".repeat(5000));
    let view = one(command(text.as_bytes()), 80);
    let shown = view.matches('x').count();
    let more = figure::count(5000 - shown as u64);
    assert!(view.contains(&format!("… {more} more octets ")), "{view}");
}

#[test]
fn secrets_have_placeholders_of_one_length() {
    let parts = [
        Text(b"a1 AUTHENTICATE PLAIN "),
        Hidden(Secret::Sasl),
        Text(b"\r\n"),
    ];
    let reading = Reading::Command {
        tag: Some("a1".into()),
        name: Some("AUTHENTICATE".into()),
        mechanism: Some("PLAIN".into()),
        identity: Some("alice".into()),
        refused: false,
    };
    let view = one(|talk| talk.message(Peer::Client, &parts, reading), 60);
    assert_eq!(
        rows(&view),
        [
            "C: a1 AUTHENTICATE PLAIN ‹sasl›               #1",
            "-- SASL PLAIN as alice",
        ]
    );
    let unreadable = [Hidden(Secret::Unreadable), Text(b"\r\n")];
    let view = one(
        |talk| talk.message(Peer::Client, &unreadable, Reading::Opaque),
        60,
    );
    assert_eq!(rows(&view), ["C: ‹unreadable›"]);
}

#[test]
fn a_continuation_request_says_what_it_awaits() {
    let request = |awaited, tag: &str| {
        let reading = Reading::ContinuationRequest {
            awaited: Some(awaited),
            tag: Some(tag.into()),
        };
        move |talk: &Talk| talk.message(Peer::Server, &[Text(b"+ \r\n")], reading)
    };
    assert_eq!(
        rows(&one(request(Awaited::Literal, "a7"), 60)),
        ["S:   +                  awaits the literal of a7"]
    );
    assert_eq!(
        rows(&one(request(Awaited::Sasl, "a\x1b"), 60)),
        ["S:   +                     awaits SASL for a\\x1b"]
    );
}

#[test]
fn refused_and_cut_off_messages_say_so() {
    let said = |talk: &Talk| {
        let mut said = talk.message(
            Peer::Client,
            &[Text(b"a APPEND x {3}\r\n")],
            Reading::Command {
                tag: Some("a".into()),
                name: Some("APPEND".into()),
                mechanism: None,
                identity: None,
                refused: true,
            },
        );
        said.incomplete = true;
        said
    };
    assert_eq!(
        rows(&one(said, 80)),
        [
            "C: a APPEND x {3}                                                 #1",
            "-- the server refused the literal: its octets were not sent",
            "-- cut off by the end of the connection",
        ]
    );
}

#[test]
fn many_capabilities_are_counted_for_the_response_names_them() {
    let changed = |added: usize| {
        move |talk: &Talk| {
            let line = [Text(b"* CAPABILITY IMAP4rev1 A B\r\n")];
            let mut said = talk.response(&line, Relation::Answers(1));
            said.capabilities = Some(Box::new(CapabilityChange {
                added: (1..=added).map(|n| format!("X{n}")).collect(),
                removed: vec!["STARTTLS".into()],
            }));
            said
        }
    };
    assert_eq!(
        rows(&one(changed(7), 80))[1],
        "-- capabilities: + X1 X2 X3 X4 X5 X6 X7  − STARTTLS"
    );
    assert_eq!(
        rows(&one(changed(30), 80))[1],
        "-- capabilities: + X1 X2 X3 X4 X5 X6 … 24 more  − STARTTLS"
    );
}

#[test]
fn a_streaming_literal_makes_a_row_at_its_beginning_and_each_tenth() {
    let mut talk = Talk::new();
    for part in 0..100_u64 {
        let reading = Reading::LiteralPart {
            offset: part * 10,
            total: 1000,
        };
        let said = talk.message(Peer::Server, &[Text(b"0123456789")], reading);
        talk.said(said);
    }
    let view = plain(&talk.events, 60);
    let rows = rows(&view);
    assert_eq!(rows.len(), 12, "{view}");
    assert_eq!(rows[0], "S:   ‹literal› 10 of 1,000 octets, 1%");
    assert_eq!(rows[1], "       │ 0123456789");
    assert_eq!(rows[2], "S:   ‹literal› 100 of 1,000 octets, 10%");
    assert_eq!(rows[11], "S:   ‹literal› 1,000 of 1,000 octets, 100%");
}

#[test]
fn a_line_that_ends_with_lf_alone_shows_it() {
    let view = one(command(b"a1 NOOP\n"), 60);
    assert!(view.contains(r"a1 NOOP\n"), "{view}");
}

#[test]
fn what_unsolicited_responses_mean() {
    for (line, meaning) in [
        ("* 1 EXISTS", "the mailbox now holds 1 message"),
        ("* 0 RECENT", "0 messages are new since the last session"),
        (
            "* VANISHED 41,43:116",
            "gone: the messages with UID 41,43:116",
        ),
        (
            "* VANISHED (EARLIER) 41",
            "gone: the messages with UID 41, before this session",
        ),
        ("* 3 FETCH (FLAGS ())", "message 3 has no flags now"),
        ("* 3 FETCH (MODSEQ (7) UID 9)", "message 3 has a new MODSEQ"),
        (
            "* 10 FETCH (UID 30 BODY[HEADER] \"a\")",
            "of message 10 the server tells UID BODY[HEADER]",
        ),
        ("* 10 FETCH (UID 30)", "of message 10 the server tells UID"),
        (
            "* ESEARCH (TAG \"a2\") UID ADDTO (0 100)",
            "changed results of a search that goes on",
        ),
        (
            "* ESEARCH (TAG \"a2\") UID ALL 3",
            "results of a search that is not running",
        ),
        (
            "* STATUS \"Big Box\" (MESSAGES 3)",
            "the counts changed of mailbox Big Box",
        ),
        (
            "* LIST (\\NonExistent) \"/\" old",
            "new, renamed, gone or changed: mailbox old",
        ),
        ("* NO disk is failing", "a warning; no command ends with it"),
        ("* XYZZY 1", "no command in flight asks for this"),
    ] {
        let mut talk = Talk::new();
        let view = plain(&talk.unsolicited(line).events, 90);
        let row = rows(&view).pop().unwrap();
        assert_eq!(row, format!("-- unsolicited: {meaning}"));
    }
}

#[test]
fn an_untrusted_certificate_is_not_overlooked() {
    let mut talk = Talk::new();
    talk.body(Body::Secured(Box::new(Secured {
        leg: Peer::Server,
        version: "TLSv1.2".into(),
        cipher: "X".into(),
        alpn: None,
        sni: Some("evil\u{202e}\x1b".into()),
        certificate: serde_json::json!({ "verified": false }),
        group: None,
        client_certificate: Some(serde_json::json!({ "subject": "CN=me\x1b" })),
        keylog: true,
    })));
    assert_eq!(
        rows(&plain(&talk.events, 140)),
        [
            r"-- secured: server evil\u{202e}\x1b, certificate NOT VERIFIED, TLSv1.2, X, client certificate CN=me\x1b, keys logged"
        ]
    );
}

#[test]
fn a_preview_of_many_lines_and_one_of_a_dump() {
    let mail = "line\r\n".repeat(200);
    let parts = [
        Text(b"* 1 FETCH (BODY[] "),
        Literal(mail.as_bytes()),
        Text(b")\r\n"),
    ];
    let view = one(|talk| talk.response(&parts, Relation::Answers(1)), 60);
    let mut expected = vec!["S:   * 1 FETCH (BODY[] {1200}"];
    expected.extend(["       │ line"; 6]);
    expected.extend(["       │ … 194 more lines, 1,200 octets in all", "       )"]);
    assert_eq!(rows(&view), expected);

    let parts = [
        Text(b"* 1 FETCH (BINARY[] "),
        Literal(&[0x80; 100]),
        Text(b")\r\n"),
    ];
    let view = one(|talk| talk.response(&parts, Relation::Answers(1)), 60);
    assert_eq!(rows(&view)[1], "       │ 8080 8080 8080 8080  ........");
    assert_eq!(
        rows(&view)[4],
        "       │ … 76 more octets, 100 octets in all"
    );
}

#[test]
fn a_message_of_many_literals_is_folded() {
    let mut parts = vec![Text(b"* 1 FETCH (")];
    for _ in 0..100 {
        parts.push(Text(b"BODY[] "));
        parts.push(Literal(b"one\r\ntwo\r\n"));
        parts.push(Text(b" "));
    }
    parts.push(Text(b")\r\n"));
    let view = one(|talk| talk.response(&parts, Relation::Answers(1)), 60);
    let rows = rows(&view);
    assert_eq!(rows.len(), 43, "{view}");
    // A space, 86 times `BODY[] {10}`, line end, ten octets and a space, and `)`.
    assert_eq!(rows[42], "       … 2,066 more octets");
}

#[test]
fn a_literal_at_the_end_of_a_command_is_followed_by_no_empty_row() {
    let parts = [
        Text(b"a1 APPEND Drafts "),
        Literal(b"Subject: a\r\n\r\nb\r\n"),
        Text(b"\r\n"),
    ];
    let view = one(
        |talk| talk.message(Peer::Client, &parts, named("a1", "APPEND")),
        60,
    );
    assert_eq!(
        rows(&view),
        [
            "C: a1 APPEND Drafts {17}",
            "     │ Subject: a",
            "     │",
            "     │ b                                      #1",
        ]
    );
}
