//! Whole sessions, told.

use super::super::sentence::tests::text;
use super::*;
use crate::event::Secrets;
use crate::protocol::imap::conversations::random::{Step, conversation, events};
use proptest::prelude::*;

use crate::event::Peer::{Client as C, Server as S};

fn steps(lines: &[(Peer, &str)]) -> Vec<Step> {
    let step = |(peer, line): &(Peer, &str)| {
        let line = format!("{line}\r\n").into_bytes();
        (*peer, line.into())
    };
    lines.iter().map(step).collect()
}

/// What is said of each event of a conversation, the terms by their names.
fn told(lines: &[(Peer, &str)]) -> Vec<String> {
    let mut narrator = Narrator::default();
    let events = events(&steps(lines), Secrets::Masked);
    let told = events.iter().map(|event| {
        let explanation = narrator.explain(event);
        let sentence = explanation.sentence.as_ref().map(text);
        let source = explanation.source.map(|source| format!("({source})"));
        let terms = explanation.terms.iter().map(|term| {
            let written = String::from_utf8_lossy(&term.written);
            format!("[{written}]")
        });
        let parts = sentence.into_iter().chain(source).chain(terms);
        parts.collect::<Vec<String>>().join(" ")
    });
    told.collect()
}

#[test]
fn fetching_marks_nothing_as_read_where_the_mailbox_is_open_for_reading_only() {
    let marks = |opened: &str, answer: &str| {
        let said = told(&[
            (S, "* PREAUTH hi"),
            (C, opened),
            (S, answer),
            (C, "c FETCH 1 (BODY[])"),
        ]);
        said.last().unwrap().contains("1, which marks it as read")
    };
    assert!(marks("b SELECT INBOX", "b OK [READ-WRITE] open"));
    assert!(!marks("b EXAMINE INBOX", "b OK [READ-ONLY] open"));
    assert!(!marks("b SELECT INBOX", "b OK [READ-ONLY] open"));
}

#[test]
fn a_session_is_told_once() {
    let told = told(&[
        (S, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN XUNHEARDOF] hi"),
        (C, "a LOGIN alice hunter2"),
        (S, "a OK in"),
        (C, "b SELECT INBOX"),
        (S, "* 3 EXISTS"),
        (S, "b OK [READ-WRITE] open"),
        (C, "c NOOP"),
        (S, "c OK"),
        (C, "d NOOP"),
        (S, "d OK"),
        (C, "e UID SEARCH UNSEEN"),
        (S, "* SEARCH 7 9"),
        (S, "e OK"),
        (C, "f SELECT Gone"),
        (S, "f NO [NONEXISTENT] no"),
        (C, "g SELECT Gone"),
        (S, "g NO [NONEXISTENT] no"),
        (C, "h XUNHEARDOF 1 2"),
    ]);
    let expected = [
        "the server speaks first: it is ready for commands (RFC 9051, 7.1.1) [[CAPABILITY]] [CAPABILITY] \
         [IMAP4rev1] [AUTH=PLAIN]",
        "logs in as alice, with a password (RFC 9051, 6.2.3) [a]",
        "logged in: mailboxes can be listed and opened from now on (RFC 9051, 3.2)",
        "opens the mailbox INBOX (RFC 9051, 6.3.2)",
        "the mailbox holds 3 messages (RFC 9051, 7.4.1) [*]",
        "the mailbox is open: its messages can be asked for from now on (RFC 9051, 3.3) \
         [READ-WRITE]",
        "does nothing, but keeps the connection alive and lets the server report what changed \
         (RFC 9051, 6.1.2)",
        "c succeeded: an answer with its tag ends a command (RFC 9051, 7.1.1)",
        "",
        "",
        "asks for the UIDs of the messages that are unread (RFC 9051, 6.4.9)",
        "2 messages fit, and these are their UIDs (RFC 3501, 7.2.5)",
        "",
        "opens the mailbox Gone",
        "SELECT failed, and nothing is wrong with the way it was said (RFC 9051, 7.1.2) \
         [NONEXISTENT]",
        "",
        "SELECT failed",
        "",
    ];
    let told: Vec<&str> = told
        .iter()
        .map(String::as_str)
        .take(expected.len())
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_is_needed_to_understand_a_code_is_told_with_it() {
    let told = told(&[
        (S, "* PREAUTH hi"),
        (C, "a SELECT INBOX"),
        (S, "* OK [UIDVALIDITY 7] valid"),
        (S, "* LIST () \"/\" Reisen/K&APY-ln"),
    ]);
    assert!(
        told[2].ends_with("(RFC 9051, 7.1) [*] [[UIDVALIDITY]] [UID]"),
        "{told:?}"
    );
    assert!(
        told[3].contains("a mailbox Reisen/Köln; / stands"),
        "{told:?}"
    );
}

#[test]
fn who_the_server_is_is_told_with_the_connection() {
    let connected = |server: &str| {
        let mut events = events(&steps(&[(S, "* OK")]), Secrets::Masked);
        events[0].body = Body::Connected {
            client: "127.0.0.1:1".into(),
            server: server.into(),
        };
        let told = Narrator::default().explain(&events[0]);
        told.sentence.as_ref().map(text).unwrap()
    };
    assert!(connected("example.org:993").contains("connects to the server in its place"));
    assert!(connected("replay").contains("plays the server from a recording"));
}

#[test]
fn nothing_is_kept_of_a_connection_that_is_over() {
    let mut narrator = Narrator::default();
    let mut events = events(&steps(&[(S, "* OK"), (C, "a NOOP")]), Secrets::Masked);
    for event in &events {
        narrator.explain(event);
    }
    assert_eq!(narrator.open.len(), 1);
    let last = events.last_mut().unwrap();
    last.body = Body::Closed { reason: None };
    narrator.explain(last);
    assert!(narrator.open.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    })]

    /// Whatever the peers say, it is told without a secret, and without a panic.
    #[test]
    fn no_secret_is_told(steps in conversation()) {
        let mut narrator = Narrator::default();
        for event in events(&steps, Secrets::Masked) {
            let told = format!("{:?}", narrator.explain(&event));
            let text = narrator.explain(&event).sentence.as_ref().map(text);
            prop_assert!(!told.contains("hunter2"), "{}", told);
            prop_assert!(!text.unwrap_or_default().contains("hunter2"));
        }
    }
}

#[test]
fn rights_entries_and_events_are_told_each_by_itself() {
    let told = told(&[
        (S, "* PREAUTH hi"),
        (C, "a MYRIGHTS INBOX"),
        (S, "* MYRIGHTS INBOX lrs0"),
        (
            C,
            "b GETMETADATA (DEPTH 1) /shared/comment (/shared/comment /private/vendor/x)",
        ),
        (C, "c SETACL INBOX fred +lw"),
        (
            C,
            "d NOTIFY SET (selected (MessageNew (UID) FlagChange)) (subtree INBOX (MessageNew))",
        ),
        (S, "* METADATA INBOX /private/comment"),
    ]);
    let has = |told: &str, terms: &str| assert!(told.ends_with(terms), "{told}");
    has(&told[2], "[*] [l] [r] [s]");
    has(&told[3], "5464, 4.2) [/shared/comment] [/private/vendor/x]");
    has(&told[4], "4314, 3.1) [w]");
    has(&told[5], "[selected] [MessageNew] [FlagChange] [subtree]");
    has(&told[6], "[/private/comment]");
}

#[test]
fn an_encoded_word_is_told_with_what_it_reads_as() {
    let fetched = |number: u8, word: &str| {
        let header = format!("From: {word}\r\n");
        let length = header.len();
        format!("* {number} FETCH (BODY[HEADER] {{{length}}}\r\n{header})")
    };
    let plain = fetched(1, "a");
    let first = fetched(2, "=?UTF-8?Q?Ren=C3=A9?=");
    let second = fetched(3, "=?UTF-8?Q?Gr=C3=BC=C3=9Fe?=");
    let told = told(&[
        (S, "* PREAUTH hi"),
        (C, "a FETCH 1:3 BODY.PEEK[HEADER]"),
        (S, &plain),
        (S, &first),
        (S, &second),
    ]);
    assert_eq!(
        told[3],
        "=?UTF-8?Q?Ren=C3=A9?= is an encoded word for René (RFC 2047, 2)"
    );
    assert_eq!(told[4], "");
}
