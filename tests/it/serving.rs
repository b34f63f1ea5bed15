//! How a replay serves: with which pauses, how many at once, until when, and what the exit code says.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("serving";
        a_factor_stretches_the_recorded_pauses,
        a_thousand_connections_at_once,
        once_ends_although_the_app_stays,
        once_waits_for_every_recorded_connection,
        pipelined_commands_are_answered_in_order,
        recorded_pauses_are_kept_where_they_were,
        what_is_left_is_a_mismatch_if_all_is_required,
    )
}

const RECORDED: &str = r#"{"mailscope":{"format":1,"protocol":"imap","version":"0.1.0",
 "started":"2026-11-23T12:00:00.000Z","server":"x:993","secrets":"masked"},
"events":[
{"n":1,"conn":1,"at":0.0,"from":"server","wire":["* PREAUTH ready\r\n"]},
{"n":2,"conn":1,"at":9.0,"from":"client","wire":["a SELECT INBOX\r\n"]},
{"n":3,"conn":1,"at":9.3,"from":"server","wire":["* 1 EXISTS\r\n"]},
{"n":4,"conn":1,"at":9.5,"from":"server","wire":["a OK selected\r\n"]},
{"n":5,"conn":1,"at":9.6,"from":"client","wire":["b FETCH 1 FLAGS\r\n"]},
{"n":6,"conn":1,"at":9.7,"from":"server","wire":["* 1 FETCH (FLAGS ())\r\n"]},
{"n":7,"conn":1,"at":9.7,"from":"server","wire":["b OK fetched\r\n"]}
]}"#;

fn recording(content: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("recorded");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

/// How long it takes until `* 1 EXISTS` is there, and until the answer is. At least the recorded time:
/// how much longer is the machine's affair.
fn taken(timing: &[&str]) -> (Duration, Duration) {
    let (_folder, path) = recording(RECORDED);
    let replay = Replay::start(&path, timing);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    let begun = Instant::now();
    app.say(b"x SELECT INBOX\r\n");
    app.hear("* 1 EXISTS");
    let exists = begun.elapsed();
    app.hear("x OK");
    (exists, begun.elapsed())
}

fn recorded_pauses_are_kept_where_they_were() {
    let (exists, ok) = taken(&["--timing", "recorded"]);
    // The nine seconds before the command were the app's own.
    assert!(exists >= Duration::from_millis(300), "{exists:?}");
    assert!(ok >= Duration::from_millis(500), "{ok:?}");
}

fn a_factor_stretches_the_recorded_pauses() {
    let (exists, ok) = taken(&["--timing", "2.5"]);
    assert!(exists >= Duration::from_millis(750), "{exists:?}");
    assert!(ok >= Duration::from_millis(1250), "{ok:?}");
}

fn what_is_left_is_a_mismatch_if_all_is_required() {
    let (_folder, path) = recording(RECORDED);
    for (arguments, code) in [(&[][..], 0), (&["--require-all"][..], 1)] {
        let mut replay = Replay::start(&path, arguments);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* PREAUTH");
        app.command("x", "SELECT INBOX");
        let (exit, report) = replay.stop();
        assert_eq!(
            report,
            json!({"matched": 1, "mismatches": [],
                "never_asked": [{"n": 5, "command": "FETCH 1 FLAGS"}]})
        );
        assert_eq!(exit, code, "{arguments:?}");
        assert!(replay.read("stderr").contains("#5 FETCH 1 FLAGS"));
    }
    let mut replay = Replay::start(&path, &["--require-all"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    app.command("x", "SELECT INBOX");
    app.command("y", "FETCH 1 FLAGS");
    assert_eq!(replay.stop().0, 0);
}

fn once_waits_for_every_recorded_connection() {
    let text = "S: * PREAUTH one\nC: a SELECT INBOX\nS: a OK\n# connection 2\nS: * PREAUTH two\nC: b CHECK\nS: b OK\n";
    let (_folder, path) = recording(text);
    let mut replay = Replay::start(&path, &["--once"]);
    let mut first = App::plain(replay.address("plain"));
    first.hear("* PREAUTH one");
    first.command("x", "SELECT INBOX");
    drop(first);
    // One that asks nothing, as a look at the port, is not what was recorded.
    App::plain(replay.address("plain")).hear("* PREAUTH two");
    wait_for("the end of both", || {
        let closed = replay.read("stdout").matches("-- closed").count();
        (closed == 2).then_some(())
    });
    let mut second = App::plain(replay.address("plain"));
    second.hear("* PREAUTH two");
    second.command("y", "NOOP");
    drop(second);
    let (code, report) = replay.end();
    assert_eq!((code, &report["matched"]), (0, &json!(1)));
}

/// An app that keeps its connection open has been served when all of it was used.
fn once_ends_although_the_app_stays() {
    let text = "S: * PREAUTH one\nC: a SELECT INBOX\nS: a OK\nC: b CHECK\nS: b OK\n";
    let (_folder, path) = recording(text);
    let mut replay = Replay::start(&path, &["--once"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH one");
    app.command("x", "SELECT INBOX");
    app.command("y", "NOOP");
    assert_eq!(app.command("z", "CHECK"), "z OK\r\n");
    let (code, report) = replay.end();
    assert_eq!((code, &report["matched"]), (0, &json!(2)));
}

fn pipelined_commands_are_answered_in_order() {
    const COMMANDS: usize = 2_000;
    let (_folder, path) = recording(RECORDED);
    let mut replay = Replay::start(&path, &["--quiet"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    let tags = 0..COMMANDS;
    let commands: String = tags.clone().map(|tag| format!("t{tag} NOOP\r\n")).collect();
    let expected: String = tags.map(|tag| format!("t{tag} OK done\r\n")).collect();
    // Nothing of it is answered later than what stands behind it.
    app.say(commands.as_bytes());
    assert!(app.hear_octets(expected.len()) == expected.as_bytes());
    assert_eq!(replay.stop().0, 0);
}

/// As many of a thousand as the system permits this process to have.
fn connections() -> usize {
    const WANTED: usize = 1_000;
    /// For all other tests that run at the same time.
    const OTHERS: u64 = 1_000;
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let enough = most.min(WANTED as u64 + OTHERS);
    let raised = Rlimit {
        current: Some(limit.current.unwrap_or(u64::MAX).max(enough)),
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let permitted = usize::try_from(enough - enough.min(OTHERS)).unwrap_or(WANTED);
    let connections = WANTED.min(permitted.max(300));
    if connections < WANTED {
        eprintln!("only {connections} connections: the limit of open files is {most}");
    }
    connections
}

fn a_thousand_connections_at_once() {
    let text = "S: * OK ready\nC: a LOGIN alice <secret:password>\nS: a OK in\nC: b SELECT INBOX\n\
                S: * 1 EXISTS\nS: b OK selected\nC: c FETCH 1 BODY.PEEK[TEXT]\n\
                S: * 1 FETCH (BODY[TEXT] {7}\nS: hello\nS: )\nS: c OK fetched\n";
    let (_folder, path) = recording(text);
    let connections = connections();
    let mut replay = Replay::start(&path, &["--quiet", "--require-all"]);
    let mut apps: Vec<App> = (0..connections)
        .map(|number| match number % 10 {
            0 => App::tls(replay.address("tls"), "localhost", &replay.ca()),
            _ => App::plain(replay.address("plain")),
        })
        .collect();
    for app in &mut apps {
        app.hear("* OK");
    }
    // Each step of all of them, before the next step of any.
    for (command, untagged, done) in [
        ("LOGIN alice x", "", "OK in"),
        ("SELECT INBOX", "* 1 EXISTS\r\n", "OK selected"),
        (
            "FETCH 1 BODY.PEEK[TEXT]",
            "* 1 FETCH (BODY[TEXT] {7}\r\nhello\r\n)\r\n",
            "OK fetched",
        ),
    ] {
        for (number, app) in apps.iter_mut().enumerate() {
            app.say(format!("t{number} {command}\r\n").as_bytes());
        }
        for (number, app) in apps.iter_mut().enumerate() {
            let heard = app.hear(&format!("t{number} "));
            assert_eq!(heard, format!("{untagged}t{number} {done}\r\n"));
        }
    }
    let (code, report) = replay.stop();
    assert_eq!(report["matched"], json!(3 * connections));
    assert_eq!(code, 0);
}
