//! What fuzzing found, each with the number that its test has.

use super::logged_in;
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
