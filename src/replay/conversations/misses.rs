//! What the app says that is no command, or none that can be answered.

use super::*;

/// Else it waits for ever, and the report says that all is well.
#[test]
fn a_line_without_a_tag_is_answered_and_told() {
    for (line, shown) in [
        ("\"q\" NOOP", "\"q\" NOOP"),
        ("a%b NOOP", "a%b NOOP"),
        ("a1\tNOOP", "a1\tNOOP"),
        ("* NOOP", "* NOOP"),
        ("(a) NOOP", "(a) NOOP"),
    ] {
        let mut recording = Recording::of(LOGGED_IN);
        let mut app = recording.connect();
        app.say("1 LOGIN alice x");
        let heard = app.say(line);
        assert!(heard.starts_with("* BAD mailscope replay: "), "{heard}");
        assert_eq!(heard.lines().count(), 1, "{heard}");
        assert_eq!(app.say("z NOOP"), "z OK done", "the session goes on");
        let report = recording.report();
        assert_eq!(report.mismatches[0].command, shown);
        assert!(!report.is_content(false));
    }
}

/// What cannot be read may be a password.
#[test]
fn before_login_such_a_line_is_told_masked() {
    let mut recording = Recording::of(LOGGED_IN);
    let mut app = recording.connect();
    let heard = app.say("\"q\" LOGIN alice hunter2");
    assert!(heard.starts_with("* BAD "), "{heard}");
    let told = format!("{:?} {heard}", recording.report());
    assert!(told.contains("<secret:unreadable>"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_line_in_many_pieces_is_answered_once_and_an_empty_one_not_at_all() {
    let mut recording = Recording::of(LOGGED_IN);
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert_eq!(app.say(""), "");
    assert_eq!(app.say("2 NOOP"), "2 OK done");
    let long = format!("\"q {}", "x".repeat(3 << 20));
    assert_eq!(app.say(&long).lines().count(), 1);
    let long = format!("3 X {}", "x".repeat(3 << 20));
    assert_eq!(app.say(&long).lines().count(), 1);
    assert_eq!(app.say("4 NOOP"), "4 OK done");
    assert_eq!(recording.report().mismatches.len(), 2);
}

#[test]
fn a_miss_may_end_the_connection_for_such_a_line_too() {
    let mut recording = Recording::of(LOGGED_IN);
    recording.on_miss = OnMiss::Fail;
    let heard = recording.connect().say("\"q\" NOOP");
    assert!(
        heard.starts_with("* BYE ") && heard.ends_with("<closed>"),
        "{heard}"
    );
}

#[test]
fn a_login_without_its_two_strings_is_no_login() {
    const MASKED: &str = "LOGIN <secret:unreadable>";
    for (line, argument, told) in [
        ("LOGIN alice", "argument 2", MASKED),
        ("LOGIN", "user name", "LOGIN"),
        ("LOGIN alice x y", "argument 3", MASKED),
        ("LOGIN bob x y", "user name", MASKED),
        ("LOGIN (alice) x", "user name", MASKED),
        ("LOGIN bob", "user name", MASKED),
    ] {
        for recorded in [
            LOGGED_IN,
            "S: * OK ready\nC: a AUTHENTICATE PLAIN AGFsaWNlAHg=\nS: a OK in\n",
        ] {
            let mut recording = Recording::of(recorded);
            let mut app = recording.connect();
            let heard = app.say(&format!("1 {line}"));
            assert!(heard.starts_with("1 BAD "), "{line}: {heard}");
            let report = recording.report();
            assert_eq!((report.matched, report.mismatches.len()), (0, 1), "{line}");
            assert_eq!(report.mismatches[0].command, told, "{line}");
            if recorded == LOGGED_IN {
                let differs = report.mismatches[0].argument.as_deref();
                assert_eq!(differs, Some(argument), "{line}");
            }
        }
    }
}

/// What was recorded is answered as it was.
#[test]
fn a_recorded_login_without_its_two_strings_is_one_like_it_alone() {
    let mut recording =
        Recording::of("S: * OK\nC: a LOGIN alice\nS: a BAD two\nC: b LOGIN alice x\nS: b OK in\n");
    let mut app = recording.connect();
    assert_eq!(app.say("1 LOGIN alice x"), "1 OK in");
    let mut another = recording.connect();
    assert_eq!(another.say("1 LOGIN alice"), "1 BAD two");
    recording.all_matched(2);
}

/// An app that does not wait for the go-ahead means the same.
#[test]
fn a_password_that_comes_before_the_go_ahead_is_one() {
    for (said, heard) in [
        ("1 LOGIN alice {6}\nsecret", "+ OK\n1 OK in"),
        ("1 LOGIN {5}\nalice {6}\nsecret", "+ OK\n+ OK\n1 OK in"),
        ("1 LOGIN alice {6+}\nsecret", "1 OK in"),
    ] {
        let mut recording = Recording::of(LOGGED_IN);
        let mut app = recording.connect();
        assert_eq!(app.say(said), heard);
        assert_eq!(app.say("2 NOOP"), "2 OK done");
        let other = recording.connect().say(&said.replace("alice", "boris"));
        assert!(other.contains("1 BAD "), "{other}");
        let report = format!("{:?}", recording.report());
        assert!(!report.contains("secret\""), "{report}");
        assert_eq!(recording.report().mismatches.len(), 1);
    }
}

#[test]
fn what_is_asked_once_more_than_recorded_is_told_so() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: b OK\nC: c FETCH 1 BODY[]\nS: c OK\nC: d FETCH 1 BODY[]\nS: d OK\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x\n2 SELECT INBOX\n3 FETCH 1 BODY[]\n4 FETCH 1 BODY[]");
    let heard = app.say("5 FETCH 1 BODY[]");
    assert!(
        heard.ends_with("is the same, asked once more than recorded (2 times)"),
        "{heard}"
    );
    let told = recording.report().to_string();
    assert!(
        told.contains("is the same, and this is once more than it was recorded (2 times)"),
        "{told}"
    );
}

#[test]
fn the_nearest_is_that_which_differs_in_least() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: b OK\nC: c UID FETCH 1 (FLAGS)\nS: c OK\n\
         C: d UID FETCH 2 (BODY.PEEK[])\nS: d OK\nC: e UID FETCH 900 (FLAGS)\nS: e OK\n\
         C: f SELECT Archive\nS: f OK\nC: g UID FETCH 5 (FLAGS UID)\nS: g OK\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x\n2 SELECT INBOX");
    for (command, argument, recorded) in [
        ("UID FETCH 2 (BODY.PEEK[HEADER])", "items", "(BODY.PEEK[])"),
        ("UID FETCH 901 (FLAGS)", "sequence set", "1"),
        ("UID FETCH 5 (FLAGS UID)", "selected mailbox", "Archive"),
    ] {
        app.say(&format!("3 {command}"));
        let report = recording.report();
        let mismatch = report.mismatches.last().unwrap();
        let told = (mismatch.argument.as_deref(), mismatch.recorded.as_deref());
        assert_eq!(told, (Some(argument), Some(recorded)), "{command}");
    }
}

#[test]
fn a_tag_without_a_command_is_told_as_such() {
    let mut recording = Recording::of(LOGGED_IN);
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    assert!(app.say("a").starts_with("a BAD "));
    let told = recording.report().to_string();
    assert!(told.ends_with("fits a tag without a command"), "{told}");
}

#[test]
fn more_mismatches_than_are_kept_are_counted() {
    let mut recording = Recording::of(LOGGED_IN);
    let mut app = recording.connect();
    app.say("1 LOGIN alice x");
    app.say(&["n NAMESPACE"; 1500].join("\n"));
    let report = recording.report();
    assert_eq!((report.mismatches.len(), report.unlisted), (1000, 500));
    let told = report.to_string();
    assert!(told.contains(", 1500 commands did not\n"), "{told}");
    assert!(told.ends_with("\n  and 500 commands more"), "{told}");
}
