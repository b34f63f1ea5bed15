//! Client's lines that may be an attempt to log in, though they do not look so (contract, "Masks").

use super::{conversation, keeps, sealed};
use crate::event::Peer;

use Peer::{Client as C, Server as S};

#[test]
fn a_login_that_a_literal_swallows_is_secret() {
    let login = b"a LOGIN alice hunter2\r\n";
    for command in [
        "APPEND x",
        "SELECT",
        "ID (\"x\"",
        "LOGIN",
        "XFOO",
        "APPEND x (",
    ] {
        for octets in [3, 14, 23, 24] {
            let header = format!("c {command} {{{octets}}}\r\n");
            for answer in [&b"+ go\r\n"[..], b"c NO\r\n", b"c OK\r\n"] {
                keeps(
                    &["hunter2", "hunt", "nter2"],
                    &[
                        (S, b"* OK hi\r\n"),
                        (C, header.as_bytes()),
                        (S, answer),
                        (C, login),
                        (C, b"d NOOP\r\n"),
                        (S, b"c BAD hunter2\r\nd OK\r\n"),
                    ],
                );
            }
        }
    }
}

#[test]
fn a_login_behind_an_unfinished_line_is_secret() {
    for begun in [
        "j ID (\"x\" \"y",
        "j ID (\"x\" ",
        "j NOOP",
        "j SELECT ",
        "j LANGUAGE ",
        "j ENABLE ",
    ] {
        for rest in [
            "hunter2\r\n",
            "a LOGIN alice hunter2\r\n",
            "a login \"alice\" \"hunter2\"\r\n",
        ] {
            let line = format!("{begun}{rest}");
            keeps(&["hunter2"], &[(S, b"* OK hi\r\n"), (C, line.as_bytes())]);
        }
    }
}

#[test]
fn the_arguments_of_a_command_that_is_not_valid_yet_are_secret() {
    for command in [
        "APPEND hunter2 {3+}\r\nabc",
        "COMPARATOR hunter2",
        "ENABLE hunter2",
        "FETCH 1 hunter2",
        "GETACL hunter2",
        "SELECT hunter2",
        "UID SEARCH hunter2",
        "URLFETCH hunter2",
    ] {
        let line = format!("a {command}\r\n");
        let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, line.as_bytes())];
        keeps(&["hunter2", "abc"], &steps);
        let shown = sealed(&steps, C);
        assert!(shown.ends_with(" ********\r\n"), "{shown}");
        assert!(shown.starts_with(&line[..6]), "{shown}");
    }
}

#[test]
fn a_command_that_came_too_early_makes_no_secret_of_its_mailbox() {
    let steps: [(Peer, &[u8]); 5] = [
        (S, b"* OK hi\r\n"),
        (C, b"a SELECT INBOX\r\n"),
        (S, b"a BAD log in first\r\n"),
        (C, b"b LOGIN alice hunter2\r\nc SELECT INBOX\r\n"),
        (S, b"b OK\r\nc OK INBOX\r\n"),
    ];
    assert_eq!(
        sealed(&steps, C),
        "a SELECT ********\r\nb LOGIN alice ********\r\nc SELECT INBOX\r\n"
    );
    assert!(sealed(&steps, S).ends_with("c OK INBOX\r\n"));
}

#[test]
fn what_is_sent_along_with_a_login_is_readable() {
    assert_eq!(
        conversation(&[
            (S, b"* OK hi\r\n"),
            (
                C,
                b"a LOGIN alice hunter2\r\nb SELECT INBOX\r\nc FETCH 1:3 FLAGS\r\n"
            ),
            (
                S,
                b"a OK in\r\n* 3 EXISTS\r\nb OK\r\n* 2 FETCH (FLAGS ())\r\nc OK\r\n"
            ),
        ]),
        [
            "greeting OK",
            "command a LOGIN identity=alice",
            "command b SELECT",
            "command c FETCH",
            "tagged a OK answers=2",
            "* 3 EXISTS answers=3",
            "tagged b OK answers=3",
            "* 2 FETCH answers=4",
            "tagged c OK answers=4",
        ]
    );
}

#[test]
fn what_is_valid_before_authentication_is_readable() {
    let lines =
        b"a CAPABILITY\r\nb ID (\"name\" \"Mail\" \"version\" NIL)\r\nc NOOP\r\nd ID NIL\r\n\
        e LANGUAGE de en-GB\r\nf STARTTLS\r\n";
    let steps: [(Peer, &[u8]); 2] = [(S, b"* OK hi\r\n"), (C, lines)];
    assert_eq!(sealed(&steps, C).as_bytes(), lines);
}

#[test]
fn a_user_that_was_cut_by_a_literal_is_secret() {
    // The literal's number is wrong: alice would have been `hunte`, her password `r2`.
    keeps(
        &["hunte", "r2\r"],
        &[
            (S, b"* OK hi\r\n"),
            (C, b"a LOGIN {5}\r\n"),
            (S, b"+ go\r\n"),
            (C, b"hunter2\r\n"),
        ],
    );
}

#[test]
fn a_password_in_the_turn_of_the_name_is_secret() {
    for begun in [
        &[(S, &b"+ UGFzc3dvcmQ6\r\n"[..])][..],
        &[(S, b"+ VXNlcm5hbWU6\r\n"), (C, b"b NOOP\r\n")],
        &[
            (S, b"+ VXNlcm5hbWU6\r\n"),
            (C, b"j ID (\"x\" \"yYWxpY2U=\r\n"),
        ],
        &[(S, b"+ VXNlcm5hbWU6\r\n"), (C, b"*\r\n")],
        &[],
    ] {
        let mut steps: Vec<(Peer, &[u8])> =
            vec![(S, b"* OK hi\r\n"), (C, b"a AUTHENTICATE LOGIN\r\n")];
        steps.extend_from_slice(begun);
        steps.push((C, b"aHVudGVyMg==\r\n"));
        steps.push((S, b"a NO hunter2\r\n"));
        keeps(&["hunter2", "aHVu"], &steps);
    }
}
