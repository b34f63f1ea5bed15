//! What fuzzing found, each with the number that its test has.

use super::{conversation, keeps, logged_in};
use crate::event::Peer;

use Peer::{Client as C, Server as S};

/// A tag used twice: the answer is the older command's, and the literal of the other one still waits.
#[test]
fn r001_a_literal_is_not_refused_by_the_answer_to_an_older_command_with_its_tag() {
    let told = logged_in(&[
        (C, b"a NOOP\r\na APPEND x {3}\r\n"),
        (S, b"a NO\r\n"),
        (S, b"+ go\r\n"),
        (C, b"abc\r\n"),
        (S, b"a OK\r\n"),
    ]);
    assert_eq!(
        told,
        [
            "command a NOOP",
            "tagged a NO answers=2",
            "+ for=literal tag=a",
            "command a APPEND",
            "tagged a OK answers=5",
        ]
    );
}

/// A command that has nothing but its name has nothing to mask behind it, but its tag may be a password.
#[test]
fn r004_a_password_in_the_place_of_a_tag_is_masked_before_a_name_alone() {
    for line in [
        &b"hunter2 LIST\r\n"[..],
        b"hunter2 LIST",
        b"hunter2 IDLE \r\n",
    ] {
        let steps = [
            (S, &b"* OK hi\r\n"[..]),
            (C, b"a LOGIN alice hunter2\r\n"),
            (S, b"a NO\r\n"),
            (C, line),
        ];
        keeps(&["hunter2"], &steps);
    }
}

/// A capability with the password in it was masked in a code and not in data, so that the change from
/// one list to the other told it.
#[test]
fn r020_what_changed_of_capabilities_does_not_tell_the_password() {
    let login = [
        (S, &b"* OK [CAPABILITY IMAP4rev1 XIDLE] hi\r\n"[..]),
        (C, b"a LOGIN alice hunter2\r\n"),
        (S, b"a NO\r\n"),
    ];
    let data: &[u8] = b"* CAPABILITY IMAP4rev1 XHUNTER XAUTH=hunter2\r\n";
    let code: &[u8] = b"* OK [CAPABILITY IMAP4rev1 XAUTH=hunter2] on\r\n";
    let none: &[u8] = b"* OK [CAPABILITY IMAP4rev1] on\r\n";
    for (first, second) in [(data, code), (code, data), (data, none), (none, data)] {
        let steps = [&login[..], &[(S, first), (S, second)]].concat();
        keeps(&["hunter2"], &steps);
    }
    // Listed before it was the password, and masked behind it: what went would be what is masked.
    for masked in [data, code] {
        let before = [(S, &b"* OK [CAPABILITY IMAP4rev1 XAUTH=hunter2] hi\r\n"[..])];
        let steps = [&before[..], &login[1..], &[(S, masked)]].concat();
        let told = conversation(&steps);
        assert!(!told.concat().contains("hunter2"), "{told:?}");
    }
}
