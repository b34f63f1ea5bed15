//! Random conversations: what holds for every one, whatever the peers say.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::Observer;
use super::{everything, number, told, wires};
use crate::event::{Event, Gate, Micros, Peer, Secrets};
use crate::protocol::Protocol;

use Peer::{Client as C, Server as S};

/// What one peer sends before the other one does.
pub(crate) type Step = (Peer, Arc<[u8]>);

/// The password in all of them, and what tells it in base64: in a turn of LOGIN, in PLAIN's, in
/// PLAIN's with an authorization identity, and in XOAUTH2's.
const SECRETS: [&str; 4] = ["hunter2", "aHVudGVyM", "h1bnRlcj", "odW50ZXIy"];

/// Lines, and pieces of lines, that lead from one state to another.
const PIECES: &[(Peer, &[u8])] = &[
    (C, b"a NOOP\r\n"),
    (C, b"b NOOP\n"),
    (C, b"a LOGIN alice hunter2\r\n"),
    (C, b"a login \"alice\" \"hunter2\"\r\n"),
    (C, b"a LOGIN alice {7}\r\n"),
    (C, b"a LOGIN {5+}\r\nalice {7+}\r\nhunter2\r\n"),
    (C, b"hunter2\r\n"),
    (C, b"LOGIN alice hunter2\r\n"),
    (C, b"b XLOGIN alice hunter2\r\n"),
    (C, b"a AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n"),
    (C, b"a AUTHENTICATE LOGIN\r\n"),
    (C, b"b AUTHENTICATE SCRAM-SHA-1\r\n"),
    (C, b"a AUTHENTICATE AGFsaWNlAGh1bnRlcjI=\r\n"),
    (C, b"b AUTHENTICATE PLAIN\r\nAGFsaWNlAGh1bnRlcjI=\r\n"),
    (C, b"YWxpY2U=\r\naHVudGVyMg==\r\n"),
    (C, b"aHVudGVyMg==\r\n"),
    (C, b"Ym9iAGFsaWNlAGh1bnRlcjI=\r\n"),
    (C, b"b AUTHENTICATE PLAIN Ym9iYgBhbGljZQBodW50ZXIy\r\n"),
    (
        C,
        b"a AUTHENTICATE XOAUTH2 dXNlcj1hbGljZQFhdXRoPUJlYXJlciBodW50ZXIyAQE=\r\n",
    ),
    (C, b"a AUTHENTICATE LOGIN YWxpY2U=\r\n"),
    (C, b"a AUTHENTICATE LOGIN {8}\r\n"),
    (C, b"*\r\n"),
    (C, b"a IDLE\r\n"),
    (C, b"DONE\r\n"),
    (C, b"c APPEND x {3}\r\n"),
    (C, b"c APPEND x {14}\r\n"),
    (C, b"j ID (\"x\" {9}\r\n"),
    (C, b"e SELECT {20+}\r\n"),
    (C, b"a LOGIN {24}\r\n"),
    (C, b"LOGIN alice {30}\r\n"),
    (C, b"abc\r\n"),
    (C, b"c APPEND x (\\Seen) ~{3+}\r\na\0c\r\n"),
    (C, b"d UID FETCH 1:* (FLAGS BODY[])\r\n"),
    (C, b"e SELECT INBOX\r\n"),
    (C, b"f SEARCH ALL\r\n"),
    (C, b"g UNAUTHENTICATE\r\n"),
    (C, b"h LOGOUT\r\n"),
    (C, b"i STARTTLS\r\n"),
    (C, b"j ID (\"x\" \"y"),
    (C, b"\r\n"),
    (C, b"\xff\0 {"),
    (S, b"* OK hi\r\n"),
    (S, b"* PREAUTH [CAPABILITY IMAP4rev1 IDLE] hi\r\n"),
    (S, b"* BYE hunter2\r\n"),
    (S, b"a OK in\r\n"),
    (S, b"a NO [X hunter2] hunter2\r\n"),
    (S, b"a BAD {5}\r\n"),
    (S, b"b OK [CAPABILITY IMAP4rev1] x\n"),
    (S, b"b NO aHVudGVyMg==\r\n"),
    (S, b"c OK\r\nd OK\r\n"),
    (S, b"e OK [READ-WRITE] x\r\n"),
    (S, b"g OK\r\n"),
    (S, b"i OK\r\n"),
    (S, b"i NO\r\n"),
    (S, b"hunter2 BAD what\r\n"),
    (S, b"+ \r\n"),
    (S, b"+ cj14\r\n"),
    (S, b"+ UGFzc3dvcmQ6\r\n"),
    (S, b"* LIST () \"/\" hunter2 (\r\n"),
    (S, b"c NO h1bnRlcjI AGFsaWNlAGh1bnRlcjI=\r\n"),
    (S, b"hunter2"),
    (S, b"h"),
    (S, b"unter2"),
    (S, b"+ go {3}\r\n"),
    (S, b"* 3 EXISTS\r\n* OK [CLOSED] x\r\n"),
    (S, b"* 3 FETCH (BODY[] {4}\r\na\r\nb UID 7 FLAGS ())\r\n"),
    (S, b"* LIST (\\A) NIL {3}\r\nfoo\r\n"),
    (S, b"* OK [X {3}\r\nfoo] bar\r\n"),
    (S, b"* wrong password hunter2\r\n"),
    (S, b"* SEARCH 1 2\r\n"),
    (S, b"* 1 FETCH (FLAGS"),
    (S, b"(\r\n"),
    (S, b"\r\n"),
];

/// A conversation of such pieces.
pub(crate) fn conversation() -> impl Strategy<Value = Vec<Step>> {
    let piece = prop::sample::select(PIECES).prop_map(|(from, bytes)| (from, bytes.into()));
    prop::collection::vec(piece, 0..24)
}

/// The events of a conversation, as it is recorded.
pub(crate) fn events(steps: &[Step], secrets: Secrets) -> Vec<Event> {
    let mut observer = Observer::new(Gate::new(secrets));
    let mut drafts = Vec::new();
    for (at, (from, bytes)) in steps.iter().enumerate() {
        observer.observe(*from, bytes, Micros(at as u64), &mut drafts);
    }
    for from in [C, S] {
        observer.ended(from, Micros(steps.len() as u64), &mut drafts);
    }
    number(drafts)
}

fn sent(steps: &[Step], by: Peer) -> Vec<u8> {
    let steps = steps.iter().filter(|(from, _)| *from == by);
    steps.flat_map(|(_, bytes)| bytes.to_vec()).collect()
}

/// Cuts each step at such places of it.
fn cut(steps: &[Step], places: &[prop::sample::Index]) -> Vec<Step> {
    let mut cut = Vec::new();
    for (step, (from, bytes)) in steps.iter().enumerate() {
        let at = match places.get(step % places.len().max(1)) {
            Some(place) if !bytes.is_empty() => place.index(bytes.len()),
            _ => 0,
        };
        let (head, tail) = bytes.split_at(at);
        cut.extend([(*from, head.into()), (*from, tail.into())]);
    }
    cut
}

fn noise() -> impl Strategy<Value = Vec<Step>> {
    let octets = prop_oneof![
        any::<Vec<u8>>(),
        "[a-b*+ {}0-9\"\\\\()\\[\\]\r\n~]{0,40}".prop_map(String::into_bytes),
    ];
    let step = (prop::bool::ANY, octets).prop_map(|(client, octets)| {
        let from = if client { C } else { S };
        (from, octets.into())
    });
    prop::collection::vec(step, 0..20)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn however_it_is_read_it_says_the_same(
        steps in conversation(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        // Octets that have no lines come as they were read.
        let said = |steps: &[Step]| {
            let mut lines = told(&events(steps, Secrets::Masked));
            lines.dedup_by(|line, before| line.starts_with("opaque") && line == before);
            lines
        };
        prop_assert_eq!(said(&cut(&steps, &places)), said(&steps));
    }

    #[test]
    fn no_octet_is_lost(steps in prop_oneof![conversation(), noise()]) {
        let events = events(&steps, Secrets::Shown);
        for peer in [C, S] {
            prop_assert_eq!(wires(&events, peer), sent(&steps, peer));
        }
        prop_assert!(!told(&events).contains(&"note observer-stopped".to_owned()));
    }

    /// Before authentication at once, later when it was masked once.
    #[test]
    fn the_password_stands_nowhere(
        steps in conversation(),
        places in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
        was_told in any::<bool>(),
    ) {
        let mut all: Vec<Step> = vec![(S, (*b"* OK hi\r\n").into())];
        if was_told {
            all.push((C, (*b"z LOGIN alice hunter2\r\n").into()));
            all.push((S, (*b"z NO\r\n").into()));
        }
        all.extend(steps.into_iter().filter(|step| was_told || is_ignorant(step)));
        let all = everything(&events(&cut(&all, &places), Secrets::Masked));
        for secret in SECRETS {
            prop_assert!(!all.contains(secret), "{}", all);
        }
    }
}

/// Whether the step neither logs in, behind which all may be shown that was not masked before, nor
/// says what no client can have told the server.
fn is_ignorant((from, bytes): &Step) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let logs_in = (text.contains("OK") && !text.starts_with("i OK")) || text.contains("PREAUTH");
    let echoes = ["unter2"]
        .iter()
        .chain(&SECRETS)
        .any(|secret| text.contains(secret));
    *from == C || !(logs_in || echoes)
}
