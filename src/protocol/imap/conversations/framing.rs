//! Where messages begin and end, and what cannot be framed.

use super::super::Observer;
use super::{again, conversation, logged_in, number, read, tell, told, wires};
use crate::event::{Body, Gate, Micros, Peer, Secrets};
use crate::limits;
use crate::protocol::Protocol;

use Peer::{Client as C, Server as S};

#[test]
fn a_refused_literal_leaves_the_next_line_a_command() {
    assert_eq!(
        logged_in(&[
            (C, b"a APPEND x {3}\r\n"),
            (S, b"a NO [OVERQUOTA] no\r\n"),
            (C, b"b NOOP\r\n"),
            (S, b"b OK\r\n"),
        ]),
        [
            "command a APPEND refused",
            "tagged a NO answers=2",
            "command b NOOP",
            "tagged b OK answers=4",
        ]
    );
}

#[test]
fn octets_behind_a_refused_literal_header_are_commands() {
    assert_eq!(
        logged_in(&[
            (C, b"a APPEND x {3}\r\nb NOOP\r\n"),
            (S, b"a BAD no\r\nb OK\r\n"),
        ]),
        [
            "command a APPEND refused",
            "tagged a BAD answers=2",
            "command b NOOP",
            "tagged b OK answers=4",
        ]
    );
}

#[test]
fn a_literal_that_is_not_awaited_is_a_literal_when_the_server_agrees() {
    assert_eq!(
        logged_in(&[
            (C, b"a APPEND x {3}\r\nabc\r\nb NOOP\r\n"),
            (S, b"+ ok\r\na OK done\r\n"),
        ]),
        [
            "+ for=literal tag=a",
            "note literal-not-awaited",
            "command a APPEND",
            "command b NOOP",
            "tagged a OK answers=4",
        ]
    );
}

#[test]
fn several_literals_of_every_form() {
    assert_eq!(
        logged_in(&[
            (C, b"a RENAME {3}\r\n"),
            (S, b"+ 1\r\n"),
            (C, b"a\nb {1+}\r\nc\r\n"),
            (S, b"a OK\r\n"),
            (C, b"b APPEND x ~{3+}\r\n\0\n\0\r\n"),
            (
                S,
                b"* 1 FETCH (BINARY[1] ~{2}\r\n\0\0 BODY[1] ({0}\r\n))\r\nb OK\r\n"
            ),
        ]),
        [
            "+ for=literal tag=a",
            "command a RENAME",
            "tagged a OK answers=3",
            "command b APPEND",
            "* 1 FETCH unsolicited",
            "tagged b OK answers=5",
        ]
    );
}

#[test]
fn behind_a_starttls_that_is_not_to_be_everything_is_opaque() {
    let steps: [(Peer, &[u8]); 4] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a STARTTLS\r\n"),
        (S, b"a OK go\r\n\x16\x03\n"),
        (C, b"\x16\x03\x01\n"),
    ];
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let told = told(&read(&mut observer, &steps));
    assert_eq!(
        told[2..],
        [
            "tagged a OK answers=2",
            "note starttls-not-read",
            "opaque server unsolicited",
            "opaque client",
        ]
    );
}

#[test]
fn a_bare_line_feed_ends_a_message_with_a_note() {
    assert_eq!(
        logged_in(&[(C, b"a NOOP\n"), (S, b"a OK\n")]),
        [
            "command a NOOP",
            "note bare-lf",
            "tagged a OK answers=2",
            "note bare-lf",
        ]
    );
}

#[test]
fn what_makes_no_message_is_opaque_with_a_note() {
    assert_eq!(
        logged_in(&[(C, b"\r\n"), (S, b"(what)\r\n* \r\n+ hm\r\nz FOO\r\n")]),
        [
            "opaque client",
            "note malformed-command",
            "opaque server unsolicited",
            "note malformed-response",
            "opaque server unsolicited",
            "note malformed-response",
            "+ for=- tag=- unsolicited",
            "note unexpected-continuation-request",
            "opaque server unsolicited",
            "note malformed-response",
        ]
    );
}

#[test]
fn what_is_cut_off_is_incomplete() {
    assert_eq!(
        logged_in(&[(C, b"a NOOP\r\nb APPEND x {9+}\r\nabc"), (S, b"a OK do")]),
        [
            "command a NOOP",
            "command b APPEND incomplete",
            "tagged a OK answers=2 incomplete",
        ]
    );
}

#[test]
fn a_large_literal_goes_out_in_parts_that_belong_to_its_message() {
    let size = 3 * limits::LITERAL_HELD as usize;
    let mail = vec![b'm'; size];
    let head = format!("* 1 FETCH (UID 7 BODY[] {{{size}}}\r\n");
    let append = format!("b APPEND x {{{size}+}}\r\n");
    let steps: [(Peer, &[u8]); 9] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a UID FETCH 7 BODY[]\r\nc NOOP\r\n"),
        (S, head.as_bytes()),
        (S, &mail),
        (S, b")\r\na OK\r\nc OK\r\n"),
        (C, append.as_bytes()),
        (C, &mail),
        (C, b"\r\n"),
        (S, b"b OK\r\n"),
    ];
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &steps);
    let told_lines = told(&events);
    assert_eq!(told_lines[3], format!("part 0/{size} answers=2"));
    assert!(told_lines.contains(&"* 1 FETCH answers=2".to_owned()));
    for from in [C, S] {
        let sent: Vec<u8> = steps
            .iter()
            .filter(|(peer, _)| *peer == from)
            .flat_map(|(_, bytes)| bytes.to_vec())
            .collect();
        assert_eq!(wires(&events, from), sent);
    }
    let again = again(&events);
    assert_eq!(told(&again), told_lines);
    // Two commands are in flight: each part says which of them it belongs to.
    for events in [&events, &again] {
        let Body::Said(part) = &events[3].body else {
            panic!("{}", tell(&events[3]));
        };
        assert_eq!(part.among.as_deref(), Some("a"));
    }
}

#[test]
fn a_message_too_long_to_hold_is_shown_in_pieces_and_nothing_is_lost() {
    let mut line = b"a XLONG ".to_vec();
    line.resize(limits::MESSAGE_HELD + 100_000, b'x');
    line.extend_from_slice(b"\r\n");
    let mut steps: Vec<(Peer, &[u8])> = vec![(S, b"* PREAUTH hi\r\n")];
    steps.extend(line.chunks(limits::READ).map(|chunk| (C, chunk)));
    steps.push((C, b"b NOOP\r\n"));
    steps.push((S, b"a BAD\r\nb OK\r\n"));
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &steps);
    let told = told(&events);
    assert_eq!(told[1], "command a XLONG incomplete");
    assert_eq!(told[2], "note message-too-long");
    assert_eq!(told[told.len() - 3], "command b NOOP");
    assert_eq!(told[told.len() - 2], "tagged a BAD answers=2");
    line.extend_from_slice(b"b NOOP\r\n");
    assert_eq!(wires(&events, C), line);
}

#[test]
fn a_reader_that_fails_leaves_the_connection_opaque_and_masked() {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    observer.observe(S, b"* OK hi\r\n* part", Micros(0), &mut drafts);
    observer.fails = true;
    observer.observe(C, b"a LOGIN alice hunter2\r\nb", Micros(1), &mut drafts);
    observer.observe(C, b" NOOP\r\n", Micros(2), &mut drafts);
    observer.observe(S, b"ial\r\n", Micros(3), &mut drafts);
    let events = number(drafts);
    assert_eq!(
        told(&events),
        [
            "greeting OK",
            "opaque client",
            "note observer-stopped",
            "opaque client",
            "opaque server unsolicited",
        ]
    );
    assert_eq!(wires(&events, S), b"* OK hi\r\n* partial\r\n");
    assert!(
        !String::from_utf8(wires(&events, C))
            .unwrap()
            .contains("hunter2")
    );
}

#[test]
fn what_was_begun_when_framing_stops_goes_out_before_what_follows() {
    for (begun, told_so) in [
        ("b NO", "command b - incomplete"),
        ("b APPEND x {3}\r\nab", "command b APPEND incomplete"),
        ("b APPEND x {3+}\r\nab", "command b APPEND incomplete"),
    ] {
        let first = format!("a STARTTLS\r\n{begun}");
        let steps: [(Peer, &[u8]); 4] = [
            (S, b"* PREAUTH hi\r\n"),
            (C, first.as_bytes()),
            (S, b"a OK go\r\n* part"),
            (C, b"\x16\x03\x01\n"),
        ];
        let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &steps);
        let lines = told(&events);
        assert_eq!(lines[4], told_so.replace(" -", " NO"), "{lines:?}");
        assert_eq!(
            wires(&events, C),
            [first.as_bytes(), b"\x16\x03\x01\n"].concat()
        );
        assert_eq!(wires(&events, S), b"* PREAUTH hi\r\na OK go\r\n* part");
    }
}

#[test]
fn what_is_undecided_keeps_its_time() {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let steps: [(Peer, &[u8]); 6] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a APPEND x {3}\r\n"),
        (C, b"b NOOP\r\n"),
        (S, b"* 1 EXISTS\r\n"),
        (C, b"c NOOP\r\n"),
        (S, b"a NO\r\n"),
    ];
    let events = read(&mut observer, &steps);
    let times: Vec<(String, u64)> = told(&events)
        .into_iter()
        .zip(&events)
        .map(|(line, event)| (line, event.at.0))
        .collect();
    assert!(times.contains(&("command b NOOP".into(), 2)), "{times:?}");
    assert!(times.contains(&("command c NOOP".into(), 4)), "{times:?}");
}

#[test]
fn a_literal_that_an_untagged_bad_refuses_does_not_stop_the_reading() {
    let told = logged_in(&[
        (C, b"a APPEND x {500000}\r\n"),
        (S, b"* BAD too large\r\n"),
        (C, b"b NOOP\r\n"),
        (S, b"b OK\r\n"),
        (C, b"c SELECT INBOX\r\n"),
        (S, b"* 3 EXISTS\r\nc OK\r\n"),
    ]);
    assert_eq!(
        told,
        [
            "* BAD unsolicited",
            "command a APPEND refused",
            "command b NOOP",
            "tagged b OK answers=4",
            "command c SELECT",
            "* 3 EXISTS answers=6",
            "tagged c OK answers=6",
        ]
    );
    let told = logged_in(&[
        (C, b"{5}\r\n"),
        (S, b"* BAD what\r\n"),
        (C, b"b NOOP\r\n"),
        (S, b"b OK\r\n"),
    ]);
    assert_eq!(told[3..], ["command b NOOP", "tagged b OK answers=5"]);
}

#[test]
fn literals_that_the_server_takes_for_lines_do_not_stop_the_reading() {
    let told = conversation(&[
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN {5}\r\nalice {17}\r\nZq7kV-hunter2-Xw9\r\n"),
        (S, b"a BAD no\r\n* BAD what\r\n* BAD what\r\n"),
        (C, b"b LOGIN alice Zq7kV-hunter2-Xw9\r\n"),
        (S, b"b OK\r\n"),
        (C, b"c SELECT INBOX\r\n"),
        (S, b"* 1 EXISTS\r\nc OK\r\n"),
    ]);
    let behind = told.iter().position(|line| line.starts_with("command b"));
    assert_eq!(
        told[behind.unwrap()..],
        [
            "command b LOGIN", // alice may be a password since she came where one might
            "tagged b OK answers=10",
            "command c SELECT",
            "* 1 EXISTS answers=12",
            "tagged c OK answers=12",
        ]
    );
}

#[test]
fn two_spaces_before_a_status_make_no_literal_of_its_text() {
    for begun in ["*  NO over quota, see", " * OK see", "a  NO see"] {
        let response = format!("{begun} {{12}}\r\n* 3 EXISTS\r\na OK done\r\n");
        let told = logged_in(&[(C, b"a NOOP\r\n"), (S, response.as_bytes())]);
        assert!(
            told.contains(&"* 3 EXISTS unsolicited".to_owned()),
            "{told:?}"
        );
    }
    let told = logged_in(&[(
        S,
        b"*  OK [X {3}\r\n]\r\n] see\r\n*  LIST () \"/\" {3}\r\n\r\n]\r\n",
    )]);
    assert_eq!(told, ["* OK unsolicited", "* LIST unsolicited"]);
}

#[test]
fn a_literal_behind_an_authenticate_that_says_all_is_one() {
    let told = conversation(&[
        (S, b"* OK hi\r\n"),
        (
            C,
            b"a AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\nb APPEND x {32+}\r\nSubject: x\r\n\r\nx NOOP\r\n",
        ),
        (S, b"a OK in\r\n"),
        (C, b"y LOGOUT\r\n\r\nc NOOP\r\n"),
        (S, b"b OK done\r\nc OK\r\n"),
    ]);
    assert_eq!(
        told,
        [
            "greeting OK",
            "command a AUTHENTICATE mechanism=PLAIN identity=alice",
            "tagged a OK answers=2",
            "command b APPEND",
            "command c NOOP",
            "tagged b OK answers=4",
            "tagged c OK answers=5",
        ]
    );
}
