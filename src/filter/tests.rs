//! What filters say, where bad ones are bad, and what matches.

use proptest::prelude::*;

use super::{Comparison, Expression, Matcher, Number, Test, Word, parse};
use crate::event::Peer::{Client as C, Server as S};
use crate::event::{Body, Event, Secrets, Status};
use crate::growth::assert_linear;
use crate::protocol::imap::conversations::random::{Step, conversation, events};

fn told(filter: &str) -> String {
    parse(filter).unwrap().to_string()
}

#[test]
fn side_by_side_is_and_and_not_binds_tightest() {
    for (filter, same) in [
        ("command:FETCH status:NO", "command:FETCH status:NO"),
        ("a", ""),
        (
            "tag:a and tag:b or not tag:c tag:d",
            "(tag:a tag:b) or (not tag:c tag:d)",
        ),
        ("tag:a (tag:b or tag:c)", "tag:a (tag:b or tag:c)"),
        ("-unsolicited !\"x\"", "not unsolicited not \"x\""),
        ("not not tag:a", "tag:a"),
        ("- - -tag:a", "not tag:a"),
        ("NOT(not tag:a)", "not (not tag:a)"),
        ("((tag:a))", "tag:a"),
        (
            "Status:no,Bad From:SERVER kind:Note",
            "status:NO,BAD from:server kind:note",
        ),
        ("command:\"UID FETCH\",STORE", "command:\"UID FETCH\",STORE"),
        (
            "flag:\\Seen mailbox:\"a \\\"b\\\" \\\\\"",
            "flag:\\Seen mailbox:\"a \\\"b\\\" \\\\\"",
        ),
        (
            "elapsed>200ms at<=1.5s n=3,4 conn!=2",
            "elapsed>200ms at<=1500ms n:3,4 conn!=2",
        ),
        (
            "elapsed<0.0000015min elapsed>1h",
            "elapsed<90us elapsed>3600000ms",
        ),
        ("octets>=1.5KiB octets<2MB", "octets>=1536 octets<2000000"),
        ("note:starttls-* or tag:=x", "note:starttls-* or tag:=x"),
    ] {
        match same {
            "" => assert!(parse(filter).is_err()),
            same => assert_eq!(told(filter), same),
        }
    }
}

#[test]
fn bad_filters_say_where_and_what_was_expected() {
    for (filter, marked, expected) in [
        ("", "", "expected a test here"),
        ("command:FETCH (from:server", "(", "a `)` for this `(`"),
        ("command:FETCH)", ")", "no `(` is open"),
        ("()", ")", "expected a test here"),
        ("conn:two", "two", "a whole number behind conn:"),
        ("elapsed>soon", "soon", "a time such as 200ms"),
        ("elapsed>200 ms", "ms", "no test is called ms"),
        ("octets>1.x", "1.x", "an amount such as"),
        ("n>1,2", "2", "one amount"),
        ("n:1.5", "1.5", "a whole number"),
        (
            "comand:FETCH",
            "comand",
            "no test is called comand, but ambiguous, at, code, command",
        ),
        ("quota", "quota", "a text to look for stands in quotes"),
        ("status:MAYBE", "MAYBE", "one of OK, NO, BAD, PREAUTH, BYE"),
        ("from:alice", "alice", "one of client, server, mailscope"),
        ("kind:thing", "thing", "one of connected, secured"),
        ("command>FETCH", ">", "expected command: and a value"),
        ("command: FETCH", "", "a value here, without a space"),
        ("command", "command", "`:` and a value behind command"),
        (
            "elapsed",
            "elapsed",
            "a comparison and an amount behind elapsed",
        ),
        ("tag:a or", "", "expected a test here"),
        ("or tag:a", "or", "a test before `or`"),
        ("tag:a and and tag:b", "and", "a test before `and`"),
        ("\"never ends", "", "a quote at the end"),
        ("\"\"", "\"\"", "a text between the quotes"),
        ("tag:a\"b\"", "\"", "a space behind the value"),
        ("tag:a,", "", "a value here"),
        ("ümlaut", "ümlaut", "expected a test such as"),
        ("un-solicited", "-solicited", "a space behind the word"),
    ] {
        let bad = parse(filter).expect_err(filter);
        assert_eq!(&filter[bad.place()], marked, "{filter}: {bad}");
        assert!(bad.expected().contains(expected), "{filter}: {bad}");
    }
}

#[test]
fn a_caret_stands_under_the_place() {
    let bad = parse("\"世界\" conn:zwölf\t tag:a")
        .unwrap_err()
        .to_string();
    let lines: Vec<&str> = bad.lines().collect();
    assert_eq!(lines[1], "    \"世界\" conn:zwölf\u{fffd} tag:a");
    assert_eq!(lines[2], "                ^^^^^");
    let long = format!("{} conn:x {}", "tag:a ".repeat(100), "tag:b ".repeat(100));
    let bad = parse(&long).unwrap_err().to_string();
    let lines: Vec<&str> = bad.lines().collect();
    assert!(
        lines[1].chars().count() < 140 && lines[1].starts_with("    …"),
        "{bad}"
    );
    let at = lines[2].find('^').unwrap();
    let under: String = lines[1].chars().skip(at).take(1).collect();
    assert_eq!(under, "x");
}

#[test]
fn depth_and_length_have_bounds() {
    let deep = |depth| format!("{}tag:a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&deep(64)).is_ok());
    let bad = parse(&deep(100_000)).unwrap_err();
    assert!(
        bad.to_string().contains("64 deep") || bad.to_string().contains("octets"),
        "{bad}"
    );
    assert!(parse(&deep(65)).unwrap_err().expected().contains("64 deep"));
    assert!(
        parse(&"tag:a ".repeat(20_000))
            .unwrap_err()
            .to_string()
            .contains("65536")
    );
    assert!(parse(&format!("{}tag:a", "not ".repeat(10_001))).is_ok());
}

fn session() -> Vec<Event> {
    let steps: &[(crate::event::Peer, &[u8])] = &[
        (S, b"* OK [CAPABILITY IMAP4rev1] hi\r\n"),    // 1
        (C, b"a LOGIN alice hunter2\r\n"),             // 2
        (S, b"a OK in\r\n"),                           // 3
        (C, b"b SELECT inbox\r\n"),                    // 4
        (S, b"* 3 EXISTS\r\nb OK [READ-WRITE] x\r\n"), // 5, 6
        (C, b"c UID FETCH 5 FLAGS\r\n"),               // 7
        (
            S,
            b"* 1 FETCH (UID 5 FLAGS (\\Seen Junk))\r\n* 4 EXISTS\r\n",
        ), // 8, 9
        (S, b"c NO [OVERQUOTA] Quota exceeded\r\n"),   // 10
        (C, b"d STATUS \"Entw&APw-rfe\" (UNSEEN)\r\n"), // 11
        (S, b"* STATUS \"Entw&APw-rfe\" (UNSEEN 1)\r\nd OK\r\n"), // 12, 13
        (C, b"e IDLE\r\n"),                            // 14
        (S, b"+ idling\r\n"),                          // 15
        (C, b"DONE\r\n"),                              // 16
        (S, b"e OK\r\n"),                              // 17
        (C, b"f APPEND Archive/2026 {3}\r\n"),
        (S, b"+ go\r\n"),      // 18
        (C, b"abc\r\n"),       // 19
        (S, b"f OK\r\n"),      // 20
        (C, b"g FETCH 1 BOD"), // 21
    ];
    let steps: Vec<Step> = steps
        .iter()
        .map(|(from, octets)| (*from, (*octets).into()))
        .collect();
    events(&steps, Secrets::Masked)
}

/// The numbers of the events that match.
fn matched(filter: &str) -> Vec<u64> {
    let mut matcher = Matcher::new(&parse(filter).unwrap());
    let session = session();
    session
        .iter()
        .filter(|event| matcher.matches(event))
        .map(|event| event.n)
        .collect()
}

#[test]
fn every_test_matches_what_it_says() {
    let all: Vec<u64> = session().iter().map(|event| event.n).collect();
    for (filter, numbers) in [
        ("command:fetch", &[7, 8, 10, 21][..]),
        ("command:\"uid fetch\"", &[7, 8, 10]),
        ("command:UID*", &[7, 8, 10]),
        ("command:idle", &[14, 15, 16, 17]),
        ("command:APPEND", &[19, 20]),
        ("command:FETCH status:NO", &[10]),
        ("status:NO,BAD", &[10]),
        ("status:ok not command:*", &[1]),
        ("mailbox:INBOX", &[4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 21]),
        ("mailbox:Entwürfe", &[11, 12, 13]),
        ("mailbox:Entw&APw-rfe", &[11, 12, 13]),
        ("mailbox:archive/*", &[19, 20]),
        ("tag:f", &[18, 19, 20]),
        ("code:overquota", &[10]),
        ("name:EXISTS", &[5, 9]),
        ("name:FETCH from:server", &[8]),
        ("kind:tagged n<10", &[3, 6]),
        ("flag:\\seen", &[8]),
        ("flag:junk", &[8]),
        ("flag:inbox", &[]),
        ("unsolicited", &[9]),
        ("incomplete", &[21]),
        ("\"QUOTA EXC\"", &[10]),
        ("n:3,5", &[3, 5]),
        ("n>=20 conn:1", &[20, 21]),
        ("conn:2", &[]),
        ("octets>40 from:client", &[]),
        ("octets<10 from:client", &[14, 16]),
        ("from:mailscope or note:*", &[]),
        // A mask is no text, and what it masks is not there.
        ("\"hunter2\" or \"****\"", &[]),
        ("\"LOGIN alice\"", &[2]),
        ("not n:*", &[]),
    ] {
        if filter == "not n:*" {
            assert!(parse(filter).is_err());
            continue;
        }
        assert_eq!(matched(filter), numbers, "{filter}");
        let others: Vec<u64> = all
            .iter()
            .copied()
            .filter(|n| !numbers.contains(n))
            .collect();
        assert_eq!(matched(&format!("not ({filter})")), others, "{filter}");
    }
}

#[test]
fn elapsed_is_of_tagged_responses() {
    // The step's number is its microsecond.
    assert_eq!(matched("elapsed>2us"), [17, 20]);
    assert_eq!(matched("elapsed<=1us"), [3, 6, 13]);
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[A-Za-z\\\\*:=\"(), üé-]{1,8}", 1..3)
}

fn test() -> impl Strategy<Value = Test> {
    let comparison = prop::sample::select(vec![
        Comparison::Unequal,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::More,
        Comparison::AtLeast,
    ]);
    let number = prop::sample::select(Number::ALL.map(|(_, number)| number).to_vec());
    let amount = 0..1_u64 << 50;
    prop_oneof![
        texts().prop_map(Test::Code),
        texts().prop_map(Test::Command),
        texts().prop_map(Test::Flag),
        texts().prop_map(Test::Mailbox),
        texts().prop_map(Test::Name),
        texts().prop_map(Test::Note),
        texts().prop_map(Test::Tag),
        "[ -~üé]{1,9}".prop_map(Test::Text),
        prop::sample::subsequence(vec!["client", "server", "mailscope"], 1..3).prop_map(Test::From),
        prop::sample::subsequence(vec!["command", "literal_part", "gap"], 1..3)
            .prop_map(Test::Kind),
        prop::sample::subsequence(vec![Status::Ok, Status::Bye], 1..2).prop_map(Test::Status),
        prop::sample::select(Word::ALL.map(|(_, word)| word).to_vec()).prop_map(Test::Word),
        (number.clone(), comparison, amount.clone()).prop_map(|(number, comparison, amount)| {
            Test::Number(number, comparison, vec![amount])
        }),
        (number, prop::collection::vec(amount, 1..4)).prop_map(|(number, amounts)| Test::Number(
            number,
            Comparison::Equal,
            amounts
        )),
    ]
}

fn expression() -> impl Strategy<Value = Expression> {
    test()
        .prop_map(Expression::Test)
        .prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Any),
                inner.prop_map(|inner| Expression::Not(Box::new(inner))),
            ]
        })
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn what_is_printed_is_read_as_the_same(expression in expression()) {
        let printed = expression.to_string();
        prop_assert_eq!(parse(&printed), Ok(expression), "{}", printed);
    }

    #[test]
    fn whatever_is_read_fails_in_its_place_or_comes_again(
        filter in prop_oneof![
            any::<String>(),
            "([a-z]{1,9}|[:<>=!,\"()\\\\-]|or|and|not|command:|n>|\"| |ü){0,20}",
        ],
    ) {
        match parse(&filter) {
            Ok(expression) => {
                let printed = expression.to_string();
                prop_assert_eq!(parse(&printed), Ok(expression), "{}", printed);
            }
            Err(bad) => {
                let _ = bad.to_string();
                prop_assert!(filter.get(bad.place()).is_some(), "{:?}", bad);
            }
        }
    }

    #[test]
    fn an_event_matches_a_filter_or_its_negation(
        steps in conversation(),
        expression in expression(),
    ) {
        let negation = Expression::Not(Box::new(expression.clone()));
        let (mut one, mut other) = (Matcher::new(&expression), Matcher::new(&negation));
        for event in events(&steps, Secrets::Masked) {
            prop_assert_ne!(one.matches(&event), other.matches(&event));
        }
    }
}

#[test]
fn what_is_masked_cannot_be_told_by_a_filter() {
    let login = |password: &str| {
        let line = format!("a LOGIN alice {password}\r\n");
        let steps: Vec<Step> = vec![(S, (*b"* OK hi\r\n").into()), (C, line.as_bytes().into())];
        events(&steps, Secrets::Masked)
    };
    for filter in [
        "\"secret\"",
        "octets:24",
        "\"s\"",
        "flag:s*",
        "name:*secret*",
    ] {
        let told = |password: &str| -> Vec<bool> {
            let mut matcher = Matcher::new(&parse(filter).unwrap());
            login(password)
                .iter()
                .map(|event| matcher.matches(event))
                .collect()
        };
        assert_eq!(told("secret"), told("others-longer"), "{filter}");
    }
}

#[test]
fn work_grows_with_what_is_said() {
    let said = |size: usize| {
        let mut steps: Vec<Step> = vec![(S, (*b"* PREAUTH hi\r\n").into())];
        steps.push((C, (*b"s SELECT INBOX\r\n").into()));
        steps.push((S, (*b"s OK\r\n").into()));
        for n in 0..size {
            let lines = format!("a{n} FETCH {n} (FLAGS)\r\n");
            steps.push((C, lines.as_bytes().into()));
            let lines = format!("* {n} FETCH (FLAGS (\\Seen))\r\na{n} OK\r\n");
            steps.push((S, lines.as_bytes().into()));
        }
        events(&steps, Secrets::Masked)
    };
    let filter = parse("command:FETCH mailbox:* or flag:\\Seen -\"quota\" elapsed>1h").unwrap();
    assert_linear(300, said, |events| {
        let mut matcher = Matcher::new(&filter);
        let matched = events.iter().filter(|event| matcher.matches(event)).count();
        let notes = events
            .iter()
            .filter(|event| matches!(event.body, Body::Note(_)))
            .count();
        assert!(matched > 300 && notes == 0);
    });
}
