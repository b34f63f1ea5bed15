//! Sessions of live apps with a player, as conversations.

mod bounds;
mod masks;
mod misses;
mod servers;

use std::io::Cursor;
use std::sync::Arc;

use super::player::{Effect, Manner, Player};
use super::report::Report;
use super::script::Script;
use super::usage::{Matching, OnMiss, Usage};
use crate::event::{Draft, Gate, Micros, Secrets};
use crate::fault::Strikes;
use crate::protocol::imap::AppLeg;

/// A recording that is replayed.
struct Recording {
    usage: Arc<Usage>,
    connections: u64,
    on_miss: OnMiss,
}

impl Recording {
    fn of(text: &str) -> Self {
        Self::matched(Matching::State, text)
    }

    fn matched(matching: Matching, text: &str) -> Self {
        let script = Script::read(Cursor::new(text.to_owned().into_bytes()), "text").unwrap();
        Self {
            usage: Arc::new(Usage::new(script, matching)),
            connections: 0,
            on_miss: OnMiss::Bad,
        }
    }

    /// A live app connects.
    fn connect(&mut self) -> Live {
        self.connections += 1;
        let manner = Manner {
            on_miss: self.on_miss,
            pace: 0.0,
        };
        let gate = Gate::new(Secrets::Masked);
        let usage = Arc::clone(&self.usage);
        let mut player = Player::new(
            self.connections,
            usage,
            manner,
            gate,
            AppLeg::Tls,
            Strikes::default(),
        );
        let effects = player.begin(Micros(0), &mut Vec::new());
        Live {
            player,
            greeting: shown(effects),
            told: Vec::new(),
        }
    }

    fn report(&self) -> Report {
        self.usage.report()
    }

    /// So many commands matched, all of them, and nothing was left.
    fn all_matched(&self, matched: u64) {
        let report = self.report();
        assert!(report.mismatches.is_empty(), "{report:?}");
        assert!(report.never_asked.is_empty(), "{report:?}");
        assert_eq!(report.matched, matched);
    }
}

impl Recording {
    /// As [`all_matched`](Self::all_matched), with something left.
    fn all_matched_so_far(&self, matched: u64) {
        let report = self.report();
        assert!(report.mismatches.is_empty(), "{report:?}");
        assert_eq!(report.matched, matched);
    }
}

/// One app.
struct Live {
    player: Player,
    greeting: String,
    told: Vec<Draft>,
}

impl Live {
    /// Says lines; what it hears, `<closed>` for the end.
    fn say(&mut self, lines: &str) -> String {
        let octets = lines.replace('\n', "\r\n") + "\r\n";
        let mut effects = self
            .player
            .hear(octets.as_bytes(), Micros(0), &mut self.told);
        while self.player.has_more() {
            effects.extend(self.player.proceed(Micros(0), &mut self.told));
        }
        shown(effects)
    }
}

fn shown(effects: Vec<Effect>) -> String {
    let mut shown = String::new();
    for effect in effects {
        match effect {
            Effect::Say(octets) => shown += &String::from_utf8(octets).unwrap(),
            Effect::Close => shown += "<closed>",
            other => shown += &format!("<{other:?}>"),
        }
    }
    shown.replace("\r\n", "\n").trim_end().to_owned()
}

const LOGGED_IN: &str = "S: * OK ready\nC: a LOGIN alice x\nS: a OK in\n";

fn logged_in(rest: &str) -> String {
    format!("{LOGGED_IN}{rest}")
}

#[test]
fn what_came_unasked_comes_once() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: * 3 EXISTS\nS: b OK\nC: c NOOP\nS: * 2 EXPUNGE\nS: c OK\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert_eq!(app.say("2 SELECT INBOX"), "* 3 EXISTS\n2 OK");
    assert_eq!(app.say("3 NOOP"), "* 2 EXPUNGE\n3 OK");
    assert_eq!(app.say("4 NOOP"), "4 OK", "not expunged again");
    let mut another = recording.connect();
    another.say("1 LOGIN alice x");
    another.say("2 SELECT INBOX");
    assert_eq!(another.say("3 NOOP"), "* 2 EXPUNGE\n3 OK", "its first time");
    recording.all_matched(7);
}

#[test]
fn what_another_connection_was_told_is_left_to_it() {
    let mut recording = Recording::of(&format!(
        "# connection 1\n{}# connection 2\n{}",
        logged_in("C: b SELECT INBOX\nS: * 3 EXISTS\nS: b OK\nC: c NOOP\nS: c OK\n"),
        logged_in(
            "C: b SELECT INBOX\nS: * 3 EXISTS\nS: b OK\nC: c NOOP\nS: * 2 EXPUNGE\nS: c OK\n"
        ),
    ));
    let (mut first, mut second) = (recording.connect(), recording.connect());
    for app in [&mut first, &mut second] {
        app.say("1 LOGIN alice x");
        app.say("2 SELECT INBOX");
    }
    for _ in 0..3 {
        assert_eq!(first.say("3 NOOP"), "3 OK");
    }
    assert_eq!(second.say("3 NOOP"), "* 2 EXPUNGE\n3 OK");
}

#[test]
fn another_connections_idle_is_left_to_it() {
    const IDLE: &str = "C: b SELECT INBOX\nS: * 3 EXISTS\nS: b OK\nC: c IDLE\nS: + idling\n";
    let mut recording = Recording::of(&format!(
        "# connection 1\n{LOGGED_IN}{IDLE}C: DONE\nS: c OK\n\
         # connection 2\n{LOGGED_IN}{IDLE}S: * 4 EXISTS\nC: DONE\nS: c OK\n",
    ));
    let (mut first, mut second) = (recording.connect(), recording.connect());
    for app in [&mut first, &mut second] {
        app.say("1 LOGIN alice x");
        app.say("2 SELECT INBOX");
    }
    for _ in 0..2 {
        assert_eq!(first.say("3 IDLE"), "+ idling");
        assert_eq!(first.say("DONE"), "3 OK");
    }
    assert_eq!(second.say("3 IDLE"), "+ idling\n* 4 EXISTS");
}

#[test]
fn what_came_during_idle_comes_while_the_app_idles() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: * 3 EXISTS\nS: b OK\nC: c IDLE\nS: + idling\nS: * 4 EXISTS\nS: * 1 RECENT\n\
         C: DONE\nS: c OK done\nC: d IDLE\nS: + idling\nS: * 5 EXISTS\nC: DONE\nS: d OK done\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    app.say("2 SELECT INBOX");
    assert_eq!(app.say("3 IDLE"), "+ idling\n* 4 EXISTS\n* 1 RECENT");
    assert_eq!(app.say("DONE"), "3 OK done");
    assert_eq!(
        app.say("4 IDLE\nDONE"),
        "+ idling\n* 5 EXISTS\n4 OK done",
        "said at once"
    );
    assert_eq!(app.say("5 IDLE"), "+ idling", "nothing new");
    assert_eq!(app.say("DONE"), "5 OK done");
    recording.all_matched(5);
}

#[test]
fn an_idle_that_the_recording_does_not_end_is_ended() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: b OK\nC: c IDLE\nS: + idling\nS: * 4 EXISTS\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    app.say("2 SELECT INBOX");
    assert_eq!(app.say("3 IDLE"), "+ idling\n* 4 EXISTS");
    assert_eq!(app.say("DONE"), "3 OK done");
    recording.all_matched(3);
}

#[test]
fn a_server_that_said_goodbye_closes() {
    let mut recording = Recording::of(&logged_in("C: b NOOP\nS: b OK\nS: * BYE for maintenance\n"));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert_eq!(app.say("2 NOOP"), "2 OK\n* BYE for maintenance\n<closed>");
    let mut refused = Recording::of("S: * BYE full\n");
    assert_eq!(refused.connect().greeting, "* BYE full\n<closed>");
}

/// Else the app would wait for ever.
#[test]
fn where_the_recording_ends_within_an_answer_the_connection_is_closed() {
    let mut recording = Recording::of(&logged_in("C: b SELECT INBOX\nS: * 3 EXISTS\n"));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert_eq!(app.say("2 SELECT INBOX"), "* 3 EXISTS\n<closed>");
    recording.all_matched(2);
}

/// How the app's leg is secured is no part of what is recorded.
#[test]
fn a_recorded_starttls_is_not_missed() {
    for matching in [Matching::State, Matching::Strict] {
        let mut recording = Recording::matched(
            matching,
            "S: * OK ready\nC: a STARTTLS\nS: a OK begin\nC: b LOGIN alice x\nS: b OK in\n",
        );
        let mut app = recording.connect();
        assert_eq!(app.say("1 LOGIN alice x"), "1 OK in", "{matching:?}");
        recording.all_matched(1);
    }
}

#[test]
fn a_mailbox_in_utf_7_and_in_utf_8() {
    let mut recording = Recording::of(&logged_in("C: b SELECT Entw&APw-rfe\nS: b OK\n"));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert_eq!(app.say("2 SELECT \"Entwürfe\""), "2 OK");
    recording.all_matched(2);
}

#[test]
fn login_and_authenticate_log_in_the_same_user() {
    const CHALLENGES: [&str; 2] = ["+ VXNlcm5hbWU6", "+ UGFzc3dvcmQ6"];
    let by_login = logged_in("");
    let by_plain = "S: * OK ready\nC: a AUTHENTICATE PLAIN AGFsaWNlAHg=\nS: a OK in\n";
    let by_turns = "S: * OK ready\nC: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: YWxpY2U=\n\
                    S: + UGFzc3dvcmQ6\nC: eA==\nS: * CAPABILITY IMAP4rev1\nS: a OK in\n";
    for recorded in [&*by_login, by_plain, by_turns] {
        for said in [
            &["1 LOGIN alice x"][..],
            &["1 AUTHENTICATE PLAIN AGFsaWNlAHg="],
            &["1 AUTHENTICATE PLAIN", "AGFsaWNlAHg="],
            &["1 AUTHENTICATE LOGIN", "YWxpY2U=", "eA=="],
            &["1 AUTHENTICATE LOGIN YWxpY2U=", "eA=="],
        ] {
            let mut recording = Recording::of(recorded);
            let mut app = recording.connect();
            let heard: Vec<String> = said.iter().map(|line| app.say(line)).collect();
            let (last, challenges) = heard.split_last().unwrap();
            assert!(last.ends_with("1 OK in"), "{recorded} {said:?}: {heard:?}");
            match challenges {
                [one] if said[0].ends_with("PLAIN") => assert_eq!(one, "+"),
                challenges => assert!(
                    CHALLENGES.ends_with(&challenges.iter().map(|c| &**c).collect::<Vec<_>>())
                ),
            }
            recording.all_matched(1);
        }
    }
}

/// RFC 9051, section 6.2.2: the command is answered BAD. The app may try again, in whatever way.
#[test]
fn an_exchange_that_the_app_cancels_does_not_log_in() {
    const BAD: &str = "1 BAD AUTHENTICATE cancelled";
    let by_turns = "S: * OK ready\nC: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: YWxpY2U=\n\
                    S: + UGFzc3dvcmQ6\nC: eA==\nS: a OK in\n";
    for matching in [Matching::State, Matching::Strict] {
        for recorded in [&*logged_in(""), by_turns] {
            for (said, then) in [
                (&["1 AUTHENTICATE LOGIN", "*"][..], "2 LOGIN alice x"),
                (
                    &["1 AUTHENTICATE LOGIN", "YWxpY2U=", "*"],
                    "2 LOGIN alice x",
                ),
                (
                    &["1 AUTHENTICATE PLAIN", "*"],
                    "2 AUTHENTICATE PLAIN AGFsaWNlAHg=",
                ),
            ] {
                let mut recording = Recording::matched(matching, recorded);
                let mut app = recording.connect();
                let heard: Vec<String> = said.iter().map(|line| app.say(line)).collect();
                let (last, challenges) = heard.split_last().unwrap();
                assert_eq!(last, BAD, "{recorded} {said:?}");
                assert!(
                    challenges.iter().all(|line| line.starts_with('+')),
                    "{heard:?}"
                );
                assert_eq!(app.say(then), "2 OK in", "{recorded} {said:?}");
                recording.all_matched(2);
            }
        }
    }
    // It was cancelled in the recording, too.
    let text = "S: * OK ready\nC: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: *\nS: a BAD as you like\n\
                C: b LOGIN alice x\nS: b OK in\n";
    let mut recording = Recording::of(text);
    let mut app = recording.connect();
    assert_eq!(app.say("1 AUTHENTICATE LOGIN"), "+ VXNlcm5hbWU6");
    assert_eq!(app.say("*"), "1 BAD as you like");
    assert_eq!(app.say("2 LOGIN alice x"), "2 OK in");
    recording.all_matched(2);
}

#[test]
fn another_user_is_told() {
    for (recorded, live) in [
        ("LOGIN alice x", "LOGIN bob x"),
        ("LOGIN alice x", "AUTHENTICATE PLAIN AGJvYgB4"),
        ("AUTHENTICATE PLAIN AGFsaWNlAHg=", "LOGIN bob x"),
        (
            "AUTHENTICATE PLAIN AGFsaWNlAHg=",
            "AUTHENTICATE PLAIN AGJvYgB4",
        ),
    ] {
        let mut recording = Recording::of(&format!("S: * OK\nC: a {recorded}\nS: a OK\n"));
        let mut app = recording.connect();
        let heard = app.say(&format!("1 {live}"));
        assert!(heard.starts_with("1 BAD "), "{heard}");
        let report = recording.report();
        let mismatch = &report.mismatches[0];
        assert_eq!(mismatch.argument.as_deref(), Some("user name"), "{live}");
        assert_eq!(mismatch.recorded.as_deref(), Some("alice"));
        assert_eq!(mismatch.live.as_deref(), Some("bob"));
    }
}

/// The server's own proof cannot be given without its secret.
#[test]
fn a_challenge_and_response_is_no_login() {
    let mut recording = Recording::of(LOGGED_IN);
    let mut app = recording.connect();
    assert!(
        app.say("1 AUTHENTICATE SCRAM-SHA-256")
            .starts_with("1 BAD ")
    );
}

/// One reads INBOX, the other idles in Archive.
const TWO: &str = "\
# connection 1
S: * OK one
C: a LOGIN alice x
S: a OK in
C: b NOOP
S: b OK first
C: c SELECT INBOX
S: * 3 EXISTS
S: c OK
# connection 2
S: * OK two
C: a LOGIN alice x
S: a OK in
C: b NOOP
S: b OK second
C: c SELECT Archive
S: * 8 EXISTS
S: c OK
C: d NOOP
S: * 9 EXISTS
S: d OK second again
";

#[test]
fn connections_are_told_apart_by_what_they_do() {
    for matching in [Matching::State, Matching::Strict] {
        let mut recording = Recording::matched(matching, TWO);
        let mut second = recording.connect();
        second.say("1 LOGIN alice x");
        second.say("2 NOOP");
        assert_eq!(
            second.say("3 SELECT Archive"),
            "* 8 EXISTS\n3 OK",
            "{matching:?}"
        );
        let mut first = recording.connect();
        first.say("1 LOGIN alice x");
        assert_eq!(first.say("2 NOOP"), "2 OK first", "its own");
        assert_eq!(second.say("4 NOOP"), "* 9 EXISTS\n4 OK second again");
        assert_eq!(first.say("3 SELECT INBOX"), "* 3 EXISTS\n3 OK");
        recording.all_matched(7);
    }
}

#[test]
fn connections_that_began_together_are_told_apart_too() {
    for matching in [Matching::State, Matching::Strict] {
        let mut recording = Recording::matched(matching, TWO);
        let (mut second, mut first) = (recording.connect(), recording.connect());
        for app in [&mut second, &mut first] {
            app.say("1 LOGIN alice x");
            app.say("2 NOOP");
        }
        assert_eq!(
            first.say("3 SELECT INBOX"),
            "* 3 EXISTS\n3 OK",
            "{matching:?}"
        );
        assert_eq!(second.say("3 SELECT Archive"), "* 8 EXISTS\n3 OK");
        assert_eq!(second.say("4 NOOP"), "* 9 EXISTS\n4 OK second again");
        recording.all_matched(7);
    }
}

#[test]
fn commands_that_were_sent_ahead_fit_where_they_were_carried_out() {
    const AHEAD: &str = "S: * OK ready\nC: a LOGIN alice x\nC: b SELECT INBOX\nC: c FETCH 1 FLAGS\n\
        C: d SELECT Archive\nC: e FETCH 1 FLAGS\nS: a OK in\nS: b OK\nS: * 1 FETCH (FLAGS (\\Seen))\n\
        S: c OK\nS: d OK\nS: * 1 FETCH (FLAGS ())\nS: e OK\n";
    let mut recording = Recording::of(AHEAD);
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    app.say("2 SELECT Archive");
    assert_eq!(app.say("3 FETCH 1 FLAGS"), "* 1 FETCH (FLAGS ())\n3 OK");
    app.say("4 SELECT INBOX");
    assert_eq!(
        app.say("5 FETCH 1 FLAGS"),
        "* 1 FETCH (FLAGS (\\Seen))\n5 OK"
    );
    recording.all_matched(5);
    let mut again = Recording::of(AHEAD);
    let heard = again
        .connect()
        .say("1 LOGIN alice x\n2 SELECT INBOX\n3 FETCH 1 FLAGS");
    assert!(
        heard.ends_with("* 1 FETCH (FLAGS (\\Seen))\n3 OK"),
        "{heard}"
    );
}

#[test]
fn what_is_asked_again_is_answered_as_it_was_last() {
    let mut recording = Recording::of(&logged_in(
        "C: b STATUS x (MESSAGES)\nS: * STATUS x (MESSAGES 1)\nS: b OK\nC: c APPEND x {3+}\nC: abc\nC: \nS: c OK\n\
         C: d STATUS x (MESSAGES)\nS: * STATUS x (MESSAGES 2)\nS: d OK\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert!(app.say("2 STATUS x (MESSAGES)").contains("MESSAGES 1"));
    assert_eq!(app.say("3 APPEND x {3+}\nabc"), "3 OK");
    assert!(app.say("4 STATUS x (MESSAGES)").contains("MESSAGES 2"));
    assert!(app.say("5 STATUS x (MESSAGES)").contains("MESSAGES 2"));
    recording.all_matched(5);
}

/// It was refused whatever it is, so that it makes no difference whether the app asks first.
#[test]
fn a_literal_that_was_refused_is_refused_when_it_comes_unasked() {
    const DATE: &str = "\"17-Jul-1996 02:44:25 -0700\"";
    let mut recording = Recording::of(&logged_in(&format!(
        "C: b APPEND nowhere (\\Seen) {DATE} {{3}}\nS: b NO [TRYCREATE] no\n"
    )));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    let other = app.say("2 APPEND nowhere (\\Draft) {3+}\nabc");
    assert!(other.starts_with("2 BAD"), "{other}");
    assert_eq!(
        app.say("3 APPEND nowhere (\\Seen) {4+}\nabcd"),
        "3 NO [TRYCREATE] no"
    );
    assert_eq!(recording.report().mismatches.len(), 1);
    assert!(recording.report().never_asked.is_empty());
}

/// Somebody who looks whether the port is open is no app.
#[test]
fn a_connection_that_says_nothing_is_none_of_the_recorded_ones() {
    let mut recording = Recording::matched(Matching::Strict, TWO);
    let mut nobody = recording.connect();
    nobody.player.end(Micros(0), &mut Vec::new());
    assert!(!recording.usage.is_served());
    let mut first = recording.connect();
    assert_eq!(first.greeting, "* OK one");
    first.say("1 LOGIN alice x");
    assert_eq!(first.say("2 NOOP"), "2 OK first");
}
/// With a go-ahead for each literal that waits for one, whatever was recorded.
#[test]
fn strings_come_in_any_form() {
    let recorded = logged_in("C: b SEARCH (SUBJECT <x>) 2:4\nS: * SEARCH 2\nS: b OK\n");
    let mut recording = Recording::of(&recorded);
    let mut app = recording.connect();
    assert_eq!(app.say("1 LOGIN {5}"), "+ OK");
    assert_eq!(app.say("alice {6}"), "+ OK");
    assert_eq!(app.say("secret"), "1 OK in");
    assert_eq!(app.say("2 search 4,2:3 SUBJECT {3}"), "+ OK");
    assert_eq!(app.say("<x>"), "* SEARCH 2\n2 OK");
    let again = app.say("3 SEARCH SUBJECT {3+}\n<x> 2:4");
    assert_eq!(again, "* SEARCH 2\n3 OK");
    recording.all_matched(3);
}

#[test]
fn capabilities_that_were_not_asked_for_are_those_that_were_told() {
    let mut recording = Recording::of(
        "S: * OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED IDLE] hi\nC: a LOGIN alice x\n\
         S: a OK [CAPABILITY IMAP4rev1 MOVE] in\n",
    );
    let mut app = recording.connect();
    // The app has TLS.
    assert_eq!(app.greeting, "* OK [CAPABILITY IMAP4rev1 IDLE] hi");
    assert_eq!(
        app.say("x CAPABILITY"),
        "* CAPABILITY IMAP4rev1 IDLE\nx OK done"
    );
    assert!(app.say("y STARTTLS").starts_with("y BAD"));
    app.say("z LOGIN alice y");
    assert_eq!(
        app.say("zz CAPABILITY"),
        "* CAPABILITY IMAP4rev1 MOVE\nzz OK done"
    );
    recording.all_matched(1);
}
