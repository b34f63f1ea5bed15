//! Very many messages at once.

use std::fmt::Write;

use libtest_mimic::Trial;

use super::{bounded, is_readable};
use crate::support::session::{GREETING, Session, once};
use crate::support::trials;
use crate::support::wire::Door;

pub fn trials() -> Vec<Trial> {
    trials!("bounds";
        a_hundred_thousand_untagged_responses_to_one_command,
        ten_thousand_pipelined_commands,
        ten_thousand_pipelined_commands_that_ask_for_the_same,
    )
}

/// Lines, some hundred of them a piece, so that what is sent at once is not all of them.
fn lines(
    count: usize,
    line: impl Fn(usize) -> String + 'static,
) -> Box<dyn Iterator<Item = Vec<u8>>> {
    const PIECE: usize = 500;
    let piece = move |first: usize| {
        let mut piece = String::new();
        for number in first..(first + PIECE).min(count) {
            write!(piece, "{}\r\n", line(number)).unwrap();
        }
        piece.into_bytes()
    };
    Box::new((0..count).step_by(PIECE).map(piece))
}

fn a_hundred_thousand_untagged_responses_to_one_command() {
    const RESPONSES: usize = 100_000;
    let session = Session::start(Door::Tls, |record| record.with(&["--quiet"]));
    session.up(&|| once("a UID FETCH 1:* (FLAGS)\r\n"));
    let flagged = |n| format!("* {} FETCH (UID {} FLAGS (\\Seen))", n + 1, 2 * n + 7);
    session.down(&|| lines(RESPONSES, flagged));
    session.down(&|| once("a OK done\r\n"));
    let ended = bounded(session);
    let transcript = ended.transcript();
    let mut said = transcript.kind("untagged");
    assert_eq!(said.len(), RESPONSES);
    let command = &transcript.kind("command")[0]["n"];
    said.push(transcript.kind("tagged")[0]);
    assert!(said.iter().all(|event| event["answers"] == *command));
    let mut octets = GREETING.as_bytes().to_vec();
    lines(RESPONSES, flagged).for_each(|piece| octets.extend(piece));
    octets.extend(b"a OK done\r\n");
    assert!(transcript.wire(1, "server", b"") == octets);
    is_readable(&ended);
}

const COMMANDS: usize = 10_000;

fn ten_thousand_pipelined_commands() {
    let session = Session::start(Door::Tls, |record| record.with(&["--quiet"]));
    session.up(&|| lines(COMMANDS, |n| format!("t{n} FETCH {} (FLAGS)", n + 1)));
    // Not one is answered before all have come.
    let answer = |n| format!("* {} FETCH (FLAGS ())\r\nt{n} OK done", n + 1);
    session.down(&|| lines(COMMANDS, answer));
    let ended = bounded(session);
    let transcript = ended.transcript();
    let commands = transcript.kind("command");
    assert_eq!(commands.len(), COMMANDS);
    for kind in ["untagged", "tagged"] {
        let answers = transcript
            .kind(kind)
            .into_iter()
            .map(|event| &event["answers"]);
        assert!(
            answers.eq(commands.iter().map(|event| &event["n"])),
            "{kind}"
        );
    }
    is_readable(&ended);
}

fn ten_thousand_pipelined_commands_that_ask_for_the_same() {
    let session = Session::start(Door::Plain, |record| record.with(&["--quiet"]));
    session.up(&|| lines(COMMANDS, |n| format!("t{n} FETCH 1:* (FLAGS)")));
    session.down(&|| lines(COMMANDS, |n| format!("* {} FETCH (FLAGS ())", n + 1)));
    session.down(&|| lines(COMMANDS, |n| format!("t{n} OK done")));
    let ended = bounded(session);
    let transcript = ended.transcript();
    assert_eq!(transcript.kind("untagged").len(), COMMANDS);
    is_readable(&ended);
}
