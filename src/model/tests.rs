//! Sessions as a conversation makes them.

use super::*;
use crate::event::{Gate, Micros, Numbers, Peer, Secrets};
use crate::protocol::imap::Observer;

/// A session after these lines; `gap` stands for octets that were not given.
fn after(lines: &str) -> Session {
    let mut observer = Observer::new(Gate::new(Secrets::Shown));
    let mut numbers = Numbers::new(1);
    let mut session = Session::default();
    let mut n = 0;
    for line in lines.lines() {
        let (who, said) = line.split_once(": ").unwrap_or((line, ""));
        let from = match who {
            "C" => Peer::Client,
            "S" => Peer::Server,
            _ => {
                session.read(&Event {
                    n,
                    conn: 1,
                    at: Micros(0),
                    body: Body::Gap {
                        octets: 1,
                        missed_by: crate::event::MissedBy::Transcript,
                    },
                });
                continue;
            }
        };
        let mut drafts = Vec::new();
        let octets = format!("{said}\r\n");
        observer.hear_again(from, octets.as_bytes(), Micros(0), &mut drafts);
        for draft in drafts {
            n += 1;
            session.read(&numbers.number(draft, n));
        }
    }
    session
}

const SELECTED: &str = "S: * OK [CAPABILITY IMAP4rev1 IDLE] hi\nC: a LOGIN alice x\nS: a OK in\n\
    C: b SELECT inbox\nS: * FLAGS (\\Seen)\nS: * 4 EXISTS\nS: * OK [UIDVALIDITY 7] valid\n\
    S: * OK [UIDNEXT 20] next\nS: b OK [READ-WRITE] in\n";

fn selected(more: &str) -> Session {
    after(&format!("{SELECTED}{more}"))
}

#[test]
fn the_state_follows_the_answers() {
    let states = [
        ("S: * OK hi\n", Some(State::NotAuthenticated)),
        ("S: * PREAUTH hi\n", Some(State::Authenticated)),
        ("C: a NOOP\nS: * OK an excerpt\n", None),
        (SELECTED, Some(State::Selected)),
    ];
    for (lines, state) in states {
        assert_eq!(after(lines).state(), state, "{lines}");
    }
    for (more, state) in [
        ("C: c UNSELECT\nS: c OK out\n", State::Authenticated),
        (
            "C: c SELECT x\nS: c NO there is none\n",
            State::Authenticated,
        ),
        ("C: c SELECT x\nS: c BAD what?\n", State::Selected),
        ("C: c LOGOUT\nS: * BYE\nS: c OK\n", State::Logout),
        ("C: c UNAUTHENTICATE\nS: c OK\n", State::NotAuthenticated),
    ] {
        let session = selected(more);
        assert_eq!(session.state(), Some(state), "{more}");
        assert_eq!(session.mailbox().is_some(), state == State::Selected);
    }
}

#[test]
fn what_a_select_is_answered_is_about_the_mailbox_that_it_selects() {
    let session = selected("C: c SELECT Drafts\nS: * OK [CLOSED] was open\nS: * 9 EXISTS\n");
    let mailbox = session.mailbox().unwrap();
    assert!(mailbox.is(b"Drafts"));
    assert_eq!(mailbox.exists(), Some(9));
    assert_eq!(mailbox.uid_validity, None);
    let session = selected("");
    let mailbox = session.mailbox().unwrap();
    assert!(mailbox.is(b"Inbox"));
    assert_eq!(mailbox.exists(), Some(4));
    assert_eq!(
        (mailbox.uid_validity, mailbox.uid_next),
        (Some(7), Some(20))
    );
}

#[test]
fn flags_and_uids_move_with_their_message() {
    let session = selected(
        "C: c UID FETCH 1:* FLAGS\nS: * 2 FETCH (FLAGS (\\Seen) UID 12)\n\
         S: * 3 FETCH (UID 15 FLAGS ($Junk \\Flagged))\nS: * 1 EXPUNGE\nS: c OK\n",
    );
    let mailbox = session.mailbox().unwrap();
    assert_eq!(mailbox.exists(), Some(3));
    assert_eq!((mailbox.uid(1), mailbox.uid(2)), (Some(12), Some(15)));
    assert_eq!(mailbox.flags_of(1).unwrap(), ["\\Seen"]);
    assert_eq!(mailbox.flags_of(2).unwrap(), ["$Junk", "\\Flagged"]);
    assert_eq!(mailbox.flags_of(3), None);
}

#[test]
fn what_vanished_is_counted_as_far_as_it_was_known() {
    let fetched = "C: c UID FETCH 1:* FLAGS\nS: * 2 FETCH (UID 12)\nS: * 3 FETCH (UID 15)\n";
    let session = selected(&format!("{fetched}S: * VANISHED 12\n"));
    let mailbox = session.mailbox().unwrap();
    assert_eq!((mailbox.exists(), mailbox.uid(2)), (Some(3), Some(15)));
    let session = selected(&format!("{fetched}S: * VANISHED (EARLIER) 12\n"));
    assert_eq!(session.mailbox().unwrap().exists(), Some(4));
    // Some of these may never have been there.
    let session = selected(&format!("{fetched}S: * VANISHED 1:12\n"));
    let mailbox = session.mailbox().unwrap();
    assert_eq!((mailbox.exists(), mailbox.uid(1)), (None, None));
}

#[test]
fn what_was_not_seen_is_not_known() {
    let session = selected("C: c UID FETCH 1:* FLAGS\nS: * 2 FETCH (UID 12)\ngap\n");
    assert_eq!(session.state(), None);
    assert_eq!(session.in_flight().count(), 0);
    let mailbox = session.mailbox().unwrap();
    assert_eq!((mailbox.exists(), mailbox.uid(2)), (None, None));
}

#[test]
fn capabilities_from_before_the_login_are_told_from_those_behind_it() {
    assert!(selected("").capabilities().unwrap().before_login);
    let session = selected("C: c CAPABILITY\nS: * CAPABILITY IMAP4rev1 MOVE AUTH=PLAIN\nS: c OK\n");
    let listed = session.capabilities().unwrap();
    assert!(!listed.before_login && !listed.has("IDLE"));
    assert!(listed.has("MOVE") && listed.has("AUTH=") && !listed.has("MOV"));
}
