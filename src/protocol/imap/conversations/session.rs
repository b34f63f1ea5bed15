//! The states of a session (RFC 9051, section 3), and the lines that are no commands.

use super::super::Observer;
use super::super::State;
use super::{conversation, logged_in};
use crate::event::{Gate, Micros, Peer, Secrets};
use crate::protocol::Protocol;

use Peer::{Client as C, Server as S};

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
        (C, b"e2 SELECT y\r\n", State::Selected),
        (S, b"* OK [CLOSED] x\r\n", State::Authenticated),
        (S, b"e2 OK\r\n", State::Selected),
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

#[test]
fn done_before_the_plus_leaves_the_plus_to_idle() {
    assert_eq!(
        logged_in(&[
            (C, b"a IDLE\r\nDONE\r\nb APPEND x {3}\r\n"),
            (S, b"+ idling\r\na OK\r\n+ go\r\n"),
            (C, b"abc\r\n"),
            (S, b"b OK\r\n"),
        ]),
        [
            "command a IDLE",
            "continuation",
            "+ for=idle tag=a answers=2",
            "tagged a OK answers=2",
            "+ for=literal tag=b",
            "command b APPEND",
            "tagged b OK answers=7",
        ]
    );
}

#[test]
fn idle_that_is_refused_is_over() {
    for status in ["NO", "BAD"] {
        let answer = format!("a {status}\r\n");
        let told = logged_in(&[
            (C, b"a IDLE\r\n"),
            (S, answer.as_bytes()),
            (C, b"b APPEND x {1+}\r\nx\r\n"),
        ]);
        assert_eq!(told[2], "command b APPEND");
    }
}

#[test]
fn starttls_and_compress_that_are_refused_change_nothing() {
    for command in ["STARTTLS", "COMPRESS DEFLATE"] {
        let line = format!("a {command}\r\nb NOOP\r\n");
        let told = logged_in(&[(C, line.as_bytes()), (S, b"a NO\r\nb OK\r\n")]);
        assert_eq!(
            told[2..],
            ["tagged a NO answers=2", "tagged b OK answers=3"]
        );
    }
}

#[test]
fn a_message_that_is_named_by_its_number_alone_has_the_uid_that_was_told() {
    let told = logged_in(&[
        (C, b"a SELECT x\r\n"),
        (S, b"* 3 EXISTS\r\na OK\r\n"),
        (C, b"b FETCH 1:3 UID\r\n"),
        (S, b"* 2 FETCH (UID 12)\r\n* 3 FETCH (UID 15)\r\nb OK\r\n"),
        (C, b"c NOOP\r\n"),
        (
            S,
            b"* 1 EXPUNGE\r\n* 2 FETCH (FLAGS ())\r\n* 2 EXPUNGE\r\nc OK\r\n",
        ),
    ]);
    let untagged: Vec<_> = told.iter().filter(|line| line.starts_with('*')).collect();
    assert_eq!(
        untagged,
        [
            "* 3 EXISTS answers=2",
            "* 2 FETCH answers=5",
            "* 3 FETCH answers=5",
            "* 1 EXPUNGE unsolicited",
            "* 2 FETCH uid=15 unsolicited",
            "* 2 EXPUNGE uid=15 unsolicited",
        ]
    );
}
