//! Sessions as a conversation makes them.

use super::*;
use crate::event::Peer::{Client as C, Server as S};
use crate::event::{Gate, Micros, Numbers, Peer, Secrets};
use crate::limits;
use crate::protocol::imap::Observer;
use crate::protocol::imap::conversations::random::{Step, events};

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

#[test]
fn of_long_commands_in_flight_fewer_are_kept() {
    let set: String = (0..1_000).map(|i| format!("{},", 3 * i + 1)).collect();
    let store = |i: usize| format!("C: c{i} STORE {set}7 +FLAGS.SILENT (\\Seen)\n");
    let held = after(&store(0))
        .in_flight()
        .get(1)
        .map(|command| command.weight());
    let all = 2 * limits::IN_FLIGHT_HELD / held.unwrap();
    let session = after(&(0..all).map(store).collect::<String>());
    let kept = session.in_flight().count();
    assert!((all / 4..all * 3 / 4).contains(&kept), "{kept} of {all}");
    assert!(session.in_flight().has_tag(&format!("c{}", all - 1)));
    assert!(!session.in_flight().has_tag("c0"));
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
    assert!(&*mailbox.name == "Drafts");
    assert_eq!(mailbox.exists(), Some(9));
    assert_eq!(mailbox.uid_validity, None);
    let session = selected("");
    let mailbox = session.mailbox().unwrap();
    assert!(&*mailbox.name == "INBOX");
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

/// RFC 7162, section 3.2.5.2: what changed comes with the answers to SELECT.
#[test]
fn qresync_tells_what_went_and_changed_while_the_mailbox_is_selected() {
    let session = after(
        "S: * PREAUTH hi\nC: a ENABLE QRESYNC\nS: * ENABLED QRESYNC\nS: a OK on\n\
         C: b SELECT INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541))\n\
         S: * OK [CLOSED]\nS: * 100 EXISTS\nS: * OK [UIDVALIDITY 67890007] valid\n\
         S: * OK [UIDNEXT 600] next\nS: * OK [HIGHESTMODSEQ 90060115205545359] highest\n\
         S: * VANISHED (EARLIER) 41,43:116,118,120:211,214:540\n\
         S: * 49 FETCH (UID 117 FLAGS (\\Seen \\Answered) MODSEQ (90060115194045001))\n\
         S: * 50 FETCH (UID 119 FLAGS (\\Draft $MDNSent) MODSEQ (90060115194045308))\n\
         S: b OK [READ-WRITE] mailbox selected\n",
    );
    let mailbox = session.mailbox().unwrap();
    assert_eq!(mailbox.exists(), Some(100));
    assert_eq!((mailbox.uid(49), mailbox.uid(50)), (Some(117), Some(119)));
    assert_eq!(mailbox.highest_modseq, Some(90_060_115_205_545_359));
    assert_eq!(mailbox.uid(48), None);
}

#[test]
fn highestmodseq_follows_expunges_and_changes() {
    let session = selected(
        "S: * OK [HIGHESTMODSEQ 7] highest\nC: c EXPUNGE\nS: * VANISHED 4\n\
         S: c OK [HIGHESTMODSEQ 9] gone\n",
    );
    assert_eq!(session.mailbox().unwrap().highest_modseq, Some(9));
    let session = selected(
        "S: * OK [HIGHESTMODSEQ 7] highest\nC: c NOOP\nS: * 1 FETCH (FLAGS () MODSEQ (12))\n",
    );
    assert_eq!(session.mailbox().unwrap().highest_modseq, Some(12));
    let session = selected("S: * OK [NOMODSEQ] none\n");
    assert!(session.mailbox().unwrap().has_no_modseq);
}

const THREE: &str = "C: c UID FETCH 1:* FLAGS\nS: * 1 FETCH (UID 11 FLAGS (\\Seen))\n\
    S: * 2 FETCH (UID 12 FLAGS ())\nS: * 3 FETCH (UID 15 FLAGS ($Junk))\nS: c OK\n";

#[test]
fn flags_follow_a_silent_store() {
    let flags = |more: &str| {
        let session = selected(&format!("{THREE}{more}"));
        let mailbox = session.mailbox().unwrap();
        let flags = |n| mailbox.flags_of(n).map(|flags| flags.join(" "));
        (1..=3)
            .map(|n| flags(n).unwrap_or("?".into()))
            .collect::<Vec<_>>()
    };
    for (more, expected) in [
        (
            "C: d STORE 1:2 +FLAGS.SILENT (\\seen \\Flagged)\nS: d OK\n",
            ["\\seen \\Flagged", "\\seen \\Flagged", "$Junk"],
        ),
        (
            "C: d UID STORE 12:* -FLAGS.SILENT $JUNK\nS: d OK\n",
            ["\\Seen", "", ""],
        ),
        (
            "C: d STORE 3 FLAGS.SILENT (\\Draft)\nS: d NO\n",
            ["\\Seen", "", "$Junk"],
        ),
        (
            "C: d STORE 3 (UNCHANGEDSINCE 7) FLAGS.SILENT (\\Draft)\nS: d OK [MODIFIED 3]\n",
            ["?", "?", "?"],
        ),
        (
            "C: d STORE $ FLAGS.SILENT (\\Draft)\nS: d OK\nC: e NOOP\nS: * 2 FETCH (FLAGS ())\n",
            ["?", "", "?"],
        ),
    ] {
        assert_eq!(flags(more), expected, "{more}");
    }
}

#[test]
fn moving_takes_messages_away_and_their_uids_are_remembered() {
    let session = selected(&format!(
        "{THREE}C: d UID MOVE 11,15 Archive\nS: * OK [COPYUID 9 11,15 3:4] moved\n\
         S: * 1 EXPUNGE\nS: * 2 EXPUNGE\nS: d OK\n"
    ));
    let mailbox = session.mailbox().unwrap();
    assert_eq!((mailbox.exists(), mailbox.uid(1)), (Some(2), Some(12)));
    assert!(mailbox.was_expunged(11) && mailbox.was_expunged(15) && !mailbox.was_expunged(12));
    assert_eq!(mailbox.learned, Some(Learned::Fits));
    let again = selected(&format!(
        "{THREE}C: d NOOP\nS: * 3 EXPUNGE\nS: * 3 FETCH (UID 15)\n"
    ));
    assert_eq!(again.mailbox().unwrap().learned, Some(Learned::Reused));
}

/// RFC 9586: no numbers any more.
#[test]
fn without_numbers_messages_are_known_by_uid() {
    let uidonly = "S: * PREAUTH hi\nC: a ENABLE UIDONLY\nS: * ENABLED UIDONLY\nS: a OK on\n\
        C: b SELECT INBOX\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 1] valid\nS: b OK in\n\
        C: c UID FETCH 1:* FLAGS\nS: * 25900 UIDFETCH (FLAGS (\\Seen))\n\
        S: * 25902 UIDFETCH (FLAGS () MODSEQ (9))\nS: c OK\n";
    let session = after(uidonly);
    let mailbox = session.mailbox().unwrap();
    assert!(mailbox.has_uid(25900) && mailbox.has_uid(25902));
    assert_eq!(mailbox.flags_of_uid(25900).unwrap(), ["\\Seen"]);
    assert_eq!(mailbox.highest_modseq, Some(9));
    let session = after(&format!("{uidonly}S: * VANISHED 25900\n"));
    let mailbox = session.mailbox().unwrap();
    assert_eq!(mailbox.exists(), Some(2));
    assert!(mailbox.was_expunged(25900) && !mailbox.has_uid(25900));
}

/// RFC 9051, section 7.1: CLOSED is the boundary between what is told of the two mailboxes.
#[test]
fn until_closed_what_is_told_is_about_the_mailbox_that_is_left() {
    let asked = format!("{THREE}C: d SELECT Drafts\n");
    let session = selected(&format!("{asked}S: * 1 EXPUNGE\n"));
    let mailbox = session.mailbox().unwrap();
    assert_eq!((&*mailbox.name, mailbox.exists()), ("INBOX", Some(3)));
    let session = selected(&format!(
        "{asked}S: * 1 EXPUNGE\nS: * OK [CLOSED] left\nS: * 7 EXISTS\n"
    ));
    let mailbox = session.mailbox().unwrap();
    assert_eq!((&*mailbox.name, mailbox.exists()), ("Drafts", Some(7)));
    assert_eq!(mailbox.uid(1), None);
}

#[test]
fn commands_in_flight_together_are_each_about_their_mailbox() {
    let session = selected(
        "C: c SELECT A\nC: d SELECT B\nC: e FETCH 1:* UID\nS: * OK [CLOSED] left\nS: * 1 EXISTS\n\
         S: c OK in\nS: * OK [CLOSED] left\nS: * 2 EXISTS\nS: d OK in\nS: * 2 FETCH (UID 8)\n",
    );
    let mailbox = session.mailbox().unwrap();
    assert_eq!((&*mailbox.name, mailbox.exists()), ("B", Some(2)));
    assert_eq!(mailbox.uid(2), Some(8));
    let fetch = session.in_flight().only().unwrap();
    assert_eq!(fetch.mailboxes().collect::<Vec<_>>(), ["B"]);
}

/// A viewer that was too slow still tells what belongs to what.
#[test]
fn answers_to_commands_from_before_a_gap_belong_to_them() {
    let session = selected("C: c SELECT Drafts\ngap\nS: c OK in\nC: d NOOP\n");
    assert_eq!(&*session.mailbox().unwrap().name, "Drafts");
    assert_eq!(session.state(), None);
    let noop = session.in_flight().only().unwrap();
    assert_eq!(noop.mailboxes().collect::<Vec<_>>(), ["Drafts"]);
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

/// The commands and the mailboxes that each event belongs to.
fn places(steps: &[(Peer, &[u8])]) -> Vec<String> {
    let steps: Vec<Step> = steps
        .iter()
        .map(|(p, octets)| (*p, (*octets).into()))
        .collect();
    let mut sessions = Sessions::default();
    let tell = |event: &Event| {
        let place = sessions.take(event);
        let mut words = Vec::new();
        for command in &place.commands {
            words.push(format!("#{}", command.n));
            words.extend(command.mailboxes().map(str::to_owned));
        }
        if words.is_empty() {
            words.extend(place.selected.iter().map(|name| format!("in {name}")));
        }
        words.join(" ")
    };
    events(&steps, Secrets::Masked).iter().map(tell).collect()
}

#[test]
fn events_belong_to_commands_and_mailboxes() {
    let told = places(&[
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a SELECT inbox\r\nb FETCH 1 FLAGS\r\n"),
        (S, b"* 3 EXISTS\r\na OK\r\n* 4 EXISTS\r\nb OK\r\n"),
        (
            C,
            b"c COPY 1 \"Entw&APw-rfe\"\r\nd STATUS Other (UIDNEXT)\r\n",
        ),
        (S, b"d OK\r\nc OK\r\n"),
        (C, b"e IDLE\r\n"),
        (S, b"+ idling\r\n"),
        (C, b"DONE\r\n"),
        (S, b"e OK\r\n"),
        (C, b"f CLOSE\r\n"),
        (S, b"f OK\r\n* BYE\r\n"),
    ]);
    let expected = [
        "",
        "#2 INBOX",
        "#3 INBOX",
        "#2 INBOX",
        "#2 INBOX",
        "in INBOX",
        "#3 INBOX",
        "#8 Entwürfe INBOX",
        "#9 Other",
        "#9 Other",
        "#8 Entwürfe INBOX",
        "#12 INBOX",
        "#12 INBOX",
        "#12 INBOX",
        "#12 INBOX",
        "#16 INBOX",
        "#16 INBOX",
        "",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_select_that_fails_leaves_none_selected() {
    let told = places(&[
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a SELECT A\r\n"),
        (S, b"a OK\r\n"),
        (C, b"b SELECT B\r\n"),
        (S, b"* 1 RECENT\r\nb NO\r\n* 5 EXISTS\r\n"),
    ]);
    assert_eq!(told.last().unwrap(), "");
    assert_eq!(told[4], "#4 B");
}

#[test]
fn a_mailbox_named_like_an_option_turns_nothing_on() {
    let on = |more: &str| selected(more).has_enabled("CONDSTORE");
    assert!(!on("C: c SELECT CONDSTORE\nS: * 4 EXISTS\nS: c OK in\n"));
    assert!(on("C: c SELECT x (CONDSTORE)\nS: * 4 EXISTS\nS: c OK in\n"));
}
