//! Which command a response answers (contract, "Attribution").

use super::super::Observer;
use super::super::command::Command;
use super::super::lexer;
use super::super::response::Response;
use super::super::solicit::{Facts, Request};
use super::super::tracker::Tracker;
use super::{logged_in, read, told};
use crate::event::{Gate, Message, Micros, Peer, Relation, Secrets, Status};
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
fn of_long_commands_in_flight_fewer_are_kept() {
    let items: String = (0..100).map(|i| format!("X{i:0>200} ")).collect();
    let set: String = (0..250).map(|i| format!("{},", 2 * i + 1)).collect();
    let all = 4 * limits::IN_FLIGHT_HELD / (100 * 200);
    let mut tracker = Tracker::default();
    let mut forgotten = 0;
    for i in 0..all {
        let text = format!("t{i} FETCH {set}999 ({items}FLAGS)\r\n");
        let message = Message::text(text.as_bytes());
        let spans = lexer::command(&message);
        let request = Request::new(Command::new(&message, &spans));
        let tag = format!("t{i}");
        forgotten += usize::from(tracker.command(i as u64, &tag, Micros(0), request));
    }
    // A quarter of them at most; the last ones.
    assert!((all / 2..all).contains(&forgotten), "{forgotten} of {all}");
    let tagged = |tracker: &mut Tracker, i: usize| {
        let completed = tracker.tagged(&format!("t{i}"), Some(Status::Ok), Micros(0));
        completed.map(|completed| completed.command)
    };
    assert_eq!(tagged(&mut tracker, 0), None);
    assert_eq!(tagged(&mut tracker, all - 1), Some(all as u64 - 1));
}

#[test]
fn a_response_that_may_answer_many_names_the_oldest_of_them() {
    const COMMANDS: u64 = 100;
    let mut tracker = Tracker::default();
    let message = Message::text(b"a SEARCH ALL\r\n");
    let spans = lexer::command(&message);
    let request = Request::new(Command::new(&message, &spans));
    for i in 0..COMMANDS {
        assert!(!tracker.command(i, &format!("t{i}"), Micros(0), request.clone()));
    }
    let message = Message::text(b"* SEARCH 1\r\n");
    let spans = lexer::response(&message);
    let facts = Facts::new(Response::new(&message, &spans), "SEARCH", None);
    let oldest = (0..limits::AMBIGUOUS as u64).collect();
    assert_eq!(tracker.relate(&facts, None).0, Relation::Ambiguous(oldest));
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
