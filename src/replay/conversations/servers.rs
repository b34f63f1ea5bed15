//! What the recorded server did, besides answering.

use super::*;

/// Of `record --fault bye:GREETING`: mailscope said it, and the app had it.
#[test]
fn a_greeting_that_mailscope_replaced_is_played() {
    let mut recording = Recording::of(
        r#"{"mailscope":{"format":1,"started":"2026-11-23T12:00:00.000Z"},"events":[
        {"from":"server","wire":["* OK hi\r\n"],"sent":[]},
        {"from":"mailscope","to":"client","kind":"untagged","wire":["* BYE full\r\n"]}]}"#,
    );
    assert_eq!(recording.connect().greeting, "* BYE full\n<closed>");
}

/// Of `--fault reset:GREETING`.
#[test]
fn a_connection_that_was_broken_off_before_a_word_is_so_again() {
    let mut recording = Recording::of(
        r#"{"mailscope":{"format":1,"started":"2026-11-23T12:00:00.000Z"},"events":[
        {"from":"server","wire":["* OK hi\r\n"],"sent":[]}]}"#,
    );
    assert_eq!(recording.connect().greeting, "<closed>");
}

#[test]
fn a_server_that_was_full_once_lets_further_connections_in() {
    let mut recording = Recording::of(&format!(
        "# connection 1\nS: * BYE full\n# connection 2\n{LOGGED_IN}"
    ));
    let greetings: Vec<String> = (0..4).map(|_| recording.connect().greeting).collect();
    assert_eq!(
        greetings,
        [
            "* BYE full\n<closed>",
            "* OK ready",
            "* OK ready",
            "* OK ready"
        ]
    );
}

#[test]
fn a_command_that_was_never_answered_is_not_answered_and_later_ones_are() {
    let mut recording = Recording::of(&logged_in(
        "C: b SELECT INBOX\nS: b OK\nC: c FETCH 1 FLAGS\nC: d LIST \"\" *\nS: d OK list\n\
         C: e SELECT Archive\nS: e OK\nC: f NAMESPACE\n",
    ));
    let mut app = recording.connect();
    app.say("1 LOGIN alice x\n2 SELECT INBOX");
    assert_eq!(app.say("3 FETCH 1 FLAGS"), "", "silence");
    assert_eq!(app.say("4 LIST \"\" *"), "4 OK list");
    assert_eq!(app.say("5 SELECT Archive"), "5 OK");
    assert_eq!(app.say("6 NAMESPACE"), "<closed>", "the recording's end");
    recording.all_matched(6);
}
