//! Which transcripts grow, by which flags.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::super::replay::Replay;
use super::super::support::app::App;
use super::super::support::mailscope::run;
use super::imap::{Imap, Oddity};
use super::{PASSWORD, Place, begin, everything_fits, recorded, well_formed};

pub fn once_records_everything() {
    let imap = Imap::start(Oddity::default());
    let place = Place::empty();
    let session = |app: &mut App| {
        let greeting = app.hear("* OK");
        let answers = [
            ("a", "CAPABILITY"),
            ("b", &*format!("LOGIN alice {PASSWORD}")),
            ("c", "NOOP"),
            ("d", "SELECT INBOX"),
            ("e", "LOGOUT"),
        ];
        let answers = answers.map(|(tag, command)| app.command(tag, command));
        assert_eq!(app.rest().unwrap(), b"");
        (greeting, answers)
    };
    let mut flags = imap.flags();
    flags.extend(["--record", "once"].map(str::to_owned));
    let mut replay = place.replay(&flags);
    // In TLS, so that nothing of the capabilities is of mailscope.
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    let expected = session(&mut app);
    // What is compressed cannot be told from what is not when it is played again.
    assert_eq!(
        expected.0,
        "* OK [CAPABILITY IMAP4rev1 IDLE UNSELECT] ready\r\n"
    );
    let (code, report) = replay.stop();
    assert_eq!((code, &report["recorded"]), (0, &json!(5)), "{report}");
    let transcript = place.read();
    well_formed(&transcript);
    assert_eq!(transcript.header()["server"], imap.server.name());
    assert_eq!(transcript.kind("command").len(), 5);
    drop(imap);
    let mut replay = place.alone();
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    assert_eq!(session(&mut app), expected);
    everything_fits(&mut replay, 5);
}

pub fn none_and_a_second_once_ask_nobody() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let before = fs::read(&place.transcript).unwrap();
    for mode in ["none", "once"] {
        let mut flags = imap.flags();
        flags.extend(["--record", mode].map(str::to_owned));
        let mut replay = place.replay(&flags);
        let mut app = begin(&replay);
        assert!(app.command("d", "CREATE x").starts_with("d BAD "));
        let (code, report) = replay.stop();
        assert_eq!(code, 1);
        assert_eq!(report["mismatches"][0]["command"], "CREATE x");
    }
    assert_eq!(imap.told(), [""; 0]);
    assert_eq!(fs::read(&place.transcript).unwrap(), before);
}

pub fn all_records_anew_and_keeps_the_former() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let before = fs::read(&place.transcript).unwrap();
    let mut flags = imap.flags();
    flags.extend(["--record", "all"].map(str::to_owned));
    let aside = |end: &str| place.folder.path().join(format!("app.json.old{end}"));
    let mut replay = place.replay(&flags);
    assert_eq!(replay.stop().0, 0);
    assert_eq!(fs::read(&place.transcript).unwrap(), before, "nothing came");
    assert!(!aside("").exists());
    for end in ["", "-2"] {
        let kept = fs::read(&place.transcript).unwrap();
        let mut replay = place.replay(&flags);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK [CAPABILITY");
        app.command("a", &format!("LOGIN alice {PASSWORD}"));
        assert!(app.command("b", "SELECT INBOX").contains("* 3 EXISTS"));
        let (code, report) = replay.stop();
        assert_eq!((code, &report["matched"]), (0, &json!(0)));
        assert_eq!(report["recorded"], 2);
        assert_eq!(fs::read(aside(end)).unwrap(), kept);
        assert_eq!(place.read().kind("command").len(), 2);
    }
    assert_eq!(fs::read(aside("")).unwrap(), before);
}

pub fn a_torn_transcript_is_gone_on_with() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mut torn = fs::read(&place.transcript).unwrap();
    torn.truncate(torn.len() - 2);
    torn.extend(b",{\"from\":\"server\",\"wi");
    fs::write(&place.transcript, torn).unwrap();
    let mut replay = place.replay(&imap.flags());
    let mut app = begin(&replay);
    assert!(app.command("d", "CREATE x").starts_with("d OK"));
    assert_eq!(replay.stop().0, 0);
    assert!(replay.read("stderr").contains("ends unfinished"));
    well_formed(&place.read());
    let mut replay = place.alone();
    begin(&replay).command("d", "CREATE x");
    everything_fits(&mut replay, 4);
}

pub fn two_runs_do_not_add_to_one_file() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let _first = place.replay(&imap.flags());
    refuses(&place.transcript, &imap.flags(), "another mailscope");
}

/// Exit code 2, and these words.
pub fn refuses(transcript: &Path, flags: &[String], words: &str) {
    let mut arguments = vec!["replay", transcript.to_str().unwrap()];
    arguments.extend(["--listen-tls", "127.0.0.1:0", "--listen-plain", "none"]);
    arguments.extend(flags.iter().map(String::as_str));
    let output = run(&arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
    assert!(
        stderr.contains(words) && stderr.contains("try: "),
        "{stderr}"
    );
}

pub fn the_flags_need_each_other() {
    let place = Place::with(&recorded());
    let flags = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    for (given, words) in [
        ("--on-miss record", "--server"),
        ("--server localhost", "--on-miss record"),
        ("--record new", "--on-miss record"),
        ("--insecure", "--on-miss record"),
        (
            "--on-miss record --server imaps://x --server-tls none",
            "contradict",
        ),
    ] {
        refuses(&place.transcript, &flags(given), words);
    }
    let other = Place::with(&recorded());
    let two = format!(
        "{} --on-miss record --server localhost",
        other.transcript.display()
    );
    refuses(&place.transcript, &flags(&two), "only one can be added to");
    let text = place.folder.path().join("hand.txt");
    fs::write(&text, "S: * OK\nC: a NOOP\nS: a OK\n").unwrap();
    refuses(
        &text,
        &flags("--on-miss record --server localhost"),
        "C:/S:",
    );
    let missing = place.folder.path().join("missing.json");
    let none = flags("--on-miss record --server localhost --record none");
    refuses(&missing, &none, "--record once");
    assert!(!missing.exists());
}

/// What was added is a connection of the recording, and none that an app has to make.
pub fn once_the_flag_does_not_wait_for_what_was_added() {
    let imap = Imap::start(Oddity::default());
    let place = Place::with(&recorded());
    let mut replay = place.replay(&imap.flags());
    begin(&replay).command("d", "CREATE x");
    assert_eq!(replay.stop().0, 0);
    let mut replay = Replay::start(&place.transcript, &["--once"]);
    begin(&replay).finish();
    let (code, report) = replay.end();
    assert_eq!((code, &report["matched"]), (0, &json!(3)));
    assert_eq!(report["never_asked"][0]["command"], "CREATE x");
}
