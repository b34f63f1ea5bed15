//! Every kind of waste, beside the like of it that is none.

use super::super::waste::Kind;
use super::{SELECT, SELECTED, Step, after_select, none, one_by_one, stats, wasted};
use crate::event::Micros;
use crate::event::Peer::{self, Client as C, Server as S};

#[test]
fn the_same_thing_fetched_twice() {
    let fetch = |tag: &'static str| -> [(u64, Peer, String); 2] {
        [
            (10, C, format!("{tag} UID FETCH 5 (FLAGS BODY.PEEK[])\r\n")),
            (
                20,
                S,
                format!("* 1 FETCH (UID 5 FLAGS () BODY[] {{3}}\r\nabc)\r\n{tag} OK\r\n"),
            ),
        ]
    };
    let (one, other) = (fetch("a"), fetch("b"));
    let steps = |second: &'static [Step<'static>]| -> Vec<Step<'_>> {
        let mut steps = vec![SELECT, SELECTED];
        steps.extend(one.iter().map(|(at, from, text)| (*at, *from, &**text)));
        steps.extend(second);
        steps.extend(
            other
                .iter()
                .map(|(at, from, text)| (*at + 900, *from, &**text)),
        );
        steps
    };
    let found = wasted(Kind::FetchedTwice, "", &steps(&[]));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].count, found[0].octets), (1, 3));
    assert_eq!(found[0].commands, [11]);
    let again: &[Step<'_>] = &[
        (30, C, "t SELECT INBOX\r\n"),
        (31, S, "* OK [UIDVALIDITY 7] x\r\nt OK\r\n"),
    ];
    assert_eq!(wasted(Kind::FetchedTwice, "", &steps(again)).len(), 1);
    let other: &[Step<'_>] = &[
        (30, C, "t SELECT INBOX\r\n"),
        (31, S, "* OK [UIDVALIDITY 8] x\r\nt OK\r\n"),
    ];
    none(Kind::FetchedTwice, "", &steps(other));
}

#[test]
fn what_changes_or_is_another_part_is_not_fetched_twice() {
    none(
        Kind::FetchedTwice,
        "",
        &[
            SELECT,
            SELECTED,
            (10, C, "a FETCH 1 (FLAGS BODY.PEEK[]<0.3>)\r\n"),
            (
                11,
                S,
                "* 1 FETCH (FLAGS () BODY[]<0> {3}\r\nabc)\r\na OK\r\n",
            ),
            (12, C, "b FETCH 1 (FLAGS BODY.PEEK[]<3.3>)\r\n"),
            (
                13,
                S,
                "* 1 FETCH (FLAGS () BODY[]<3> {3}\r\nabc)\r\nb OK\r\n",
            ),
            // Number 1 is another message now.
            (14, C, "c NOOP\r\n"),
            (15, S, "* 1 EXPUNGE\r\nc OK\r\n"),
            (16, C, "d FETCH 1 (FLAGS BODY.PEEK[]<0.3>)\r\n"),
            (
                17,
                S,
                "* 1 FETCH (FLAGS () BODY[]<0> {3}\r\nabc)\r\nd OK\r\n",
            ),
        ],
    );
}

#[test]
fn two_users_of_a_server_fetch_each_their_own() {
    let session = |user: &str| {
        [
            (0, S, "* OK hi\r\n".to_owned()),
            (1, C, format!("l LOGIN {user} x\r\n")),
            (1, S, "l OK\r\n".to_owned()),
            (1, C, "s SELECT INBOX\r\n".to_owned()),
            (2, S, "* OK [UIDVALIDITY 7] x\r\ns OK\r\n".to_owned()),
            (3, C, "a UID FETCH 5 BODY[]\r\n".to_owned()),
            (
                4,
                S,
                "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\na OK\r\n".to_owned(),
            ),
        ]
    };
    let twice = |users: [&str; 2]| {
        let sessions = users.map(session);
        let [one, other]: [Vec<Step<'_>>; 2] = [0, 1].map(|at| {
            sessions[at]
                .iter()
                .map(|(at, from, text)| (*at, *from, &**text))
                .collect()
        });
        let waste = stats(&[&one, &other]).waste;
        waste
            .iter()
            .filter(|item| item.kind == Kind::FetchedTwice)
            .count()
    };
    assert_eq!(twice(["alice", "alice"]), 1);
    assert_eq!(twice(["alice", "bob"]), 0);
}

#[test]
fn one_fetch_a_message() {
    let kind = Kind::FetchPerMessage;
    let fetches = one_by_one("UID FETCH {} (BODY.PEEK[])", &["3", "7", "9"], 10);
    let found = wasted(kind, "", &after_select(&fetches));
    assert_eq!(
        (found[0].count, found[0].round_trips, found[0].time),
        (3, 2, Micros(80_000))
    );
    assert_eq!(found[0].figure(), "3 FETCHes, 2 round trips, 80 ms");
    // A person opens one mail after the other.
    none(
        kind,
        "",
        &after_select(&one_by_one("UID FETCH {} (BODY[])", &["3", "7", "9"], 900)),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("UID FETCH {} (BODY[])", &["3:4", "7", "9"], 10)),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("UID FETCH 4 (BODY[{}])", &["1", "2", "3"], 10)),
    );
    // Pipelined, it costs no round trips.
    let pipelined = "a FETCH 1 BODY[]\r\nb FETCH 2 BODY[]\r\nc FETCH 3 BODY[]\r\n";
    none(
        kind,
        "",
        &[
            SELECT,
            SELECTED,
            (9, C, pipelined),
            (10, S, "a OK\r\nb OK\r\nc OK\r\n"),
        ],
    );
}

#[test]
fn status_in_a_loop() {
    let kind = Kind::StatusLoop;
    let asks = one_by_one("STATUS {} (UIDNEXT)", &["A", "B", "C", "D"], 10);
    let found = wasted(kind, "", &after_select(&asks));
    assert_eq!(
        (found[0].count, found[0].round_trips, found[0].time),
        (4, 3, Micros(120_000))
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("STATUS {} (UIDNEXT)", &["A", "B"], 10)),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("STATUS {} (UIDNEXT)", &["A", "B", "C"], 1000)),
    );
}

#[test]
fn status_of_the_selected_mailbox() {
    let steps = |mailbox| {
        after_select(Box::leak(Box::new(one_by_one(
            "STATUS {} (UNSEEN)",
            &[mailbox],
            0,
        ))))
    };
    let found = wasted(Kind::StatusOfSelected, "", &steps("inbox"));
    assert_eq!((found[0].count, found[0].round_trips), (1, 1));
    none(Kind::StatusOfSelected, "", &steps("Other"));
}

#[test]
fn select_of_the_selected_mailbox() {
    let steps = |command: &str| {
        let steps = one_by_one(command, &["INBOX"], 0);
        let steps = after_select(&steps).into_iter();
        steps
            .map(|(at, from, text)| (at, from, text.to_owned()))
            .collect::<Vec<_>>()
    };
    let found = |command: &str| {
        let steps = steps(command);
        let steps: Vec<Step<'_>> = steps
            .iter()
            .map(|(at, from, text)| (*at, *from, &**text))
            .collect();
        wasted(Kind::SelectOfSelected, "", &steps).len()
    };
    assert_eq!(found("SELECT {}"), 1);
    assert_eq!(found("select \"InBox\""), 1);
    assert_eq!(found("EXAMINE {}"), 0);
    assert_eq!(found("SELECT Other"), 0);
    // After a CLOSE, and where the first answer is not there yet.
    let close: &[Step<'_>] = &[
        SELECT,
        SELECTED,
        (3, C, "c CLOSE\r\n"),
        (4, S, "c OK\r\n"),
        (5, C, "d SELECT INBOX\r\ne SELECT INBOX\r\n"),
        (6, S, "d OK\r\ne OK\r\n"),
    ];
    none(Kind::SelectOfSelected, "", close);
}

#[test]
fn all_flags_where_those_that_changed_would_do() {
    let kind = Kind::FullFlagResync;
    let flags = "* 1 FETCH (UID 5 FLAGS ())\r\n* 2 FETCH (UID 6 FLAGS ())\r\n";
    let fetch = |command: &str| {
        let answer = format!("{flags}f OK\r\n");
        let steps = [SELECT, SELECTED, (10, C, command), (20, S, &answer)];
        wasted(kind, "CONDSTORE", &steps)
    };
    let found = fetch("f UID FETCH 1:* (UID FLAGS)\r\n");
    assert_eq!((found[0].count, found[0].octets), (1, 2 * 28 + 6));
    assert_eq!(fetch("f FETCH 1:9 FLAGS\r\n").len(), 1);
    assert_eq!(fetch("f UID FETCH 1:29 (FLAGS)\r\n").len(), 1);
    assert_eq!(fetch("f FETCH 1:* (FLAGS) (CHANGEDSINCE 12)\r\n").len(), 0);
    assert_eq!(fetch("f FETCH 1:* (FLAGS INTERNALDATE)\r\n").len(), 0);
    assert_eq!(fetch("f FETCH 1:5 (FLAGS)\r\n").len(), 0);
    let answer = format!("{flags}f OK\r\n");
    let steps = [
        SELECT,
        SELECTED,
        (10, C, "f FETCH 1:* FLAGS\r\n"),
        (20, S, &answer),
    ];
    none(kind, "IDLE", &steps);
    let without = (2, S, "* OK [NOMODSEQ] x\r\ns OK\r\n");
    none(
        kind,
        "CONDSTORE",
        &[
            SELECT,
            without,
            (10, C, "f FETCH 1:* FLAGS\r\n"),
            (20, S, &answer),
        ],
    );
    let empty = [
        SELECT,
        SELECTED,
        (10, C, "f FETCH 1:* FLAGS\r\n"),
        (20, S, "f OK\r\n"),
    ];
    none(kind, "CONDSTORE", &empty);
    // The first sync fetches flags, and then what it has not.
    let mut first = steps.to_vec();
    first.push((30, C, "g UID FETCH 5 BODY.PEEK[]\r\n"));
    first.push((40, S, "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\ng OK\r\n"));
    none(kind, "CONDSTORE", &first);
    first.push((50, C, "f FETCH 1:* FLAGS\r\n"));
    first.push((60, S, &answer));
    assert_eq!(wasted(kind, "QRESYNC", &first)[0].count, 1);
}

#[test]
fn nothing_pipelined() {
    let kind = Kind::NoPipelining;
    let five = ["A", "B", "C", "D", "E"];
    let found = wasted(
        kind,
        "",
        &after_select(&one_by_one("SUBSCRIBE {}", &five, 10)),
    );
    assert_eq!(
        (found[0].count, found[0].round_trips, found[0].time),
        (4, 4, Micros(160_000))
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("SUBSCRIBE {}", &five[1..], 10)),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("SUBSCRIBE {}", &five, 1000)),
    );
    // Each may need what the one before brought.
    let mut lists = one_by_one("LIST \"\" {}", &five, 10);
    lists.extend([
        (390, C, "x STATUS a (UNSEEN)\r\n".to_owned()),
        (395, S, "x OK\r\n".to_owned()),
    ]);
    none(kind, "", &after_select(&lists));
    none(kind, "", &after_select(&one_by_one("SEARCH {}", &five, 10)));
    let mut steps = one_by_one("SUBSCRIBE {}", &five, 10);
    steps.push((900, C, "y NOOP\r\nz NOOP\r\n".to_owned()));
    steps.push((910, S, "y OK\r\nz OK\r\n".to_owned()));
    none(kind, "", &after_select(&steps));
}

#[test]
fn literals_that_wait() {
    let kind = Kind::SynchronizingLiteral;
    let steps = |header: &str| {
        let line = format!("a APPEND x {header}\r\n");
        let plus = if header.contains('+') { "" } else { "+ go\r\n" };
        [
            (1, C, line),
            (2, S, plus.to_owned()),
            (3, C, "abc\r\n".into()),
            (4, S, "a OK\r\n".into()),
        ]
    };
    let found = |header: &str, capabilities: &str| {
        let steps = steps(header);
        let steps: Vec<Step<'_>> = steps
            .iter()
            .map(|(at, from, text)| (*at, *from, &**text))
            .collect();
        let found = wasted(kind, capabilities, &steps);
        found.first().map(|item| (item.count, item.round_trips))
    };
    assert_eq!(found("{3}", "LITERAL+"), Some((1, 1)));
    assert_eq!(found("{3}", "LITERAL-"), Some((1, 1)));
    assert_eq!(found("{3}", ""), None);
    assert_eq!(found("{3+}", "LITERAL+"), None);
}

#[test]
fn sasl_that_waits() {
    let kind = Kind::SaslWithoutInitialResponse;
    let login = |capabilities: &str, command: &str| {
        let greeting = format!("* OK [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n");
        let plus = if command.ends_with("=\r\n") {
            ""
        } else {
            "+ \r\n"
        };
        let turn = if plus.is_empty() {
            ""
        } else {
            "AGFsaWNlAGh1bnRlcjI=\r\n"
        };
        let steps = [
            (0, S, &*greeting),
            (1, C, command),
            (2, S, plus),
            (3, C, turn),
            (4, S, "a OK\r\n"),
        ];
        let waste = stats(&[&steps]).waste;
        waste.iter().filter(|item| item.kind == kind).count()
    };
    assert_eq!(login("SASL-IR", "a AUTHENTICATE PLAIN\r\n"), 1);
    assert_eq!(
        login("SASL-IR", "a AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n"),
        0
    );
    assert_eq!(login("", "a AUTHENTICATE PLAIN\r\n"), 0);
    assert_eq!(login("SASL-IR", "a AUTHENTICATE CRAM-MD5\r\n"), 0);
}

#[test]
fn copy_and_delete() {
    let kind = Kind::CopyAndDelete;
    let steps = |store| {
        [
            SELECT,
            SELECTED,
            (10, C, "a UID COPY 5 Trash\r\n"),
            (20, S, "a OK\r\n"),
            (30, C, store),
            (40, S, "b OK\r\n"),
        ]
    };
    let found = wasted(
        kind,
        "MOVE",
        &steps("b UID STORE 5 +FLAGS.SILENT (\\Deleted)\r\n"),
    );
    assert_eq!((found[0].count, found[0].commands.len()), (1, 2));
    none(kind, "", &steps("b UID STORE 5 +FLAGS (\\Deleted)\r\n"));
    none(kind, "MOVE", &steps("b UID STORE 6 +FLAGS (\\Deleted)\r\n"));
    none(kind, "MOVE", &steps("b UID STORE 5 +FLAGS (\\Seen)\r\n"));
    none(kind, "MOVE", &steps("b UID STORE 5 -FLAGS (\\Deleted)\r\n"));
}

#[test]
fn polling() {
    let kind = Kind::Polling;
    let found = wasted(
        kind,
        "IDLE",
        &after_select(&one_by_one("NOOP", &[""; 4], 30_000)),
    );
    assert_eq!(found[0].count, 4);
    none(
        kind,
        "",
        &after_select(&one_by_one("NOOP", &[""; 4], 30_000)),
    );
    none(
        kind,
        "IDLE",
        &after_select(&one_by_one("NOOP", &[""; 4], 600_000)),
    );
    none(
        kind,
        "IDLE",
        &after_select(&one_by_one("NOOP", &[""; 2], 30_000)),
    );
    let mut steps = one_by_one("NOOP", &[""; 4], 30_000);
    steps.push((900_000, C, "i IDLE\r\n".into()));
    steps.push((900_001, S, "+ \r\n".into()));
    none(kind, "IDLE", &after_select(&steps));
}

#[test]
fn capabilities_that_nobody_used() {
    let kind = Kind::UnusedCapability;
    let names = |capabilities: &str, steps: &[Step<'_>]| -> Vec<&'static str> {
        let found = wasted(kind, capabilities, steps);
        found.iter().map(|item| item.capability.unwrap()).collect()
    };
    let all = "COMPRESS=DEFLATE CONDSTORE ESEARCH IDLE LIST-STATUS MOVE NOTIFY QRESYNC ID X";
    assert_eq!(names(all, &[]).len(), 8);
    assert!(names("X-OWN UIDPLUS", &[]).is_empty());
    for (capability, command) in [
        ("COMPRESS=DEFLATE", "a COMPRESS DEFLATE"),
        ("CONDSTORE", "a SELECT INBOX (CONDSTORE)"),
        ("ESEARCH", "a UID SEARCH RETURN (ALL) UNSEEN"),
        ("IDLE", "a IDLE"),
        ("LIST-STATUS", "a LIST \"\" * RETURN (STATUS (UNSEEN))"),
        ("MOVE", "a UID MOVE 1 x"),
        ("NOTIFY", "a NOTIFY NONE"),
        ("QRESYNC", "a ENABLE QRESYNC"),
    ] {
        let line = format!("{command}\r\n");
        assert!(
            !names(all, &[(1, C, &line)]).contains(&capability),
            "{capability}"
        );
        assert!(
            names(all, &[(1, C, "a NOOP\r\n")]).contains(&capability),
            "{capability}"
        );
    }
    // Nobody logged in; one of two connections used it.
    let greeting = "* OK [CAPABILITY IMAP4rev1 IDLE] hi\r\n";
    assert_eq!(stats(&[&[(0, S, greeting)]]).waste, []);
    let login: &[Step<'_>] = &[
        (0, S, greeting),
        (1, C, "a LOGIN a b\r\n"),
        (2, S, "a OK\r\n"),
    ];
    let mut idling = login.to_vec();
    idling.push((3, C, "b IDLE\r\n"));
    assert_eq!(stats(&[login, login]).waste[0].count, 2);
    assert_eq!(stats(&[login, &idling]).waste, []);
}
