//! Live commands that hold the password: compared as they are, told masked.

use super::*;

fn recorded() -> String {
    "S: * OK ready\nC: a LOGIN alice <secret:password>\nS: a OK in\n\
     C: b SELECT Drafts\nS: * 9 EXISTS\nS: b OK drafts\nC: c UID FETCH 7 FLAGS\n\
     S: * 1 FETCH (UID 7 FLAGS ())\nS: c OK\nC: d DELETE Old\nS: d OK deleted\n"
        .to_owned()
}

/// A mask is like nothing but what stands there.
#[test]
fn a_live_command_with_the_password_in_it_is_not_like_everything() {
    for (password, command, at_once) in [
        ("test", "SELECT latest", "mailbox"),
        ("test", "SELECT test", "mailbox"),
        ("1234", "UID FETCH 12345 FLAGS", "sequence set"),
        ("test", "DELETE test", "mailbox"),
    ] {
        let mut recording = Recording::of(&recorded());
        let mut app = recording.connect();
        assert_eq!(app.say(&format!("1 LOGIN alice {password}")), "1 OK in");
        if command.starts_with("UID") {
            app.say("2 SELECT Drafts");
        }
        let heard = app.say(&format!("3 {command}"));
        assert!(heard.starts_with("3 BAD "), "{command}: {heard}");
        let report = recording.report();
        let mismatch = &report.mismatches[0];
        assert_eq!(mismatch.argument.as_deref(), Some(at_once), "{command}");
        let told = format!("{report:?} {report} {heard}");
        assert!(!told.contains(password), "{told}");
    }
}

#[test]
fn a_mailbox_with_the_passwords_name_is_told_masked_as_a_place_too() {
    let text = format!(
        "{}C: e SELECT test\nS: e OK test\nC: f SEARCH SEEN\nS: f OK\n",
        recorded().replace("UID FETCH", "FETCH")
    );
    let mut recording = Recording::of(&text);
    let mut app = recording.connect();
    app.say("1 LOGIN alice test");
    assert_eq!(app.say("2 SELECT test"), "2 OK test");
    assert_eq!(app.say("3 SEARCH SEEN"), "3 OK", "where it was recorded");
    let heard = app.say("4 FETCH 7 FLAGS");
    assert!(heard.starts_with("4 BAD "), "{heard}");
    let report = recording.report();
    assert_eq!(
        report.mismatches[0].argument.as_deref(),
        Some("selected mailbox")
    );
    assert_eq!(report.mismatches[0].live.as_deref(), Some("<secret>"));
    assert!(!heard.contains("test"), "{heard}");
}

#[test]
fn a_tag_that_is_the_password_is_a_tag() {
    let mut recording = Recording::of(&recorded());
    let mut app = recording.connect();
    assert_eq!(app.say("1000 LOGIN alice 1000"), "1000 OK in");
    assert_eq!(
        app.say("x1000 SELECT Drafts"),
        "* 9 EXISTS\nx1000 OK drafts"
    );
    recording.all_matched_so_far(2);
}

/// What the recording masks may have been anything.
#[test]
fn a_recorded_mask_is_like_everything() {
    let events = r#"{"mailscope":{"format":1,"started":"2026-11-23T12:00:00.000Z"},"events":[
        {"from":"server","wire":["* OK ready\r\n"]},
        {"from":"client","wire":["a LOGIN alice ",{"secret":"password"},"\r\n"]},
        {"from":"server","wire":["a OK in\r\n"]},
        {"from":"client","wire":["b SELECT ",{"secret":"password"},"\r\n"]},
        {"from":"server","wire":["* 9 EXISTS\r\n"]},
        {"from":"server","wire":["b OK\r\n"]},
        {"from":"client","wire":["c FETCH 1 FLAGS\r\n"]},
        {"from":"server","wire":["c OK\r\n"]}]}"#;
    let mut recording = Recording::of(events);
    let mut app = recording.connect();
    assert_eq!(app.say("1 LOGIN alice INBOX"), "1 OK in");
    assert_eq!(app.say("2 SELECT INBOX"), "* 9 EXISTS\n2 OK");
    assert_eq!(app.say("3 FETCH 1 FLAGS"), "3 OK");
    recording.all_matched(3);
}
