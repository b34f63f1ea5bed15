//! Which command a response answers (contract, "Attribution").

use super::super::Observer;
use super::{logged_in, read, told};
use crate::event::Peer;
use crate::event::{Gate, Micros, Secrets};
use crate::limits;
use crate::protocol::Protocol;

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
    let steps: [(Peer, &[u8]); 3] = [
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a UID FETCH 7 BODY[]\r\n"),
        (S, response.as_bytes()),
    ];
    let told = told(&read(
        &mut Observer::new(Gate::new(Secrets::Masked)),
        &steps,
    ));
    assert_eq!(told[2..], ["part 0/70000 answers=2", "* 1 FETCH answers=2"]);
}

#[test]
fn very_many_commands_in_flight_are_kept_apart() {
    let mut observer = Observer::new(Gate::new(Secrets::Masked));
    let mut drafts = Vec::new();
    observer.observe(S, b"* PREAUTH hi\r\n", Micros(0), &mut drafts);
    for i in 0..2 * limits::IN_FLIGHT {
        observer.observe(
            C,
            format!("t{i} NOOP\r\n").as_bytes(),
            Micros(0),
            &mut drafts,
        );
    }
    for i in (limits::IN_FLIGHT..2 * limits::IN_FLIGHT).rev() {
        observer.observe(S, format!("t{i} OK\r\n").as_bytes(), Micros(0), &mut drafts);
    }
    let answered = |draft: &&crate::event::Draft| match draft.body() {
        crate::event::Body::Said(said) => {
            matches!(said.relation, crate::event::Relation::Answers(_))
        }
        _ => false,
    };
    assert_eq!(drafts.iter().filter(answered).count(), limits::IN_FLIGHT);
}

#[test]
fn very_long_lists_of_capabilities_are_compared() {
    let list = |prefix: &str| -> String { (0..100_000).map(|i| format!(" {prefix}{i}")).collect() };
    let responses = format!("* CAPABILITY{}\r\n* CAPABILITY{}\r\n", list("A"), list("B"));
    let steps: [(Peer, &[u8]); 2] = [(S, b"* PREAUTH hi\r\n"), (S, responses.as_bytes())];
    let told = told(&read(
        &mut Observer::new(Gate::new(Secrets::Masked)),
        &steps,
    ));
    assert!(told[2].contains("\"B99999\"") && told[2].contains("\"A0\""));
}
