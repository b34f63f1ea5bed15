//! Which command a response answers (contract, "Attribution").

use super::super::Observer;
use super::super::command::Command;
use super::super::lexer;
use super::super::solicit::Request;
use super::super::tracker::Tracker;
use super::{logged_in, read, told};
use crate::event::{Gate, Message, Micros, Peer, Secrets, Status};
use crate::growth::assert_linear;
use crate::limits;

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

#[test]
fn a_uid_behind_a_streamed_literal_is_seen() {
    let mail = "x".repeat(70_000);
    let response = format!("* 1 FETCH (BODY[] {{70000}}\r\n{mail} UID 7)\r\n");
    let told = logged_in_once(&[(C, b"a UID FETCH 7 BODY[]\r\n"), (S, response.as_bytes())]);
    assert_eq!(told[2..], ["part 0/70000 answers=2", "* 1 FETCH answers=2"]);
}

#[test]
fn very_many_commands_in_flight_are_kept_apart() {
    let message = Message::text(b"a NOOP\r\n");
    let spans = lexer::command(&message);
    let request = Request::new(Command::new(&message, &spans));
    let tags = |number| -> Vec<String> { (0..number).map(|i| format!("t{i}")).collect() };
    // As many as are kept, the newest answered first.
    assert_linear(limits::IN_FLIGHT / 8, tags, |tags| {
        let mut tracker = Tracker::default();
        for (ordinal, tag) in tags.iter().enumerate() {
            assert!(!tracker.command(ordinal as u64, tag, Micros(0), request.clone()));
        }
        for (ordinal, tag) in tags.iter().enumerate().rev() {
            let completed = tracker.tagged(tag, Some(Status::Ok), Micros(0));
            let command = completed.map(|completed| completed.command);
            assert_eq!(command, Some(ordinal as u64));
        }
    });
}

#[test]
fn of_too_many_commands_in_flight_the_oldest_are_forgotten() {
    let all = 2 * limits::IN_FLIGHT;
    let command = |i: usize| format!("t{i} NOOP\r\n");
    let commands: String = (0..all).map(command).collect();
    let answer = |i: usize| format!("t{i} OK\r\n");
    let answers: String = (limits::IN_FLIGHT..all).rev().map(answer).collect();
    let told = logged_in_once(&[(C, commands.as_bytes()), (S, answers.as_bytes())]);
    let answered = told.iter().filter(|line| line.contains("answers="));
    assert_eq!(answered.count(), limits::IN_FLIGHT);
}

#[test]
fn very_long_lists_of_capabilities_are_compared() {
    let names = |number| {
        let names = |prefix| (0..number).map(move |i| format!("{prefix}{i}")).collect();
        [names("A"), names("B")]
    };
    assert_linear(1000, names, |lists: &mut [Vec<String>; 2]| {
        let [before, now] = lists;
        let mut tracker = Tracker::default();
        assert!(tracker.capabilities(std::mem::take(before)).is_none());
        let number = now.len();
        let change = tracker.capabilities(std::mem::take(now)).unwrap();
        assert_eq!((change.added.len(), change.removed.len()), (number, number));
    });
}

/// Reads the conversation whole, after a greeting that logs in.
fn logged_in_once(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let greeting: (Peer, &[u8]) = (S, b"* PREAUTH hi\r\n");
    let steps = [&[greeting], steps].concat();
    told(&read(
        &mut Observer::new(Gate::new(Secrets::Masked)),
        &steps,
    ))
}
