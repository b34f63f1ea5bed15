//! Faults that strike messages: what each peer is given, however the octets are cut, and what is told
//! of it.

use super::number;
use super::upgrade::{Relay, edits, notes, played, setting};
use crate::event::{Body, Event, Micros, Peer};
use crate::fault::{Fault, Faults};
use crate::limits;
use crate::protocol::imap::{AppLeg, ServerLeg, Setting};

const C: Peer = Peer::Client;
const S: Peer = Peer::Server;

fn faulty(faults: &[&str]) -> Setting {
    let faults: Vec<Fault> = faults.iter().map(|text| text.parse().unwrap()).collect();
    Setting {
        faults: Faults::new(faults, 7).strikes(1),
        ..setting(AppLeg::Tls, ServerLeg::Tls)
    }
}

/// What was done behind a login, and told.
fn behind_login(faults: &[&str], steps: &[(Peer, &str)]) -> (Vec<String>, Vec<Event>) {
    let login = [
        (S, "* PREAUTH hi\r\n"),
        (C, "0 ENABLE X\r\n"),
        (S, "0 OK in\r\n"),
    ];
    let (done, events) = played(&faulty(faults), &[&login, steps].concat());
    let before = done.iter().position(|line| line == "app 0 OK in|");
    match before {
        Some(before) => (done[before + 1..].to_vec(), events),
        // Joined with what the app was given next.
        None => {
            let mut done = done;
            done.drain(..2);
            done[0] = done[0].replacen("0 OK in|", "", 1);
            (done, events)
        }
    }
}

const TEXT: &str = "injected by mailscope (--fault)|";

#[test]
fn a_struck_command_goes_nowhere_and_is_answered() {
    let (done, events) = behind_login(
        &["no:SELECT=OVERQUOTA"],
        &[
            (C, "a SELECT INBOX\r\nb NOOP\r\n"),
            (S, "b OK\r\n"),
            (C, "c select {5+}\r\nINBOX\r\n"),
            (C, "d LOGOUT\r\n"),
            (S, "* BYE\r\nd OK\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            format!("app a NO [OVERQUOTA] {TEXT}"),
            "server b NOOP|".into(),
            format!("app b OK|c NO [OVERQUOTA] {TEXT}"),
            "server d LOGOUT|".into(),
            "app * BYE|d OK|".into(),
        ]
    );
    assert_eq!(notes(&events), ["note fault", "note fault"]);
    assert_eq!(
        edits(&events),
        [
            "a SELECT INBOX| -> ".to_owned(),
            format!("own a NO [OVERQUOTA] {TEXT}"),
            "c select {5+}|INBOX| -> ".into(),
            format!("own c NO [OVERQUOTA] {TEXT}"),
        ]
    );
}

#[test]
fn the_answer_comes_behind_those_before_it() {
    let (done, _) = behind_login(
        &["bad:NOOP"],
        &[
            (C, "a FETCH 1 BODY[]\r\nb NOOP\r\nc CHECK\r\n"),
            (S, "* 1 FETCH (BODY[] {5}\r\nab"),
            (S, "cde)\r\n"),
            (S, "c OK\r\na OK\r\n"),
        ],
    );
    let octets =
        "app * 1 FETCH (BODY[] {5}|abcde)|c OK|a OK|b BAD injected by mailscope (--fault)|";
    assert_eq!(
        done,
        ["server a FETCH 1 BODY[]|c CHECK|".to_owned(), octets.into()]
    );
}

#[test]
fn a_literal_that_waits_is_refused() {
    let (done, events) = behind_login(
        &["no:APPEND=OVERQUOTA"],
        &[
            (C, "a APPEND x {3}\r\n"),
            (C, "b NOOP\r\n"),
            (S, "b OK\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            format!("app a NO [OVERQUOTA] {TEXT}"),
            "server b NOOP|".into(),
            "app b OK|".into(),
        ]
    );
    assert_eq!(edits(&events)[0], "a APPEND x {3}| -> ");
}

/// What fuzzing found: the second command was told as dropped, and had gone on behind the first one.
#[test]
fn r005_a_command_that_went_on_before_it_was_read_is_not_struck() {
    let steps = [
        (C, "a CREATE {2}\r\nxx\r\nb APPEND y {3}\r\n"),
        (S, "+ go\r\n"),
        (C, "abc\r\n"),
        (S, "a OK\r\nb OK\r\n"),
    ];
    let (done, events) = behind_login(&["no:APPEND"], &steps);
    let given: Vec<&str> = done
        .iter()
        .filter_map(|line| line.strip_prefix("server "))
        .collect();
    assert_eq!(given.concat(), "a CREATE {2}|xx|b APPEND y {3}|abc|");
    assert!(edits(&events).is_empty(), "{:?}", edits(&events));
}

/// What fuzzing found: an app that does not wait, whose literal is dropped with all that came at once
/// with it, and was told as passed on from its end on.
#[test]
fn r006_what_is_dropped_behind_a_struck_literal_is_told_so() {
    let steps = [
        (C, "b APPEND x {3}\r\nabc\r\nc NOOP\r\n"),
        (S, "+ go\r\n"),
        (C, "d NOOP\r\n"),
        (S, "d OK\r\n"),
    ];
    let login = [(S, "* PREAUTH hi\r\n")];
    let steps = [&login[..], &steps].concat();
    let mut relay = Relay::new(faulty(&["stall:APPEND"]));
    for (from, octets) in &steps {
        relay.read(*from, octets.as_bytes(), Micros(0));
    }
    for from in [C, S] {
        relay.end(from, Micros(1));
    }
    let given: Vec<&str> = relay
        .done
        .iter()
        .filter_map(|line| line.strip_prefix("server "))
        .collect();
    assert_eq!(given.concat(), "d NOOP\r\n");
    let told = edits(&number(relay.drafts));
    assert_eq!(told, ["b APPEND x {3}|abc| -> ", "c NOOP| -> "]);
}

/// What fuzzing found: what was dropped behind a struck literal was told as passed on where the
/// octets from there on are of no messages.
#[test]
fn r019_what_is_dropped_behind_a_struck_literal_is_told_so_when_reading_ends() {
    let steps = [
        (C, "a STARTTLS\r\nb APPEND x {9}\r\nabc"),
        (S, "a OK\r\n"),
        (C, "def"),
    ];
    let (done, events) = behind_login(&["stall:APPEND"], &steps);
    assert_eq!(done, ["server a STARTTLS|", "app a OK|", "server def"]);
    assert_eq!(edits(&events), ["b APPEND x {9}| -> ", "abc -> "]);
}

/// What fuzzing found: a line that goes on with a command, and not a command of its own, went on from
/// where the dropped octets ended, and was told as dropped.
#[test]
fn r023_a_line_that_begins_in_what_is_dropped_goes_nowhere() {
    for (command, begun, rest) in [
        ("b AUTHENTICATE PLAIN", "AGFsaWNl", "AGh1bnRlcjI="),
        ("b IDLE", "DO", "NE"),
        ("b CREATE {3+}", "ab", "c"),
        ("b NOOP", "c NO", "OP"),
        ("b COMPRESS DEFLATE", "c NO", "OP"),
        ("b STARTTLS", "c NO", "OP"),
    ] {
        let (begun, rest) = (
            format!("a APPEND x {{3}}\r\nabc\r\n{command}\r\n{begun}"),
            format!("{rest}\r\n"),
        );
        let steps = [
            (S, "* PREAUTH hi\r\n"),
            (C, &*begun),
            (S, "+ go\r\n"),
            (C, &*rest),
            (C, "d NOOP\r\n"),
            (S, "d OK\r\n"),
        ];
        let mut relay = Relay::new(faulty(&["stall:APPEND"]));
        for (from, octets) in &steps {
            let length = match octets == &&*rest {
                true => 1,
                false => octets.len(),
            };
            for part in octets.as_bytes().chunks(length) {
                relay.read(*from, part, Micros(0));
            }
        }
        for from in [C, S] {
            relay.end(from, Micros(1));
        }
        let app = "app * PREAUTH hi\r\n+ go\r\n";
        let given = ["server d NOOP\r\n", "app d OK\r\n"];
        assert_eq!(relay.done, [&[app][..], &given].concat(), "{command}");
        let events = number(relay.drafts);
        let told = edits(&events);
        assert!(told.iter().all(|edit| edit.ends_with(" -> ")), "{told:?}");
        let told = super::told(&events).join("\n");
        assert!(!told.contains("AGh1bnRlcjI"), "{told}");
    }
}

/// The same of what is too long to hold, in each of the ways in which it is told.
#[test]
fn what_begins_in_what_is_dropped_goes_nowhere_however_long() {
    let xs = "x".repeat(1_500_000);
    for (begun, rest) in [
        ("b SEARCH TEXT ", format!("{xs}\r\n")),
        ("b SEARCH TEXT ", format!("{xs} {{3+}}\r\ncde\r\n")),
        ("b APPEND x {1500000+}\r\nx", format!("{}\r\n", &xs[1..])),
        ("b IDLE\r\nDO", format!("{xs}\r\n")),
        ("b AUTHENTICATE PLAIN\r\nAGFs", format!("{xs}\r\n")),
    ] {
        let mut relay = Relay::new(faulty(&["stall:APPEND"]));
        relay.read(S, b"* PREAUTH hi\r\n", Micros(0));
        let dropped = format!("a APPEND x {{3}}\r\nabc\r\n{begun}");
        relay.read(C, dropped.as_bytes(), Micros(0));
        relay.read(S, b"+ go\r\n", Micros(0));
        for part in rest.as_bytes().chunks(50_000) {
            relay.read(C, part, Micros(1));
            assert_eq!(relay.waiting(C), 0, "{begun}");
        }
        relay.read(C, b"d NOOP\r\n", Micros(2));
        assert_eq!(relay.done[1..], ["server d NOOP\r\n"], "{begun}");
        let events = number(relay.drafts);
        let told = edits(&events).len();
        let client = events.iter().filter(|event| match &event.body {
            Body::Said(said) => said.from == C,
            _ => false,
        });
        assert_eq!(
            told,
            client.count() - 1,
            "{begun}: all but the last went nowhere"
        );
    }
}

/// Of a message that was kept back when the connection ended, the octets of the one before it were told
/// as having gone on.
#[test]
fn what_went_on_of_a_refused_command_is_not_told_of_the_next_one() {
    let steps = [
        (C, "a SELECT x\r\nb CREATE {2}\r\n"),
        (S, "b NO\r\n"),
        (C, "c NO"),
        (S, "a OK\r\n"),
    ];
    let (done, events) = behind_login(&["no:NOOP", "close-after=SELECT"], &steps);
    let given: Vec<&str> = done
        .iter()
        .filter_map(|line| line.strip_prefix("server "))
        .collect();
    assert_eq!(given.concat(), "a SELECT x|b CREATE {2}|");
    assert_eq!(edits(&events), ["c NO -> "]);
}

/// What fuzzing found: the server's leg was to be secured and the connection was ended, and then the
/// app was answered all the same.
#[test]
fn r021_nothing_is_said_behind_the_end() {
    for (fault, line) in [("no:NOOP", "a NOOP\r\n"), ("bye:SELECT", "a SELECT x\r\n")] {
        let setting = Setting {
            faults: faulty(&[fault]).faults,
            ..setting(AppLeg::Tls, ServerLeg::Starttls)
        };
        let (done, events) = played(&setting, &[(S, "hello"), (C, line)]);
        assert_eq!(done, ["end no-greeting"], "{fault}");
        let edits = edits(&events);
        assert!(
            matches!(&*edits, [edit] if edit.ends_with("| -> ")),
            "{edits:?}"
        );
    }
}

/// What each peer is given, and what is told to have gone nowhere, with a `#` for more than a million `x`.
fn too_long(faults: &[&str], behind: &str) -> (Vec<String>, String) {
    let xs = "x".repeat(1_500_000);
    let line = format!("a SEARCH TEXT {xs}{behind}");
    let mut relay = Relay::new(faulty(faults));
    relay.read(S, b"* PREAUTH hi\r\n", Micros(0));
    for part in line.as_bytes().chunks(50_000) {
        relay.read(C, part, Micros(1));
        let waiting = relay.waiting(C);
        assert!(waiting <= limits::WAITING, "{waiting}");
    }
    relay.read(S, b"b OK\r\n", Micros(2));
    let short = |text: &str| text.replace(&xs, "#").replace("\r\n", "|");
    let done = relay.done.iter().map(|line| short(line)).collect();
    let told = edits(&number(relay.drafts));
    let dropped = told.iter().filter_map(|edit| edit.strip_suffix(" -> "));
    (done, short(&dropped.collect::<String>()))
}

/// It was told as dropped, its rest reached the server as a line of its own, and no answer came.
#[test]
fn a_struck_command_that_is_too_long_to_hold_goes_nowhere() {
    let no = "app * PREAUTH hi|a NO injected by mailscope (--fault)|";
    for (behind, told) in [("\r\n", "|"), (" {3+}\r\ncde\r\n", " {3+}|cde|")] {
        let (done, dropped) = too_long(&["no:SEARCH"], &format!("{behind}b NOOP\r\n"));
        assert_eq!(done, [no, "server b NOOP|", "app b OK|"]);
        assert_eq!(dropped, format!("a SEARCH TEXT #{told}"));
    }
    // Its literal waits, and is refused.
    let (done, dropped) = too_long(&["no:SEARCH"], " {3}\r\nb NOOP\r\n");
    assert_eq!(done, [no, "server b NOOP|", "app b OK|"]);
    assert_eq!(dropped, "a SEARCH TEXT # {3}|");
    let (done, _) = too_long(&["stall:SEARCH"], "\r\nb NOOP\r\n");
    assert_eq!(done, ["app * PREAUTH hi|", "server b NOOP|", "app b OK|"]);
}

/// The rest of its line was held, and once that was too much, the app was read no more.
#[test]
fn a_command_that_is_too_long_to_hold_is_passed_on_as_it_comes() {
    let (done, dropped) = too_long(&["no:FETCH"], "\r\nb NOOP\r\n");
    let given = "server a SEARCH TEXT #|b NOOP|";
    assert_eq!(done, ["app * PREAUTH hi|", given, "app b OK|"]);
    assert_eq!(dropped, "");
}

#[test]
fn a_large_literal_is_dropped_as_it_comes() {
    let mail = "x".repeat(300_000);
    let append = format!("a APPEND x {{300000+}}\r\n{mail}\r\nb NOOP\r\n");
    let mut relay = super::upgrade::Relay::new(faulty(&["no:APPEND"]));
    relay.read(S, b"* PREAUTH hi\r\n", crate::event::Micros(0));
    for part in append.as_bytes().chunks(10_000) {
        relay.read(C, part, crate::event::Micros(1));
    }
    assert_eq!(
        relay.done,
        [
            "app * PREAUTH hi\r\n".to_owned(),
            "app a NO injected by mailscope (--fault)\r\n".into(),
            "server b NOOP\r\n".into()
        ]
        .into_iter()
        .fold(Vec::new(), |mut done: Vec<String>, line| {
            match (done.last_mut(), line.strip_prefix("app ")) {
                (Some(last), Some(line)) if last.starts_with("app ") => last.push_str(line),
                _ => done.push(line),
            }
            done
        })
    );
    assert!(relay.waits_for_nothing());
    let parts = edits(&super::number(relay.drafts));
    assert!(parts.len() > 3, "the parts are told as not passed on");
}

#[test]
fn a_stalled_command_is_never_answered_and_the_others_are() {
    let (done, events) = behind_login(
        &["stall:SELECT", "no:CHECK"],
        &[
            (C, "a SELECT INBOX\r\nb NOOP\r\nc CHECK\r\n"),
            (S, "b OK\r\n"),
        ],
    );
    assert_eq!(
        done,
        ["server b NOOP|".to_owned(), format!("app b OK|c NO {TEXT}")]
    );
    assert_eq!(notes(&events), ["note fault", "note fault"]);
    let (done, _) = behind_login(
        &["stall:APPEND"],
        &[(C, "a APPEND x {3}\r\n"), (C, "abc\r\n")],
    );
    assert_eq!(done, [""; 0]);
}

#[test]
fn bye_and_reset_break_the_connection_off() {
    for (fault, end) in [
        ("bye:SELECT=UNAVAILABLE", "Close bye:SELECT=UNAVAILABLE"),
        ("reset:SELECT", "Reset reset:SELECT"),
    ] {
        let (done, events) = behind_login(
            &[fault],
            &[
                (C, "a SELECT INBOX\r\n"),
                (C, "b NOOP\r\n"),
                (S, "* 1 EXISTS\r\n"),
            ],
        );
        let bye = (fault.starts_with("bye")).then(|| format!("app * BYE [UNAVAILABLE] {TEXT}"));
        let expected: Vec<String> = bye.into_iter().chain([end.to_owned()]).collect();
        assert_eq!(done, expected);
        assert_eq!(notes(&events), ["note fault"]);
    }
    let steps = [(S, "* OK hi\r\n"), (C, "a NOOP\r\nb NOOP\r\n")];
    let (done, _) = played(&faulty(&["bye"]), &steps);
    assert_eq!(
        done,
        [format!("app * OK hi|* BYE {TEXT}"), "Close bye".into()],
        "the first command"
    );
}

#[test]
fn the_greeting_is_struck() {
    let steps = [(S, "* OK [CAPABILITY IMAP4rev1] hi\r\n"), (C, "a NOOP\r\n")];
    let (done, events) = played(&faulty(&["bye:GREETING"]), &steps);
    assert_eq!(
        done,
        [format!("app * BYE {TEXT}"), "Close bye:GREETING".into()]
    );
    assert_eq!(edits(&events)[0], "* OK [CAPABILITY IMAP4rev1] hi| -> ");
    let (done, _) = played(&faulty(&["bye:GREETING"]), &[(S, "* OK hi\r\n")]);
    assert_eq!(done[0], format!("app * BYE {TEXT}"));
    // Where the list of capabilities is edited as well.
    let mut cleartext = faulty(&["reset:GREETING"]);
    cleartext.app = AppLeg::Cleartext;
    let (done, _) = played(&cleartext, &steps);
    assert_eq!(done, ["Reset reset:GREETING"]);
    let (done, _) = played(&faulty(&["close-after=GREETING"]), &steps);
    assert_eq!(
        done,
        [
            "app * OK [CAPABILITY IMAP4rev1] hi|",
            "Close close-after=GREETING"
        ]
    );
}

#[test]
fn the_connection_closes_behind_an_answer() {
    let (done, _) = behind_login(
        &["close-after=SELECT"],
        &[
            (C, "a SELECT INBOX\r\nb NOOP\r\n"),
            (S, "* 1 EXISTS\r\na OK\r\nb OK\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "server a SELECT INBOX|b NOOP|",
            "app * 1 EXISTS|a OK|",
            "Close close-after=SELECT"
        ]
    );
}

/// Behind mailscope's own answer too, and TLS does not begin.
#[test]
fn the_connection_closes_behind_starttls() {
    let steps = [(S, "* OK hi\r\n"), (C, "a STARTTLS\r\n")];
    for (server, answers, closed) in [
        (
            ServerLeg::Tls,
            None,
            "app * OK hi|a OK Begin TLS negotiation now|",
        ),
        (
            ServerLeg::Starttls,
            Some((S, "a OK begin\r\n")),
            "app a OK begin|",
        ),
    ] {
        let setting = Setting {
            faults: faulty(&["close-after=STARTTLS"]).faults,
            ..setting(AppLeg::Cleartext, server)
        };
        let steps: Vec<_> = steps.into_iter().chain(answers).collect();
        let (done, events) = played(&setting, &steps);
        let [.., last, close] = done.as_slice() else {
            panic!("{done:?}");
        };
        assert_eq!((&**last, &**close), (closed, "Close close-after=STARTTLS"));
        assert_eq!(notes(&events), ["note fault"], "{server:?}");
    }
}

/// Of a message that is begun when the connection is broken off, what went on is told.
#[test]
fn what_went_on_before_the_end_is_told() {
    let append = "b APPEND x {5}\r\n";
    for (octets, passed, told) in [
        (append, "b APPEND x {5}|", vec![]),
        ("b AP", "", vec!["b AP -> "]),
        // It did not wait, and what it said behind the header went on with it.
        ("b APPEND x {5}\r\nno\r\n", "b APPEND x {5}|no|", vec![]),
    ] {
        let (done, events) = behind_login(
            &["close-after=SELECT"],
            &[(C, "a SELECT INBOX\r\n"), (C, octets), (S, "a OK\r\n")],
        );
        let given: Vec<&str> = done
            .iter()
            .filter_map(|line| line.strip_prefix("server "))
            .collect();
        assert_eq!(given.concat(), format!("a SELECT INBOX|{passed}"));
        assert_eq!(edits(&events), told);
    }
    // Its beginning went on, and more of it came with what ended the connection.
    let mut relay = Relay::new(faulty(&["no:NOOP", "close-after=SELECT"]));
    let long = format!("b SEARCH TEXT \"{}", "x".repeat(70_000));
    for (from, octets) in [
        (S, "* PREAUTH hi\r\n"),
        (C, "a SELECT INBOX\r\n"),
        (C, &long),
        (S, "a OK\r\n"),
        (C, "behind"),
    ] {
        relay.read(from, octets.as_bytes(), Micros(0));
    }
    let given = relay.done.concat();
    for from in [C, S] {
        relay.end(from, Micros(1));
    }
    let told = edits(&number(relay.drafts));
    assert!(given.ends_with(&format!("{long}app a OK\r\nClose close-after=SELECT")));
    assert_eq!(told, ["behind -> "]);
}

#[test]
fn responses_lie() {
    let (done, events) = behind_login(
        &["lie-literal=-2", "uidvalidity"],
        &[
            (C, "a SELECT x\r\nb FETCH 1 BODY[]\r\n"),
            (S, "* OK [UIDVALIDITY 7] x\r\na OK\r\n"),
            (S, "* 1 FETCH (BODY[] {5}\r\nabcde FLAGS ())\r\nb OK\r\n"),
        ],
    );
    assert_eq!(
        done[1],
        "app * OK [UIDVALIDITY 8] x|a OK|* 1 FETCH (BODY[] {3}|abcde FLAGS ())|b OK|"
    );
    assert_eq!(notes(&events), ["note fault", "note fault"]);
    assert_eq!(
        edits(&events)[1],
        "* 1 FETCH (BODY[] {5}|abcde FLAGS ())| -> * 1 FETCH (BODY[] {3}|abcde FLAGS ())|"
    );
}

/// `FETCH` stands for both, and what the answer is called does not matter.
#[test]
fn responses_lie_for_the_command_that_they_answer() {
    for (fault, lies) in [
        ("lie-literal:UID FETCH", "{6}|{5}"),
        ("lie-literal:FETCH", "{6}|{6}"),
        ("lie-literal:SEARCH", "{5}|{5}"),
    ] {
        let (done, _) = behind_login(
            &[fault],
            &[
                (C, "a UID FETCH 7 BODY[]\r\n"),
                (S, "* 1 FETCH (UID 7 BODY[] {5}\r\nabcde)\r\na OK\r\n"),
                (C, "b FETCH 1 BODY[]\r\n"),
                (S, "* 1 FETCH (BODY[] {5}\r\nabcde)\r\nb OK\r\n"),
            ],
        );
        let (by_uid, by_number) = lies.split_once('|').unwrap();
        assert_eq!(
            (&*done[1], &*done[3]),
            (
                &*format!("app * 1 FETCH (UID 7 BODY[] {by_uid}|abcde)|a OK|"),
                &*format!("app * 1 FETCH (BODY[] {by_number}|abcde)|b OK|")
            ),
            "{fault}"
        );
    }
}

#[test]
fn a_login_is_struck_without_being_told() {
    for (app, server) in [
        (AppLeg::Tls, ServerLeg::Tls),
        (AppLeg::Tls, ServerLeg::Starttls),
        (AppLeg::Cleartext, ServerLeg::Cleartext),
    ] {
        let mut faulty = faulty(&["no:LOGIN=AUTHENTICATIONFAILED", "no:AUTHENTICATE"]);
        (faulty.app, faulty.server) = (app, server);
        let (done, events) = played(
            &faulty,
            &[
                (S, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n"),
                (S, "mailscope OK\r\n"),
                (C, "a LOGIN alice hunter2\r\n"),
                (C, "b AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\r\n"),
            ],
        );
        let done = done.concat();
        assert!(
            done.contains("a NO [AUTHENTICATIONFAILED]") && done.contains("b NO "),
            "{done}"
        );
        assert!(
            !done.contains("hunter2") && !done.contains("aHVu"),
            "{done}"
        );
        let told = super::told(&events).concat();
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn compression_ends_the_striking() {
    let (done, events) = behind_login(
        &["no:SELECT"],
        &[(C, "a COMPRESS DEFLATE\r\n"), (S, "a OK\r\n")],
    );
    assert_eq!(done, ["server a COMPRESS DEFLATE|", "app a OK|"]);
    assert_eq!(notes(&events), ["note faults-end"]);
}

#[test]
fn idle_and_its_end_go_on() {
    let (done, _) = behind_login(
        &["no:FETCH@0"],
        &[
            (C, "a IDLE\r\n"),
            (S, "+ idling\r\n"),
            (C, "DONE\r\n"),
            (S, "a OK\r\n"),
            (C, "b FETCH 1 FLAGS\r\n"),
        ],
    );
    assert_eq!(
        done,
        [
            "server a IDLE|",
            "app + idling|",
            "server DONE|",
            "app a OK|",
            "server b FETCH 1 FLAGS|"
        ]
    );
}
