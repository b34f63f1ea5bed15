//! Sessions and what is told of them.

mod further;
mod waste;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::waste::{Kind, Waste};
use super::{Budget, Page, Stats, Summary, Wanted, write_text};
use crate::event::Peer::{Client as C, Server as S};
use crate::event::{Body, Draft, Event, Gate, Micros, Numbers, Peer, Reading, Secrets, Times};
use crate::growth::assert_linear;
use crate::protocol::Protocol;
use crate::protocol::imap::Observer;
use crate::protocol::imap::conversations::random::{self, conversation};

/// Milliseconds, who, what.
type Step<'a> = (u64, Peer, &'a str);

/// The events of connections, one after the other; each begins at the full second before its first step.
fn events(connections: &[&[Step<'_>]]) -> Vec<Event> {
    let mut events = Vec::new();
    for (steps, conn) in connections.iter().zip(1..) {
        let mut observer = Observer::new(Gate::new(Secrets::Masked));
        let began = steps.first().map_or(0, |(at, ..)| at / 1000 * 1000);
        let mut drafts = vec![Draft::new(
            0,
            Micros(began * 1000),
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
    let summary = stats.finish();
    assert_valid(&summary);
    summary
}

/// Whatever is told is as the schema says.
fn assert_valid(summary: &Summary) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(super::SCHEMA).unwrap();
        assert!(jsonschema::meta::is_valid(&schema));
        jsonschema::validator_for(&schema).unwrap()
    });
    let mut budget = Budget::default();
    budget.add("commands=1,bytes:FETCH=1MiB").unwrap();
    let verdicts = budget.verdicts(summary).unwrap();
    for verdicts in [None, Some(&*verdicts)] {
        let mut json = Vec::new();
        summary.write_json(&mut json, verdicts);
        let value = serde_json::from_slice(&json).unwrap();
        let errors = SCHEMA.iter_errors(&value);
        let errors: Vec<String> = errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_knows_every_kind_of_waste_and_no_other() {
    let schema: serde_json::Value = serde_json::from_str(super::SCHEMA).unwrap();
    let known = &schema["$defs"]["waste"]["properties"]["kind"]["enum"];
    let ids: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    assert_eq!(*known, serde_json::json!(ids));
}

#[test]
fn without_times_there_are_counts_and_octets() {
    let mut stats = Stats::new(Times::Untold);
    let fetches = one_by_one("UID FETCH {} (BODY.PEEK[])", &["3", "7", "9"], 0);
    let mut steps: Vec<Step<'_>> = vec![(0, S, "* PREAUTH hi\r\n"), SELECT, SELECTED];
    steps.extend(fetches.iter().map(|(_, from, text)| (0, *from, &**text)));
    for step in &mut steps {
        step.0 = 0;
    }
    for event in events(&[&steps]) {
        stats.take(&event, Wanted::Yes);
    }
    let summary = stats.finish();
    assert_valid(&summary);
    let mut json = Vec::new();
    summary.write_json(&mut json, None);
    let told: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(told["totals"]["waiting"].is_null() && told["connections"][0]["idle"].is_null());
    let mut page = Page::plain(80);
    write_text(&mut page, &summary, &[]);
    assert!(
        page.text.contains("3 FETCHes, 2 round trips\n") || page.text.contains("round trips (#")
    );
    assert!(
        !page.text.contains(" ms") && !page.text.contains("waiting"),
        "{}",
        page.text
    );
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
fn waiting_is_not_counted_twice() {
    let summary = stats(&[&[
        (0, S, "* PREAUTH hi\r\n"),
        (10, C, "a NOOP\r\nb APPEND x {3}\r\n"),
        (30, S, "a OK\r\n+ go\r\n"),
        (35, C, "abc\r\n"),
        (50, S, "b OK\r\n"),
        (60, C, "c LOGOUT\r\n"),
    ]]);
    assert_eq!(summary.connections[0].waiting, Micros(40_000));
    assert_eq!(summary.connections[0].round_trips, 3);
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
        let mut page = Page::plain(width);
        write_text(&mut page, &summary, &[]);
        let text = page.text;
        for line in text.lines() {
            assert!(
                unicode_width::UnicodeWidthStr::width(line) <= width,
                "{width}: {line}"
            );
        }
        assert!(text.contains("fetch-per-message: one FETCH"), "{text}");
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

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(128)
    })]

    #[test]
    fn every_octet_is_counted_once(steps in conversation()) {
        let events = random::events(&steps, Secrets::Masked);
        let summary = summary(&events, |_| true);
        let octets = |from: Peer| -> u64 {
            let said = events.iter().filter_map(|event| match &event.body {
                Body::Said(said) if said.from == from => Some(said),
                _ => None,
            });
            said.map(|said| said.wire.octets()).sum()
        };
        let sums = &summary.sums;
        prop_assert_eq!((sums.bytes_client, sums.bytes_server), (octets(C), octets(S)));
        let rows = || summary.commands.values();
        let unattributed: u64 = summary.connections.iter().map(|one| one.bytes_unattributed).sum();
        let attributed: u64 = rows().map(|row| row.bytes_server).sum();
        prop_assert_eq!(attributed + unattributed, sums.bytes_server);
        prop_assert_eq!(rows().map(|row| row.round_trips).sum::<u64>(), sums.round_trips);
        prop_assert_eq!(rows().map(|row| row.count).sum::<u64>(), sums.commands);
        for one in &summary.connections {
            prop_assert!(one.waiting.0 + one.idle.0 <= one.duration.0, "{:?}", one);
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_counted(steps in conversation()) {
        let events = random::events(&steps, Secrets::Masked);
        let summary = summary(&events, |_| false);
        prop_assert_eq!((summary.sums.bytes(), summary.sums.commands), (0, 0));
        prop_assert!(summary.waste.is_empty() && summary.connections.is_empty());
    }
}
