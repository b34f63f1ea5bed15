//! `replay --on-miss record`: what is not recorded is asked of the real server, brought to where the
//! app's session stands, and added; the next replay needs no server for it.

mod imap;
mod modes;
mod passed;
mod refused;

use std::fs;
use std::path::PathBuf;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::schema;
use super::support::transcript::Transcript;
use super::support::trials;
use modes::{
    a_torn_transcript_is_gone_on_with, all_records_anew_and_keeps_the_former,
    none_and_a_second_once_ask_nobody, once_records_everything,
    once_the_flag_does_not_wait_for_what_was_added, the_flags_need_each_other,
    two_runs_do_not_add_to_one_file,
};
use passed::{
    a_large_literal_goes_both_ways, a_mailbox_is_left_without_expunging,
    a_text_of_what_was_added_is_replayed, idle_goes_both_ways,
    pipelined_commands_wait_for_the_one_that_is_passed, sasl_turns_are_said_again,
    what_is_not_recorded_is_asked_and_added, what_is_refused_with_a_literal_is_refused_again,
};
use refused::{
    a_literal_that_waits_for_nothing_is_not_said_to_any_server,
    a_login_that_cannot_be_repeated_is_told, a_login_that_is_refused_is_not_tried_again,
    a_mailbox_that_is_another_is_not_asked, a_server_that_goes_away_is_told,
    a_server_that_left_meanwhile_is_found_again, a_server_that_refuses_starttls_gets_no_password,
    a_server_that_says_bye_is_heard, half_an_answer_ends_the_connection,
    message_numbers_that_mean_others_are_not_asked,
};

pub fn trials() -> Vec<Trial> {
    trials!("on_miss";
        a_large_literal_goes_both_ways,
        a_literal_that_waits_for_nothing_is_not_said_to_any_server,
        a_login_that_cannot_be_repeated_is_told,
        a_login_that_is_refused_is_not_tried_again,
        a_mailbox_is_left_without_expunging,
        a_mailbox_that_is_another_is_not_asked,
        a_server_that_goes_away_is_told,
        a_server_that_refuses_starttls_gets_no_password,
        a_server_that_left_meanwhile_is_found_again,
        a_server_that_says_bye_is_heard,
        a_text_of_what_was_added_is_replayed,
        a_torn_transcript_is_gone_on_with,
        all_records_anew_and_keeps_the_former,
        half_an_answer_ends_the_connection,
        idle_goes_both_ways,
        message_numbers_that_mean_others_are_not_asked,
        none_and_a_second_once_ask_nobody,
        once_records_everything,
        once_the_flag_does_not_wait_for_what_was_added,
        pipelined_commands_wait_for_the_one_that_is_passed,
        sasl_turns_are_said_again,
        the_flags_need_each_other,
        two_runs_do_not_add_to_one_file,
        what_is_not_recorded_is_asked_and_added,
        what_is_refused_with_a_literal_is_refused_again,
    )
}

const PASSWORD: &str = "open-Sesame-42";

fn server(line: &str) -> Value {
    json!({"from": "server", "wire": [format!("{line}\r\n")]})
}

fn client(line: &str) -> Value {
    json!({"from": "client", "wire": [format!("{line}\r\n")]})
}

/// Logs in and looks at INBOX.
fn recorded() -> Vec<Value> {
    vec![
        server("* OK [CAPABILITY IMAP4rev1] recorded"),
        json!({"from": "client", "wire": ["a LOGIN alice ", {"secret": "password"}, "\r\n"]}),
        server("a OK in"),
        client("b SELECT INBOX"),
        server("* 3 EXISTS"),
        server("* OK [UIDVALIDITY 7] valid"),
        server("b OK [READ-WRITE] selected"),
        client("c FETCH 1 (FLAGS)"),
        server("* 1 FETCH (FLAGS (\\Seen))"),
        server("c OK fetched"),
    ]
}

/// A folder with the recording.
struct Place {
    folder: TempDir,
    transcript: PathBuf,
}

impl Place {
    fn with(events: &[Value]) -> Self {
        let place = Self::empty();
        let header = json!({"format": 1, "protocol": "imap", "version": "0.1.0",
            "started": "2026-11-23T12:00:00.000Z", "server": "x:993", "secrets": "masked"});
        let document = json!({"mailscope": header, "events": events});
        fs::write(&place.transcript, document.to_string()).unwrap();
        place
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let transcript = folder.path().join("app.json");
        Self { folder, transcript }
    }

    fn replay(&self, flags: &[String]) -> Replay {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        Replay::start(&self.transcript, &flags)
    }

    /// A replay without a server, in which everything has to be used.
    fn alone(&self) -> Replay {
        Replay::start(&self.transcript, &["--require-all"])
    }

    /// The transcript, which is to be good and to tell no password.
    fn read(&self) -> Transcript {
        let transcript = Transcript::read(&self.transcript);
        assert!(!transcript.text().contains(PASSWORD));
        transcript
    }
}

/// What was added has the format; what a hand wrote leaves out what it may.
fn well_formed(transcript: &Transcript) {
    let is_added = |error: &String| {
        let place = error
            .strip_prefix("/events/")
            .and_then(|rest| rest.split(['/', ':']).next());
        let place: Option<usize> = place.and_then(|place| place.parse().ok());
        place.is_none_or(|place| transcript.events()[place].get("n").is_some())
    };
    let errors: Vec<String> = schema::errors(transcript)
        .into_iter()
        .filter(is_added)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let last = transcript.events().last().unwrap();
    assert!(last.get("n").is_some(), "something was added");
}

/// Logs in and looks at INBOX, as recorded.
fn begin(replay: &Replay) -> App {
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", &format!("LOGIN alice {PASSWORD}"));
    assert!(app.command("b", "SELECT INBOX").contains("* 3 EXISTS"));
    assert!(app.command("c", "FETCH 1 (FLAGS)").contains("\\Seen"));
    app
}

fn everything_fits(replay: &mut Replay, matched: u64) {
    let (code, report) = replay.stop();
    let expected = json!({"matched": matched, "mismatches": [], "never_asked": []});
    assert_eq!((code, report), (0, expected));
}
