//! Whole conversations as bytes, and what is read from them: whole, at every split, byte by byte,
//! and again from what was recorded.

use super::{Observer, State};
use crate::event::{
    Awaited, Body, Draft, Event, Gate, Message, Micros, Numbers, Peer, Piece, Reading,
    RecordedMessage, Relation, Said, Secrets,
};
use crate::limits;
use crate::protocol::Protocol;

use Peer::{Client as C, Server as S};

/// Reads a conversation; the time is the step's number.
fn read(observer: &mut Observer, steps: &[(Peer, &[u8])]) -> Vec<Event> {
    let mut drafts = Vec::new();
    for (step, (from, bytes)) in steps.iter().enumerate() {
        observer.observe(*from, bytes, Micros(step as u64), &mut drafts);
    }
    let end = Micros(steps.len() as u64);
    observer.ended(C, end, &mut drafts);
    observer.ended(S, end, &mut drafts);
    number(drafts)
}

fn number(drafts: Vec<Draft>) -> Vec<Event> {
    let mut numbers = Numbers::new(1);
    drafts
        .into_iter()
        .zip(1..)
        .map(|(draft, n)| numbers.number(draft, n))
        .collect()
}

/// One line an event: kind, what was read, relation, and the sealed octets.
fn told(events: &[Event]) -> Vec<String> {
    events.iter().map(tell).collect()
}

fn tell(event: &Event) -> String {
    let said = match &event.body {
        Body::Said(said) => said,
        Body::Note(note) => return format!("note {}", note.id),
        _ => return "other".into(),
    };
    let mut line = match &said.reading {
        Reading::Greeting { status } => format!("greeting {}", name(*status)),
        Reading::Command {
            tag,
            name,
            mechanism,
            identity,
            refused,
        } => {
            let mut line = format!(
                "command {} {}",
                tag.as_deref().unwrap_or("-"),
                name.as_deref().unwrap_or("-")
            );
            for (word, value) in [("mechanism", mechanism), ("identity", identity)] {
                if let Some(value) = value {
                    line += &format!(" {word}={value}");
                }
            }
            if *refused {
                line += " refused";
            }
            line
        }
        Reading::ContinuationRequest { awaited, tag } => format!(
            "+ for={} tag={}",
            awaited.map_or("-", Awaited::name),
            tag.as_deref().unwrap_or("-")
        ),
        Reading::Continuation {
            mechanism,
            identity,
            idled,
            ..
        } => format!(
            "continuation{}{}{}",
            mechanism
                .iter()
                .map(|m| format!(" {m}"))
                .collect::<String>(),
            identity
                .iter()
                .map(|i| format!(" identity={i}"))
                .collect::<String>(),
            idled.iter().map(|_| " idled").collect::<String>(),
        ),
        Reading::Untagged { name, number, .. } => {
            format!(
                "* {}{name}",
                number.map_or(String::new(), |n| format!("{n} "))
            )
        }
        Reading::Tagged { tag, status, .. } => format!("tagged {tag} {}", name(*status)),
        Reading::LiteralPart { offset, total } => format!("part {offset}/{total}"),
        Reading::Opaque => format!("opaque {}", said.from.name()),
    };
    match &said.relation {
        Relation::None => {}
        Relation::Answers(n) => line += &format!(" answers={n}"),
        Relation::Ambiguous(all) => line += &format!(" ambiguous={all:?}"),
        Relation::Unsolicited => line += " unsolicited",
    }
    if said.incomplete {
        line += " incomplete";
    }
    if let Some(change) = &said.capabilities {
        line += &format!(" +{:?} -{:?}", change.added, change.removed);
    }
    line
}

fn name(status: Option<crate::event::Status>) -> &'static str {
    status.map_or("-", |status| status.name())
}

fn wires(events: &[Event], from: Peer) -> Vec<u8> {
    let mut parts: std::collections::BTreeMap<u64, Vec<u8>> = Default::default();
    let mut wire = Vec::new();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        if said.from != from {
            continue;
        }
        if matches!(said.reading, Reading::LiteralPart { .. }) {
            parts.insert(event.n, said.wire.bytes().to_vec());
            continue;
        }
        for piece in said.wire.pieces() {
            wire.extend_from_slice(&said.wire.bytes()[piece.range()]);
            if let Piece::Streamed { parts: numbers, .. } = piece {
                for number in numbers {
                    wire.extend(parts.remove(number).expect("a part comes once, before"));
                }
            }
        }
    }
    assert!(parts.is_empty());
    wire
}

/// What a reader of transcripts would hand back of these events.
fn recorded(event: &Event, said: &Said) -> RecordedMessage {
    let mut recorded = RecordedMessage {
        from: said.from,
        kind: None,
        message: Message::clone(&said.wire),
        awaited: None,
        tag: None,
        mechanism: None,
        identity: None,
        relation: said.relation.clone(),
        part: None,
        refused: false,
        incomplete: said.incomplete,
    };
    let kind = match &said.reading {
        Reading::Greeting { .. } => "greeting",
        Reading::Command {
            mechanism,
            identity,
            refused,
            ..
        } => {
            recorded.mechanism.clone_from(mechanism);
            recorded.identity.clone_from(identity);
            recorded.refused = *refused;
            "command"
        }
        Reading::ContinuationRequest { awaited, tag } => {
            recorded.awaited = *awaited;
            recorded.tag.clone_from(tag);
            "continuation_request"
        }
        Reading::Continuation {
            mechanism,
            identity,
            ..
        } => {
            recorded.mechanism.clone_from(mechanism);
            recorded.identity.clone_from(identity);
            "continuation"
        }
        Reading::Untagged { .. } => "untagged",
        Reading::Tagged { .. } => "tagged",
        Reading::LiteralPart { offset, total } => {
            recorded.part = Some((*offset, *total));
            "literal_part"
        }
        Reading::Opaque => "opaque",
    };
    recorded.kind = Some(kind.to_owned());
    let _ = event;
    recorded
}

/// What is read again from a recording of `events`, its notes left out.
fn again(events: &[Event]) -> Vec<Event> {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut numbers = Numbers::new(1);
    let mut again = Vec::new();
    for event in events {
        let Body::Said(said) = &event.body else {
            continue;
        };
        let mut drafts = Vec::new();
        observer.read_again(event.n, event.at, recorded(event, said), &mut drafts);
        assert_eq!(
            drafts.len(),
            1,
            "one event is one event again: {}",
            tell(event)
        );
        again.extend(
            drafts
                .into_iter()
                .map(|draft| numbers.number(draft, event.n)),
        );
    }
    again
}

/// Reads the conversation whole, with every step cut at every place, and byte by byte; and again
/// from the recording. All must tell the same. Returns that.
fn conversation(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), steps);
    let whole = told(&events);
    for (index, (from, bytes)) in steps.iter().enumerate() {
        for cut in 1..bytes.len() {
            let mut cut_steps = steps.to_vec();
            let (head, tail) = bytes.split_at(cut);
            cut_steps.splice(index..=index, [(*from, head), (*from, tail)]);
            let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), &cut_steps);
            assert_eq!(told(&events), whole, "step {index} cut at {cut}");
        }
    }
    let single: Vec<(Peer, &[u8])> = steps
        .iter()
        .flat_map(|(from, bytes)| bytes.chunks(1).map(move |byte| (*from, byte)))
        .collect();
    let byte_by_byte = read(&mut Observer::new(Gate::new(Secrets::Masked)), &single);
    assert_eq!(told(&byte_by_byte), whole, "byte by byte");
    let without_notes: Vec<String> = whole
        .iter()
        .filter(|line| !line.starts_with("note "))
        .cloned()
        .collect();
    assert_eq!(told(&again(&events)), without_notes, "read again");
    whole
}

/// As [`conversation`], after a greeting and a login.
fn logged_in(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let mut all: Vec<(Peer, &[u8])> = vec![(S, b"* PREAUTH hello\r\n")];
    all.extend_from_slice(steps);
    let told = conversation(&all);
    assert_eq!(told[0], "greeting PREAUTH");
    told[1..].to_vec()
}

/// The sealed octets of one direction.
fn sealed(steps: &[(Peer, &[u8])], from: Peer) -> String {
    let events = read(&mut Observer::new(Gate::new(Secrets::Masked)), steps);
    String::from_utf8(wires(&events, from)).unwrap()
}

#[test]
fn a_session_from_greeting_to_logout() {
    assert_eq!(
        conversation(&[
            (S, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n"),
            (C, b"a LOGIN alice wrong\r\n"),
            (S, b"a NO [AUTHENTICATIONFAILED] no\r\n"),
            (C, b"b LOGIN \"alice\" {7}\r\n"),
            (S, b"+ go\r\n"),
            (C, b"hunter2\r\n"),
            (S, b"b OK [CAPABILITY IMAP4rev1 IDLE] in\r\n"),
            (C, b"c SELECT INBOX\r\n"),
            (
                S,
                b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK hm\r\nc OK done\r\n"
            ),
            (C, b"d LOGOUT\r\n"),
            (S, b"* BYE\r\nd OK\r\n"),
        ]),
        [
            "greeting OK",
            "command a LOGIN identity=alice",
            "tagged a NO answers=2",
            "+ for=literal tag=b",
            "command b LOGIN identity=alice",
            "tagged b OK answers=5 +[\"IDLE\"] -[\"AUTH=PLAIN\"]",
            "command c SELECT",
            "* 3 EXISTS answers=7",
            "* OK answers=7",
            "* OK unsolicited",
            "tagged c OK answers=7",
            "command d LOGOUT",
            "* BYE answers=12",
            "tagged d OK answers=12",
        ]
    );
}

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
fn idle_is_a_state_and_what_comes_meanwhile_is_unsolicited() {
    assert_eq!(
        logged_in(&[
            (C, b"a IDLE\r\n"),
            (S, b"+ idling\r\n* 4 EXISTS\r\n"),
            (C, b"DONE\r\n"),
            (S, b"a OK\r\n"),
        ]),
        [
            "command a IDLE",
            "+ for=idle tag=a answers=2",
            "* 4 EXISTS unsolicited",
            "continuation idled",
            "tagged a OK answers=2",
        ]
    );
}

#[test]
fn a_command_while_idling_is_a_command() {
    assert_eq!(
        logged_in(&[
            (C, b"a IDLE\r\n"),
            (S, b"+ idling\r\n"),
            (C, b"b NOOP\r\n"),
            (S, b"b BAD\r\n"),
            (C, b"done\r\n"),
            (S, b"a OK\r\n"),
        ]),
        [
            "command a IDLE",
            "+ for=idle tag=a answers=2",
            "command b NOOP",
            "note command-while-idle",
            "tagged b BAD answers=4",
            "continuation idled",
            "tagged a OK answers=2",
        ]
    );
}

#[test]
fn pipelined_commands_are_completed_by_tag_and_doubt_is_told() {
    assert_eq!(
        logged_in(&[
            (C, b"a SEARCH ALL\r\nb SEARCH SEEN\r\nc FETCH 1 FLAGS\r\n"),
            (S, b"* SEARCH 1\r\n* 1 FETCH (FLAGS ())\r\n"),
            (S, b"b OK\r\na OK\r\nc OK\r\n"),
        ]),
        [
            "command a SEARCH",
            "command b SEARCH",
            "command c FETCH",
            "* SEARCH ambiguous=[2, 3]",
            "* 1 FETCH answers=4",
            "tagged b OK answers=3",
            "tagged a OK answers=2",
            "tagged c OK answers=4",
        ]
    );
}

#[test]
fn a_search_correlator_decides() {
    let told = logged_in(&[
        (C, b"a SEARCH RETURN () ALL\r\nb SEARCH RETURN () SEEN\r\n"),
        (S, b"* ESEARCH (TAG \"b\") ALL 1\r\na OK\r\nb OK\r\n"),
    ]);
    assert_eq!(told[2], "* ESEARCH answers=3");
}

#[test]
fn a_tag_used_twice_goes_to_the_older_command() {
    assert_eq!(
        logged_in(&[
            (C, b"a NOOP\r\na CHECK\r\n"),
            (S, b"a OK\r\na OK\r\na OK\r\n")
        ]),
        [
            "command a NOOP",
            "command a CHECK",
            "note duplicate-tag",
            "tagged a OK answers=2",
            "tagged a OK answers=3",
            "tagged a OK unsolicited",
            "note unknown-tag",
        ]
    );
}

#[test]
fn an_expunge_during_fetch_is_unsolicited() {
    let told = logged_in(&[
        (C, b"a UID FETCH 5 (BODY[])\r\n"),
        (
            S,
            b"* 55 EXPUNGE\r\n* 1 FETCH (UID 5 BODY[] {1}\r\nx)\r\na OK\r\n",
        ),
    ]);
    assert_eq!(
        told[1..3],
        ["* 55 EXPUNGE unsolicited", "* 1 FETCH answers=2"]
    );
}

#[test]
fn sasl_in_all_its_turns() {
    assert_eq!(
        conversation(&[
            (S, b"* OK hi\r\n"),
            (C, b"a AUTHENTICATE SCRAM-SHA-256\r\n"),
            (S, b"+ \r\n"),
            (C, b"biwsbj1hbGljZSxyPXh5eg==\r\n"),
            (S, b"+ cj14eXosczEyMyxpPTQwOTY=\r\n"),
            (C, b"*\r\n"),
            (S, b"a BAD cancelled {5}\r\n"),
            (C, b"b AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n"),
            (S, b"b OK in\r\n"),
            (C, b"c NOOP\r\n"),
            (S, b"c OK\r\n"),
        ]),
        [
            "greeting OK",
            "command a AUTHENTICATE mechanism=SCRAM-SHA-256",
            "+ for=sasl tag=a answers=2",
            "continuation SCRAM-SHA-256 identity=alice",
            "+ for=sasl tag=a answers=2",
            "continuation SCRAM-SHA-256",
            "tagged a BAD answers=2",
            "command b AUTHENTICATE mechanism=PLAIN identity=alice",
            "tagged b OK answers=8",
            "command c NOOP",
            "tagged c OK answers=10",
        ]
    );
}

#[test]
fn a_sasl_line_sent_before_the_plus_is_one_and_no_literal() {
    assert_eq!(
        conversation(&[
            (S, b"* OK hi\r\n"),
            (C, b"a AUTHENTICATE LOGIN\r\nYWxpY2U= {3}\r\n"),
            (S, b"+ VXNlcm5hbWU6\r\n+ UGFzc3dvcmQ6\r\n"),
            (C, b"aHVudGVyMg==\r\n"),
            (S, b"a OK in\r\n"),
        ])[2],
        "continuation LOGIN"
    );
}

#[test]
fn channel_binding_is_noted() {
    let told = conversation(&[
        (S, b"* OK hi\r\n"),
        (C, b"a AUTHENTICATE SCRAM-SHA-256-PLUS\r\n"),
        (S, b"a NO\r\n"),
    ]);
    assert_eq!(told[2], "note channel-binding");
}

#[test]
fn after_starttls_and_compress_everything_is_opaque() {
    for command in ["STARTTLS", "COMPRESS DEFLATE"] {
        let line = format!("a {command}\r\n");
        let steps: [(Peer, &[u8]); 4] = [
            (S, b"* PREAUTH hi\r\n"),
            (C, line.as_bytes()),
            (S, b"a OK go\r\n\x16\x03\n"),
            (C, b"\x16\x03\x01\n"),
        ];
        let told = told(&read(
            &mut Observer::new(Gate::new(Secrets::Masked)),
            &steps,
        ));
        assert_eq!(told[2], "tagged a OK answers=2");
        assert!(told[3].starts_with("note "));
        assert_eq!(told[4..], ["opaque server unsolicited", "opaque client"]);
    }
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
            "opaque server unsolicited",
            "opaque client",
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
fn every_way_to_log_in_is_masked() {
    let b64 = "AGFsaWNlAGh1bnRlcjI=";
    let ir = format!("a AUTHENTICATE PLAIN {b64}\r\n");
    let turn = format!("a AUTHENTICATE X-UNKNOWN\r\n{b64}\r\n");
    for (line, masked) in [
        ("a LOGIN alice hunter2\r\n", "a LOGIN alice ********\r\n"),
        (
            "a LOGIN alice \"hunter2\"\r\n",
            "a LOGIN alice ********\r\n",
        ),
        (
            "a LOGIN alice {7+}\r\nhunter2\r\n",
            "a LOGIN alice ********\r\n",
        ),
        ("a LOGIN alice hunter2 x\r\n", "a LOGIN ********\r\n"),
        ("a LOGIN alice \"hunter2\r\n", "a LOGIN ********\r\n"),
        ("a LOGIN\r\n", "a LOGIN\r\n"),
        ("LOGIN alice hunter2\r\n", "LOGIN ********\r\n"),
        ("hunter2\r\n", "********\r\n"),
        ("a XLOGIN hunter2\r\n", "a ********\r\n"),
        ("a NOOP hunter2\r\n", "a NOOP ********\r\n"),
        ("(hunter2)\r\n", "********\r\n"),
        (&ir, "a AUTHENTICATE PLAIN ********\r\n"),
        (&turn, "a AUTHENTICATE X-UNKNOWN\r\n********\r\n"),
        (
            "a AUTHENTICATE PLAIN\r\n=\r\n",
            "a AUTHENTICATE PLAIN\r\n********\r\n",
        ),
        (
            "a AUTHENTICATE PLAIN\r\n*\r\n",
            "a AUTHENTICATE PLAIN\r\n*\r\n",
        ),
        ("a LOGIN alice hunt", "a LOGIN ********"),
        ("hunt", "********"),
    ] {
        let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, line.as_bytes())];
        assert_eq!(sealed(&steps, C), masked, "{line:?}");
        let single: Vec<(Peer, &[u8])> = steps
            .iter()
            .flat_map(|(from, bytes)| bytes.chunks(1).map(move |byte| (*from, byte)))
            .collect();
        assert_eq!(sealed(&single, C), masked, "{line:?} byte by byte");
    }
}

#[test]
fn an_overlong_line_before_login_tells_nothing_not_even_its_length() {
    for length in [2 * limits::MESSAGE_HELD, 3 * limits::MESSAGE_HELD] {
        let mut line = b"a LOGIN alice ".to_vec();
        line.resize(length, b'x');
        line.extend_from_slice(b"\r\n");
        let mut steps: Vec<(Peer, &[u8])> = vec![(S, b"* OK hi\r\n")];
        steps.extend(line.chunks(limits::READ).map(|chunk| (C, chunk)));
        assert_eq!(sealed(&steps, C), "a LOGIN ********\r\n");
    }
    let literal = format!("a LOGIN alice {{{}+}}\r\n", 2 * limits::LITERAL_HELD);
    let password = vec![b'x'; 2 * limits::LITERAL_HELD as usize];
    let steps: [(Peer, &[u8]); 4] = [
        (S, b"* OK hi\r\n"),
        (C, literal.as_bytes()),
        (C, &password),
        (C, b"\r\n"),
    ];
    assert_eq!(sealed(&steps, C), "a LOGIN ********\r\n");
}

#[test]
fn what_was_secret_once_is_masked_when_it_comes_again() {
    let steps: [(Peer, &[u8]); 5] = [
        (S, b"* OK hi\r\n"),
        (C, b"a LOGIN alice hunter2\r\n"),
        (
            S,
            b"a NO [X hunter2] hunter2 is wrong for alice\r\n* BAD hunter2\r\n",
        ),
        (C, b"b LOGIN hunter2 alice\r\n"),
        (S, b"b OK hunter2\r\n"),
    ];
    assert_eq!(
        sealed(&steps, S),
        "* OK hi\r\na NO [X ********] ******** is wrong for alice\r\n* BAD ********\r\nb OK ********\r\n"
    );
    assert_eq!(
        sealed(&steps, C),
        "a LOGIN alice ********\r\nb LOGIN ******** ********\r\n"
    );
}

#[test]
fn scram_challenges_are_masked_and_others_are_not() {
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a AUTHENTICATE SCRAM-SHA-1\r\n"),
        (S, b"+ cj1hYmM=\r\na NO\r\n"),
    ];
    assert_eq!(sealed(&steps, S), "* OK hi\r\n+ ********\r\na NO\r\n");
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* OK hi\r\n"),
        (C, b"a AUTHENTICATE CRAM-MD5\r\n"),
        (S, b"+ PDEyMz4=\r\na NO\r\n"),
    ];
    assert_eq!(sealed(&steps, S), "* OK hi\r\n+ PDEyMz4=\r\na NO\r\n");
}

#[test]
fn urlauth_tokens_are_masked() {
    let url = "imap://joe@example.com/INBOX/;uid=20;urlauth=submit+fred:internal:91354a473744909d";
    let command = format!("a URLFETCH \"{url}\"\r\n");
    let response = format!("* GENURLAUTH \"{url}\"\r\n* OK [BADURL \"{url}\"] no\r\n");
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, command.as_bytes()),
        (S, response.as_bytes()),
    ];
    assert_eq!(sealed(&steps, C), "a URLFETCH ********\r\n");
    assert_eq!(
        sealed(&steps, S),
        "* PREAUTH hi\r\n* GENURLAUTH ********\r\n* OK [BADURL ********] no\r\n"
    );
}

#[test]
fn shown_secrets_are_the_wire() {
    let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, b"a LOGIN alice hunter2\r\n")];
    let events = read(&mut Observer::new(Gate::new(Secrets::Shown)), &steps);
    assert_eq!(wires(&events, C), b"a LOGIN alice hunter2\r\n");
}

#[test]
fn the_session_goes_through_its_states() {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    for (from, bytes, state) in [
        (S, &b"* OK hi\r\n"[..], State::NotAuthenticated),
        (C, b"a LOGIN alice x\r\n", State::NotAuthenticated),
        (S, b"a NO\r\n", State::NotAuthenticated),
        (C, b"b LOGIN alice y\r\n", State::NotAuthenticated),
        (S, b"b OK\r\n", State::Authenticated),
        (C, b"c SELECT x\r\n", State::Authenticated),
        (S, b"c OK\r\n", State::Selected),
        (C, b"d SELECT y\r\n", State::Selected),
        (S, b"d NO\r\n", State::Authenticated),
        (C, b"e EXAMINE x\r\n", State::Authenticated),
        (S, b"e OK\r\n", State::Selected),
        (C, b"f CLOSE\r\n", State::Selected),
        (S, b"f OK\r\n", State::Authenticated),
        (C, b"g UNAUTHENTICATE\r\n", State::Authenticated),
        (S, b"g OK\r\n", State::NotAuthenticated),
        (S, b"* BYE\r\n", State::Logout),
    ] {
        observer.observe(from, bytes, Micros(0), &mut drafts);
        assert_eq!(
            observer.state(),
            state,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}
