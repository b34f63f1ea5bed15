//! More kinds of waste, beside the like of each that is none.

use super::super::waste::Kind;
use super::{SELECT, SELECTED, Step, after_select, none, one_by_one, stats, wasted};
use crate::event::Micros;
use crate::event::Peer::{Client as C, Server as S};

fn borrowed(steps: &[(u64, crate::event::Peer, String)]) -> Vec<Step<'_>> {
    let steps = steps.iter();
    steps
        .map(|(at, from, text)| (*at, *from, &**text))
        .collect()
}

#[test]
fn a_part_of_a_message_that_is_here() {
    let kind = Kind::PartOfWhole;
    let fetch = |first: &'static str, second: &'static str| {
        let steps = [
            SELECT,
            SELECTED,
            (
                10,
                C,
                "a UID FETCH 5:6 (RFC822 BODY[] BODY[HEADER] ENVELOPE)\r\n",
            ),
            (20, S, first),
            (21, S, "a OK\r\n"),
            (
                30,
                C,
                "b UID FETCH 5:6 (RFC822 BODY[] BODY[HEADER] ENVELOPE)\r\n",
            ),
            (40, S, second),
            (41, S, "b OK\r\n"),
        ];
        wasted(kind, "", &steps)
    };
    let whole = "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n";
    let header = "* 1 FETCH (UID 5 BODY[HEADER] {2}\r\nab)\r\n";
    let found = fetch(whole, header);
    assert_eq!((found[0].count, found[0].octets), (1, 2));
    assert_eq!(found[0].commands, [11]);
    assert_eq!(
        fetch(
            "* 1 FETCH (UID 5 RFC822 {3}\r\nabc)\r\n",
            "* 1 FETCH (UID 5 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<a@b>\"))\r\n"
        )
        .len(),
        1
    );
    // Of another message; the parts first, as for a list; the same again, which is another kind.
    let other = "* 2 FETCH (UID 6 BODY[HEADER] {2}\r\nab)\r\n";
    assert_eq!(fetch(whole, other), []);
    assert_eq!(fetch(header, whole), []);
    assert_eq!(fetch(whole, whole), []);
}

#[test]
fn a_message_in_chunks() {
    let kind = Kind::FetchInChunks;
    let chunks = ["0.99", "99.99", "198.99"];
    let found = wasted(
        kind,
        "",
        &after_select(&one_by_one(
            "UID FETCH 5 (UID BODY.PEEK[1]<{}>)",
            &chunks,
            10,
        )),
    );
    assert_eq!(
        (found[0].count, found[0].round_trips, found[0].time),
        (3, 2, Micros(80_000))
    );
    assert_eq!(found[0].figure(), "3 FETCHes, 2 round trips, 80 ms");
    none(
        kind,
        "",
        &after_select(&one_by_one(
            "UID FETCH 5 BODY.PEEK[1]<{}>",
            &chunks[..2],
            10,
        )),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one(
            "UID FETCH {} BODY.PEEK[1]<0.99>",
            &["5", "6", "7"],
            10,
        )),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one(
            "UID FETCH 5 BODY.PEEK[{}]<0.99>",
            &["1", "2", "3"],
            10,
        )),
    );
    none(
        kind,
        "",
        &after_select(&one_by_one("UID FETCH 5 BODY.PEEK[1]<{}>", &chunks, 900)),
    );
}

#[test]
fn one_store_a_message() {
    let kind = Kind::StorePerMessage;
    for command in [
        "UID STORE {} +FLAGS.SILENT (\\Seen)",
        "COPY {} Archive",
        "UID MOVE {} Archive",
    ] {
        let found = wasted(
            kind,
            "",
            &after_select(&one_by_one(command, &["3", "7", "9"], 10)),
        );
        assert_eq!((found[0].count, found[0].round_trips), (3, 2), "{command}");
        let sets = ["3:4", "7", "9"];
        none(kind, "", &after_select(&one_by_one(command, &sets, 10)));
        let slow = one_by_one(command, &["3", "7", "9"], 900);
        none(kind, "", &after_select(&slow));
    }
    let flags = ["\\Seen", "\\Flagged", "\\Draft"];
    none(
        kind,
        "",
        &after_select(&one_by_one("STORE 3 +FLAGS ({})", &flags, 10)),
    );
}

#[test]
fn status_of_every_mailbox_where_list_does_it() {
    let kind = Kind::StatusLoop;
    let asks = one_by_one("STATUS {} (UIDNEXT)", &["A", "B", "C"], 10);
    let found = wasted(kind, "LIST-STATUS", &after_select(&asks));
    assert_eq!(found[0].capability, Some("LIST-STATUS"));
    assert!(found[0].better().starts_with("LIST with RETURN (STATUS"));
    let found = wasted(kind, "", &after_select(&asks));
    assert_eq!(found[0].better(), "send them all before the first answer");
    let pipelined = [
        (
            9,
            C,
            "a STATUS A (UNSEEN)\r\nb STATUS B (UNSEEN)\r\nc STATUS C (UNSEEN)\r\n",
        ),
        (10, S, "a OK\r\nb OK\r\nc OK\r\n"),
    ];
    let found = wasted(kind, "LIST-STATUS", &pipelined);
    assert_eq!((found[0].count, found[0].round_trips), (3, 0));
    none(kind, "", &pipelined);
    let slow = one_by_one("STATUS {} (UIDNEXT)", &["A", "B", "C"], 1000);
    none(kind, "LIST-STATUS", &after_select(&slow));
}

#[test]
fn numbers_that_ranges_would_say() {
    let kind = Kind::SearchInFull;
    let found = |numbers: Vec<u32>, capabilities: &str| {
        let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
        let answer = format!("* SEARCH {}\r\na OK\r\n", numbers.join(" "));
        let steps = [
            SELECT,
            SELECTED,
            (10, C, "a UID SEARCH ALL\r\n"),
            (20, S, &answer),
        ];
        wasted(kind, capabilities, &steps)
    };
    let all = found((1000..1200).collect(), "ESEARCH");
    // `* SEARCH ` and 200 times `1000 `, less 32 and `1000:1199 `
    assert_eq!((all[0].count, all[0].octets), (1, 10 + 1000 - 32 - 10));
    assert_eq!(found((1000..1200).collect(), ""), []);
    assert_eq!(found((1000..1020).collect(), "ESEARCH"), []);
    assert_eq!(
        found((0..200).map(|n| 1000 + 2 * n).collect(), "ESEARCH"),
        []
    );
}

#[test]
fn what_the_server_told_already() {
    let kind = Kind::AskedAgain;
    let count = |capabilities: &str, steps: &[Step<'_>]| {
        let found = wasted(kind, capabilities, steps);
        found.iter().map(|item| item.count).sum::<u64>()
    };
    let capability = [
        (5, C, "c CAPABILITY\r\n"),
        (6, S, "* CAPABILITY X\r\nc OK\r\n"),
    ];
    assert_eq!(count("", &capability), 1);
    let listed = |pause: u64, between: &'static str| {
        vec![
            (10, C, "a LIST \"\" *\r\n"),
            (20, S, "a OK\r\n"),
            (30, C, between),
            (40, S, "b OK\r\n"),
            (30 + pause, C, "c list \"\" *\r\n"),
            (60 + pause, S, "c OK\r\n"),
        ]
    };
    assert_eq!(count("", &listed(20, "b NOOP\r\n")), 1);
    assert_eq!(count("", &listed(70_000, "b NOOP\r\n")), 0);
    assert_eq!(count("", &listed(20, "b CREATE x\r\n")), 0);
    let status = [
        (10, C, "a LIST \"\" * RETURN (STATUS (UNSEEN))\r\n"),
        (20, S, "a OK\r\n"),
        (30, C, "b LIST \"\" * RETURN (STATUS (UNSEEN))\r\n"),
        (40, S, "b OK\r\n"),
    ];
    assert_eq!(count("", &status), 0);
    let lists = one_by_one("LIST \"\" {}", &["a", "b"], 10);
    assert_eq!(count("", &borrowed(&lists)), 0);
}

#[test]
fn capabilities_are_asked_for_where_they_may_be_others() {
    let again = |greeting: &str, login: &str| {
        let steps = [
            (0, S, greeting),
            (1, C, "a LOGIN alice secret\r\n"),
            (2, S, login),
            (3, C, "b CAPABILITY\r\n"),
            (4, S, "* CAPABILITY IMAP4rev1\r\nb OK\r\n"),
        ];
        let waste = stats(&[&steps]).waste;
        waste
            .iter()
            .filter(|item| item.kind == Kind::AskedAgain)
            .count()
    };
    let greeting = "* OK [CAPABILITY IMAP4rev1] hi\r\n";
    assert_eq!(again(greeting, "a OK [CAPABILITY IMAP4rev1 X] in\r\n"), 1);
    assert_eq!(
        again(greeting, "* CAPABILITY IMAP4rev1 X\r\na OK in\r\n"),
        1
    );
    assert_eq!(again(greeting, "a NO\r\n"), 1);
    assert_eq!(again(greeting, "a OK in\r\n"), 0);
    assert_eq!(again("* OK hi\r\n", "a NO\r\n"), 0);
}

#[test]
fn a_user_who_comes_back() {
    let session = |begins: u64, user: &str, end: &'static str| {
        vec![
            (begins, S, "* OK hi\r\n".to_owned()),
            (begins + 10, C, format!("l LOGIN {user} x\r\n")),
            (begins + 40, S, "l OK\r\n".to_owned()),
            (begins + 50, C, "o LOGOUT\r\n".to_owned()),
            (begins + 60, S, end.to_owned()),
        ]
    };
    let bye = "* BYE\r\no OK\r\n";
    let found = |sessions: &[Vec<(u64, crate::event::Peer, String)>]| {
        let steps: Vec<Vec<Step<'_>>> = sessions.iter().map(|steps| borrowed(steps)).collect();
        let steps: Vec<&[Step<'_>]> = steps.iter().map(|steps| &**steps).collect();
        let waste = stats(&steps).waste;
        let again = waste
            .into_iter()
            .filter(|item| item.kind == Kind::LoginAgain);
        again.collect::<Vec<_>>()
    };
    let users = |users: [&str; 3], gap: u64| {
        let at = [0, gap, 2 * gap];
        [0, 1, 2].map(|one| session(at[one], users[one], bye))
    };
    let again = found(&users(["alice"; 3], 1000));
    assert_eq!((again[0].count, again[0].round_trips), (2, 2));
    assert_eq!(again[0].time, Micros(2 * 40_000));
    assert_eq!(again[0].conn, None);
    assert_eq!(found(&users(["alice"; 3], 1000)[..2]), []);
    assert_eq!(found(&users(["alice", "bob", "carol"], 1000)), []);
    assert_eq!(found(&users(["alice"; 3], 100_000)), []);
}

#[test]
fn idle_that_is_begun_again_and_again() {
    let kind = Kind::IdleRestarted;
    let idles = |for_ms: u64, came: &str| {
        let mut steps = Vec::new();
        for n in 0..4 {
            let at = 100 + n * (for_ms + 20);
            steps.push((at, C, format!("i{n} IDLE\r\n")));
            steps.push((at + 1, S, "+ \r\n".to_owned()));
            steps.push((at + 2, S, came.to_owned()));
            steps.push((at + for_ms, C, "DONE\r\n".to_owned()));
            steps.push((at + for_ms + 10, S, format!("i{n} OK\r\n")));
        }
        steps
    };
    let found = wasted(kind, "IDLE", &after_select(&idles(30_000, "")));
    assert_eq!((found[0].count, found[0].round_trips), (4, 0));
    let found = wasted(
        kind,
        "IDLE",
        &after_select(&idles(30_000, "* OK Still here\r\n")),
    );
    assert_eq!(found[0].count, 4);
    none(kind, "IDLE", &after_select(&idles(300_000, "")));
    none(
        kind,
        "IDLE",
        &after_select(&idles(30_000, "* 4 EXISTS\r\n")),
    );
}

#[test]
fn what_compress_would_have_saved() {
    let kind = Kind::UnusedCapability;
    let answer = "* 1 FETCH (UID 5 FLAGS (\\Seen \\Answered))\r\n".repeat(200) + "a OK\r\n";
    let steps = |command| [SELECT, SELECTED, (10, C, command), (20, S, &*answer)];
    let found = wasted(kind, "COMPRESS=DEFLATE", &steps("a FETCH 1 (FLAGS)\r\n"));
    let octets = answer.len() as u64;
    assert!(
        found[0].octets > octets / 2 && found[0].octets < octets,
        "{found:?}"
    );
    assert!(found[0].figure().contains("KiB less"), "{found:?}");
    none(kind, "COMPRESS=DEFLATE", &steps("a COMPRESS DEFLATE\r\n"));
}

#[test]
fn capabilities_that_would_have_been_of_use() {
    let kind = Kind::UnusedCapability;
    let two = one_by_one("APPEND {} {{1+}}\r\nx", &["A", "A"], 10);
    let names = |capability, steps: &[Step<'_>]| {
        let found = wasted(kind, capability, steps);
        found
            .iter()
            .map(|item| item.capability.unwrap())
            .collect::<Vec<_>>()
    };
    let two: Vec<_> = two
        .into_iter()
        .map(|(at, from, text)| (at, from, text.replace("{{", "{").replace("}}", "}")))
        .collect();
    assert_eq!(names("MULTIAPPEND", &borrowed(&two)), ["MULTIAPPEND"]);
    let one: [Step<'_>; 2] = [(1, C, "a APPEND A {1+}\r\nx\r\n"), (2, S, "a OK\r\n")];
    assert!(names("MULTIAPPEND", &one).is_empty());
    let both: Vec<Step<'_>> = borrowed(&two)
        .into_iter()
        .chain([
            (900, C, "z APPEND A {1+}\r\nx {1+}\r\ny\r\n"),
            (901, S, "z OK\r\n"),
        ])
        .collect();
    assert!(names("MULTIAPPEND", &both).is_empty());
    let peek = |item: &'static str| [SELECT, SELECTED, (10, C, item), (11, S, "a OK\r\n")];
    let previews = peek("a FETCH 1:9 (UID BODY.PEEK[TEXT]<0.512>)\r\n");
    assert_eq!(names("PREVIEW", &previews), ["PREVIEW"]);
    assert!(names("PREVIEW", &peek("a FETCH 1:9 (UID BODY.PEEK[TEXT])\r\n")).is_empty());
    assert!(names("PREVIEW", &peek("a FETCH 1:9 (PREVIEW)\r\n")).is_empty());
}

#[test]
fn every_kind_has_a_name_of_its_own_in_the_order_of_all() {
    let ids: std::collections::BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
    assert_eq!(ids.len(), Kind::ALL.len());
    assert!(Kind::ALL.is_sorted());
}
