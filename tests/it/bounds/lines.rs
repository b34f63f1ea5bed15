//! Lines that do not end, and lists that go on inwards.

use libtest_mimic::Trial;

use super::{PEAK, bounded, is_readable};
use crate::support::memory::MIB;
use crate::support::session::{Ended, GREETING, Session, once};
use crate::support::trials;
use crate::support::wire::Door;

pub fn trials() -> Vec<Trial> {
    trials!("bounds";
        a_line_of_the_server_that_never_ends,
        a_line_of_the_app_that_never_ends,
        a_line_before_the_login_that_never_ends,
        lists_a_hundred_thousand_deep,
    )
}

/// Far more than is held of a line, and of all that waits for a sink.
const NEVER: usize = 48 * MIB;

fn never() -> Box<dyn Iterator<Item = Vec<u8>>> {
    const PIECE: usize = 64 * 1024;
    Box::new((0..NEVER / PIECE).map(|n| vec![b'a' + (n % 26) as u8; PIECE]))
}

/// What the transcript has of one side, which said this before the line, and the line.
fn has_the_line(ended: &Ended, from: &str, before: &str) {
    let said = ended.transcript().wire(1, from, b"");
    let (began, line) = said.split_at(before.len());
    assert_eq!(began, before.as_bytes());
    assert!(line == never().flatten().collect::<Vec<u8>>());
}

fn a_line_of_the_server_that_never_ends() {
    let session = Session::start(Door::Tls, |record| record.with(&["--quiet"]));
    session.down(&never);
    // The other way goes on.
    session.up(&|| once("a NOOP\r\n"));
    let ended = bounded(session);
    has_the_line(&ended, "server", GREETING);
    assert_eq!(ended.transcript().kind("command")[0]["name"], "NOOP");
    is_readable(&ended);
}

fn a_line_of_the_app_that_never_ends() {
    let session = Session::start(Door::Plain, |record| record.with(&["--quiet"]));
    session.up(&|| once("a NOOP\r\nb SEARCH TEXT "));
    session.up(&never);
    session.down(&|| once("a OK done\r\n"));
    let ended = bounded(session);
    has_the_line(&ended, "client", "a NOOP\r\nb SEARCH TEXT ");
    assert_eq!(ended.transcript().kind("tagged")[0]["answers"], 3);
    is_readable(&ended);
}

/// What it is may be a password, so that it is nowhere; but it is passed on.
fn a_line_before_the_login_that_never_ends() {
    let session = Session::greeted(Door::Plain, "* OK ready\r\n", |record| {
        record.with(&["--quiet"])
    });
    session.up(&|| once("a LOGIN alice "));
    session.up(&never);
    session.down(&|| once("* BAD line too long\r\n"));
    let ended = bounded(session);
    let transcript = ended.transcript();
    assert!(
        transcript.text().len() < 10_000,
        "{}",
        transcript.text().len()
    );
    assert_eq!(transcript.kind("command")[0]["incomplete"], true);
    is_readable(&ended);
}

/// Each parenthesis is a span of 24 octets, which makes these messages a hundred times as heavy as what servers
/// say; and the allocator keeps what was freed for a while.
fn lists_a_hundred_thousand_deep() {
    const DEEP: usize = 100_000;
    let (open, close) = ("(".repeat(DEEP), ")".repeat(DEEP));
    let session = Session::start(Door::Tls, |record| record);
    let commands = format!(
        "a SELECT INBOX\r\nb FETCH 1:4 (BODYSTRUCTURE ENVELOPE)\r\nc SEARCH {open}SEEN{close}\r\nd SEARCH{}\r\n",
        " NOT".repeat(DEEP)
    );
    session.up(&|| once(&commands));
    let responses = format!(
        "* 4 EXISTS\r\na OK done\r\n* 1 FETCH (BODYSTRUCTURE {open}\"TEXT\" \"PLAIN\"{close})\r\n\
         * 2 FETCH (BODYSTRUCTURE {open})\r\n* 3 FETCH (ENVELOPE {open}{close})\r\n* THREAD {open}1{close}\r\n\
         * XFOO {open}{close}\r\n* {open}\r\nb OK [X {open}{close}] done\r\nc OK done\r\nd BAD what\r\n"
    );
    session.down(&|| once(&responses));
    let ended = session.end();
    eprintln!("record: {} MiB", ended.peak / MIB);
    assert!(
        ended.peak < 2 * PEAK,
        "mailscope took {} MiB",
        ended.peak / MIB
    );
    let transcript = ended.transcript();
    assert_eq!(transcript.wire(1, "client", b""), commands.as_bytes());
    let said = [GREETING, &responses].concat();
    assert_eq!(transcript.wire(1, "server", b""), said.as_bytes());
    let tagged = transcript.kind("tagged").into_iter();
    let answers: Vec<_> = tagged.map(|event| event["answers"].as_u64()).collect();
    let commands = transcript.kind("command").into_iter();
    assert_eq!(
        answers,
        commands
            .map(|event| event["n"].as_u64())
            .collect::<Vec<_>>()
    );
    is_readable(&ended);
}
