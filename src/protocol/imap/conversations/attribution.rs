//! Which command a response answers (contract, "Attribution").

use super::logged_in;
use crate::event::Peer;

use Peer::{Client as C, Server as S};

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
