//! Sessions and what is told of them: every figure, and every kind of waste beside the like that is none.

use std::collections::BTreeMap;

use super::waste::{Kind, Waste};
use super::{Stats, Summary, Wanted, write_text};
use crate::event::Peer::{Client as C, Server as S};
use crate::event::{Body, Draft, Event, Gate, Micros, Numbers, Peer, Reading, Secrets};
use crate::growth::assert_linear;
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;

/// Milliseconds, who, what.
type Step<'a> = (u64, Peer, &'a str);

/// The events of connections, each from 0 ms on and one after the other.
fn events(connections: &[&[Step<'_>]]) -> Vec<Event> {
    let mut events = Vec::new();
    for (steps, conn) in connections.iter().zip(1..) {
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let mut drafts = vec![Draft::new(
            0,
            Micros(0),
            Body::Connected {
                client: "127.0.0.1:9".into(),
                server: "imap.example.com:993".into(),
            },
        )];
        let mut last = Micros(0);
        for (at, from, text) in *steps {
            last = Micros(at * 1000);
            let _ = observer.observe(*from, text.as_bytes(), last, &mut drafts);
        }
        drafts.push(Draft::new(0, last, Body::Closed { reason: None }));
        let mut numbers = Numbers::new(conn);
        for draft in drafts {
            let n = events.len() as u64 + 1;
            events.push(numbers.number(draft, n));
        }
    }
    events
}

fn summary(events: &[Event], wanted: impl Fn(&Event) -> bool) -> Summary {
    let mut stats = Stats::default();
    for event in events {
        let wanted = match wanted(event) {
            true => Wanted::Yes,
            false => Wanted::No,
        };
        stats.take(event, wanted);
    }
    stats.finish()
}

fn stats(connections: &[&[Step<'_>]]) -> Summary {
    summary(&events(connections), |_| true)
}

/// Waste of one kind after a greeting with these capabilities.
fn wasted(kind: Kind, capabilities: &str, steps: &[Step<'_>]) -> Vec<Waste> {
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] hi\r\n");
    let mut all = vec![(0, S, greeting.as_str())];
    all.extend(steps);
    let waste = stats(&[&all]).waste;
    for item in &waste {
        assert!(
            item.clause().starts_with("RFC ") && !item.better().is_empty(),
            "{item:?}"
        );
    }
    waste.into_iter().filter(|item| item.kind == kind).collect()
}

fn none(kind: Kind, capabilities: &str, steps: &[Step<'_>]) {
    assert_eq!(wasted(kind, capabilities, steps), []);
}

const SELECT: Step<'static> = (1, C, "s SELECT INBOX\r\n");
const SELECTED: Step<'static> = (
    2,
    S,
    "* 9 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 30] x\r\ns OK [READ-WRITE] x\r\n",
);

#[test]
fn every_figure_is_what_it_says() {
    let summary = stats(&[&[
        (10, S, "* OK hi\r\n"),                                   // 9
        (20, C, "a LOGIN alice secret\r\n"),                      // 14 and a mask, 24
        (70, S, "* CAPABILITY IMAP4rev1\r\na OK in\r\n"),         // 24 + 9
        (100, C, "b SELECT INBOX\r\nc UID FETCH 5:6 BODY[]\r\n"), // 16 + 24
        (130, S, "* 2 EXISTS\r\nb OK\r\n"),                       // 12 + 6
        (140, S, "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n"),      // 29 + 3 + 3
        (150, S, "* 3 EXISTS\r\nc OK\r\n"),                       // 12 + 6
        (200, C, "d APPEND x {3}\r\n"),                           // 16
        (220, S, "+ go\r\n"),                                     // 6
        (230, C, "abc\r\n"),                                      // 5
        (260, S, "d OK\r\n"),                                     // 6
        (300, C, "e IDLE\r\n"),                                   // 8
        (310, S, "+ idling\r\n"),                                 // 10
        (910, C, "DONE\r\nf NOOP\r\n"),                           // 6 + 8
        (915, S, "e OK\r\nf OK\r\n"),                             // 6 + 6
        (1000, C, "g NOOP\r\n"),                                  // 8
        (1010, S, "* BYE\r\n"),                                   // 7
    ]]);
    let one = &summary.connections[0];
    assert_eq!((one.conn, &*one.server), (1, "imap.example.com:993"));
    assert_eq!(
        (one.duration, one.setup),
        (Micros(1_010_000), Some(Micros(10_000)))
    );
    assert_eq!(one.first_message, Some(Micros(140_000)));
    // LOGIN 50, SELECT and FETCH 50, APPEND 60, NOOP 5, and the last one until the end 10.
    assert_eq!(one.waiting, Micros(175_000));
    assert_eq!(one.idle, Micros(1_000_000 - 175_000));
    assert_eq!(one.idling, Micros(600_000));
    assert_eq!((one.commands, one.round_trips, one.literals), (7, 5, 2));
    assert_eq!(one.bytes_client, 24 + 16 + 24 + 16 + 5 + 8 + 6 + 8 + 8);
    assert_eq!(one.bytes_server, 9 + 33 + 18 + 35 + 18 + 12 + 10 + 12 + 7);
    assert_eq!(one.bytes_unattributed, 9 + 12 + 7);
    let rows: BTreeMap<&str, _> = summary.commands.iter().map(|(k, v)| (&**k, v)).collect();
    let told = |name: &str| {
        let row = rows[name];
        let latency = row.latencies.percentiles().map(|told| told.max.0 / 1000);
        let octets = (row.bytes_client, row.bytes_server);
        (row.count, latency, octets, row.round_trips)
    };
    assert_eq!(told("LOGIN"), (1, Some(50), (24, 33), 1));
    assert_eq!(told("SELECT"), (1, Some(30), (16, 18), 1));
    assert_eq!(told("UID FETCH"), (1, Some(50), (24, 41), 0));
    assert_eq!(told("APPEND"), (1, Some(60), (21, 12), 2));
    assert_eq!(told("IDLE"), (1, Some(15), (14, 16), 0));
    assert_eq!(told("NOOP"), (2, Some(5), (16, 6), 1));
    assert_eq!(rows["NOOP"].unanswered, 1);
    assert_eq!(
        (
            rows["APPEND"].literals_client,
            rows["UID FETCH"].literals_server
        ),
        (1, 1)
    );
}

#[test]
fn every_sasl_turn_is_a_round_trip() {
    let summary = stats(&[&[
        (0, S, "* OK hi\r\n"),
        (10, C, "a AUTHENTICATE LOGIN\r\n"),
        (20, S, "+ VXNlcm5hbWU6\r\n"),
        (30, C, "YWxpY2U=\r\n"),
        (40, S, "+ UGFzc3dvcmQ6\r\n"),
        (50, C, "aHVudGVyMg==\r\n"),
        (60, S, "a OK\r\n"),
    ]]);
    let row = &summary.commands["AUTHENTICATE"];
    assert_eq!((row.round_trips, row.bytes_client), (3, 22 + 10 + 10));
}

#[test]
fn what_is_ambiguous_belongs_to_no_command() {
    let summary = stats(&[&[
        (0, S, "* PREAUTH hi\r\n"),
        SELECT,
        SELECTED,
        (10, C, "a FETCH 1 FLAGS\r\nb FETCH 1:2 FLAGS\r\n"),
        (20, S, "* 1 FETCH (FLAGS ())\r\nb OK\r\na OK\r\n"),
    ]]);
    assert_eq!(summary.commands["FETCH"].bytes_server, 12);
    assert_eq!(summary.commands["FETCH"].round_trips, 1);
    assert_eq!(summary.connections[0].bytes_unattributed, 14 + 22);
}

#[test]
fn with_a_filter_whole_exchanges_are_counted() {
    let events = events(&[&[
        (0, S, "* PREAUTH hi\r\n"),
        (1, C, "a SELECT A\r\n"),
        (2, S, "a NO\r\n"),
        (3, C, "b SELECT B\r\n"),
        (4, S, "* 3 EXISTS\r\nb OK\r\n"),
    ]]);
    let is_no = |event: &Event| match &event.body {
        Body::Said(said) => matches!(
            said.reading,
            Reading::Tagged {
                status: Some(crate::event::Status::No),
                ..
            }
        ),
        _ => false,
    };
    let summary = summary(&events, is_no);
    assert_eq!((summary.sums.commands, summary.sums.round_trips), (1, 1));
    assert_eq!(
        (summary.sums.bytes_client, summary.sums.bytes_server),
        (12, 6)
    );
}

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

/// The same command for each of these arguments, answered after 40 ms, sent so much later.
fn one_by_one(command: &str, arguments: &[&str], pause: u64) -> Vec<(u64, Peer, String)> {
    let mut steps = Vec::new();
    let mut at = 100;
    for argument in arguments {
        steps.push((
            at,
            C,
            format!("t{at} {}\r\n", command.replace("{}", argument)),
        ));
        steps.push((at + 40, S, format!("t{at} OK\r\n")));
        at += 40 + pause;
    }
    steps
}

fn after_select<'a>(steps: &'a [(u64, Peer, String)]) -> Vec<Step<'a>> {
    let mut all = vec![SELECT, SELECTED];
    all.extend(steps.iter().map(|(at, from, text)| (*at, *from, &**text)));
    all
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

#[test]
fn text_fits_every_width() {
    let fetches = one_by_one("UID FETCH {} (BODY.PEEK[])", &["3", "7", "9"], 10);
    let mut steps = after_select(&fetches);
    steps.insert(
        0,
        (0, S, "* PREAUTH [CAPABILITY IDLE COMPRESS=DEFLATE] hi\r\n"),
    );
    steps.push((
        900,
        C,
        "x \u{202e}EVIL\u{1b}[31mCOMMAND-OF-A-VERY-LONG-NAME\r\n",
    ));
    let summary = stats(&[&steps]);
    for width in [40, 60, 80, 120] {
        let mut text = String::new();
        write_text(&mut text, &summary, &[], width);
        for line in text.lines() {
            assert!(
                unicode_width::UnicodeWidthStr::width(line) <= width,
                "{width}: {line}"
            );
        }
        assert!(text.contains("fetch-per-message on connection 1"), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'));
    }
}

#[test]
fn work_grows_with_the_transcript() {
    let sized = |size: usize| {
        let said: Vec<[String; 2]> = (0..size)
            .map(|n| {
                let answer = format!("* 1 FETCH (UID {n} BODY[] {{1}}\r\nx)\r\na{n} OK\r\n");
                [format!("a{n} UID FETCH {n} BODY[]\r\n"), answer]
            })
            .collect();
        let mut steps = vec![(0, S, "* PREAUTH hi\r\n"), SELECT, SELECTED];
        for [command, answer] in &said {
            steps.extend([(3, C, &**command), (4, S, answer)]);
        }
        events(&[&steps])
    };
    assert_linear(200, sized, |events| {
        assert!(summary(events, |_| true).sums.commands > 100);
    });
}
