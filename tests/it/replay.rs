//! Replay: a client that was recorded against Dovecot obtains the same from the recording alone, and
//! what does not fit is told.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::app::App;
use super::support::mailscope::{binary, run};
use super::support::{schema, trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("replay";
        a_command_that_was_not_recorded_is_told,
        a_report_that_cannot_be_written_is_printed,
        a_report_tells_no_password,
        a_second_use_of_what_changes_nothing,
        a_text_written_by_hand_is_replayed,
        an_exported_text_is_replayed,
        bad_input_is_refused,
        commands_by_meaning_in_another_order,
        idle_is_ended_before_what_was_recorded_later,
        on_miss_fail_closes,
        once_an_app_that_leaves_is_gone_at_once,
        once_ends_when_all_is_served,
        starttls_is_offered_and_real,
        strict_wants_the_recorded_order,
        the_tour_from_beginning_to_end,
    )
}

/// The recording that ships.
pub const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

/// A replay that runs; ended by its process id when it is dropped.
pub struct Replay {
    child: Child,
    folder: TempDir,
    ready: Value,
}

impl Replay {
    /// Serves this transcript, with these further arguments.
    pub fn start(transcript: &Path, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| std::fs::File::create(folder.path().join(name)).unwrap();
        let child = binary()
            .current_dir(folder.path())
            .arg("replay")
            .arg(transcript)
            .args([
                "--listen-tls",
                "127.0.0.1:0",
                "--listen-plain",
                "127.0.0.1:0",
            ])
            .args([
                "--ca-dir",
                "ca",
                "--ready-file",
                "ready.json",
                "--report",
                "report.json",
            ])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        let mut replay = Self {
            child,
            folder,
            ready: Value::Null,
        };
        let ready = replay.folder.path().join("ready.json");
        replay.ready = wait_for("the ready file", || {
            if let Some(status) = replay.child.try_wait().unwrap() {
                panic!("ended with {status}: {}", replay.read("stderr"));
            }
            serde_json::from_slice(&std::fs::read(&ready).ok()?).ok()
        });
        replay
    }

    /// Where it listens: `tls` or `plain`.
    pub fn address(&self, key: &str) -> &str {
        self.ready[key].as_str().unwrap()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join(self.address("ca"))
    }

    /// What it has written there.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Waits for its end; its exit code and its report.
    pub fn end(&mut self) -> (i32, Value) {
        let status = wait_for("replay's end", || self.child.try_wait().unwrap());
        let report = serde_json::from_str(&self.read("report.json")).unwrap();
        schema::assert_report(&report);
        (status.code().unwrap(), report)
    }

    /// Ends it as Ctrl-C does; its exit code and its report.
    pub fn stop(&mut self) -> (i32, Value) {
        self.interrupt();
        self.end()
    }

    fn interrupt(&self) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A transcript of these events on one connection.
fn transcript(folder: &TempDir, events: &[Value]) -> PathBuf {
    let path = folder.path().join("recorded.json");
    let header = json!({"format": 1, "protocol": "imap", "version": "0.1.0",
        "started": "2026-11-23T12:00:00.000Z", "server": "x:993", "secrets": "masked"});
    let document = json!({"mailscope": header, "events": events});
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

fn server(line: &str) -> Value {
    json!({"from": "server", "wire": [format!("{line}\r\n")]})
}

fn client(line: &str) -> Value {
    json!({"from": "client", "wire": [format!("{line}\r\n")]})
}

/// Logs in, selects INBOX, which has three mails, and fetches.
fn small() -> Vec<Value> {
    vec![
        server("* OK [CAPABILITY IMAP4rev1] ready"),
        json!({"from": "client", "wire": ["a LOGIN alice ", {"secret": "password"}, "\r\n"]}),
        server("a OK in"),
        client("b SELECT INBOX"),
        server("* 3 EXISTS"),
        server("b OK [READ-WRITE] selected"),
        client("c FETCH 1:3 (FLAGS UID)"),
        server("* 1 FETCH (FLAGS () UID 11)"),
        server("* 2 FETCH (FLAGS () UID 12)"),
        server("* 3 FETCH (FLAGS () UID 13)"),
        server("c OK fetched"),
        client("d UID SEARCH RETURN (ALL) UNSEEN"),
        server("* ESEARCH (TAG \"d\") UID ALL 11:13"),
        server("d OK found"),
        client("e LOGOUT"),
        server("* BYE bye"),
        server("e OK out"),
    ]
}

fn commands_by_meaning_in_another_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &["--require-all"]);
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    app.hear("* OK [CAPABILITY IMAP4rev1] ready");
    app.say(b"x1 login {5+}\r\nalice \"whatever\"\r\n");
    app.hear("x1 OK in");
    app.say(b"x2 select {5}\r\n");
    app.hear("+ ");
    app.say(b"inbox\r\n");
    assert_eq!(
        app.hear("x2 OK"),
        "* 3 EXISTS\r\nx2 OK [READ-WRITE] selected\r\n"
    );
    // The tag in the correlator is the live one; this comes before what was recorded before it.
    let found = app.command("x3", "UID SEARCH RETURN (ALL) unseen");
    assert_eq!(
        found,
        "* ESEARCH (TAG \"x3\") UID ALL 11:13\r\nx3 OK found\r\n"
    );
    app.say(b"x4 NOOP\r\nx5 FETCH 3,1:2 (uid FLAGS)\r\n");
    assert_eq!(app.hear("x4 "), "x4 OK done\r\n");
    assert!(
        app.hear("x5 ")
            .contains("* 3 FETCH (FLAGS () UID 13)\r\nx5 OK fetched")
    );
    app.command("x6", "LOGOUT");
    assert_eq!(app.rest().unwrap(), b"");
    let (code, report) = replay.stop();
    assert_eq!(
        report,
        json!({"matched": 5, "mismatches": [], "never_asked": []})
    );
    assert_eq!(code, 0);
    assert!(
        !replay.read("stdout").contains("whatever"),
        "the password is masked"
    );
}

fn a_second_use_of_what_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &[]);
    for _ in 0..3 {
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK");
        app.command("a", "LOGIN alice x");
        app.command("b", "SELECT INBOX");
        for tag in ["c", "d"] {
            assert!(app.command(tag, "FETCH 1:3 (FLAGS UID)").contains("UID 13"));
        }
    }
    let (code, report) = replay.stop();
    assert_eq!((code, &report["matched"]), (0, &json!(12)));
}

fn a_command_that_was_not_recorded_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &[]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "LOGIN alice x");
    let answer = app.command("b", "SELECT Drafts");
    assert!(
        answer.starts_with("b BAD ") && answer.contains("mailbox"),
        "{answer}"
    );
    assert!(app.command("c", "SELECT INBOX").contains("c OK"));
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    let mismatch = &report["mismatches"][0];
    assert_eq!(
        *mismatch,
        json!({"conn": 1, "command": "SELECT Drafts", "nearest": 4, "argument": "mailbox",
            "recorded": "INBOX", "live": "Drafts"})
    );
    let never = report["never_asked"].as_array().unwrap();
    let never: Vec<&str> = never
        .iter()
        .map(|n| n["command"].as_str().unwrap())
        .collect();
    assert_eq!(
        never,
        [
            "FETCH 1:3 (FLAGS UID)",
            "UID SEARCH RETURN (ALL) UNSEEN",
            "LOGOUT"
        ]
    );
    let stderr = replay.read("stderr");
    assert!(
        stderr.contains("recorded: INBOX\n    live:     Drafts"),
        "{stderr}"
    );
}

fn a_report_that_cannot_be_written_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &[]);
    std::fs::create_dir(replay.folder.path().join("report.json")).unwrap();
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "LOGIN alice x");
    replay.interrupt();
    let status = wait_for("replay's end", || replay.child.try_wait().unwrap());
    let stderr = replay.read("stderr");
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("mailscope: 1 command matched"), "{stderr}");
    assert!(stderr.contains("write the report report.json"), "{stderr}");
}

/// Not when the pause is over, in which it was told nothing.
fn once_an_app_that_leaves_is_gone_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut events = small();
    for (event, at) in events.iter_mut().zip([0, 1, 3600]) {
        event["at"] = json!(at);
    }
    let path = transcript(&folder, &events);
    let mut replay = Replay::start(&path, &["--once", "--timing", "recorded"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.say(b"a LOGIN alice x\r\n");
    drop(app);
    assert_eq!(replay.end().0, 0);
}

fn on_miss_fail_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &["--on-miss", "fail"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.say(b"a SELECT INBOX\r\n");
    app.hear("* BYE mailscope replay: nothing recorded fits");
    assert_eq!(app.rest().unwrap(), b"");
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    assert_eq!(report["mismatches"][0]["argument"], "selected mailbox");
}

fn strict_wants_the_recorded_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &["--match", "strict"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "LOGIN alice x");
    assert!(app.command("b", "NOOP").starts_with("b BAD "));
    assert!(app.command("c", "SELECT INBOX").contains("c OK"));
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    assert_eq!(report["mismatches"][0]["nearest"], 4);
}

fn once_ends_when_all_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &["--once"]);
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    app.hear("* OK");
    app.command("a", "LOGOUT");
    app.finish();
    drop(app);
    let (code, _) = replay.end();
    assert_eq!(code, 0);
}

fn starttls_is_offered_and_real() {
    let folder = tempfile::tempdir().unwrap();
    let mut replay = Replay::start(&transcript(&folder, &small()), &[]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready");
    app.command("a", "STARTTLS");
    app.begin_tls("localhost", &replay.ca());
    assert!(app.command("b", "LOGIN alice x").contains("b OK"));
    let (code, _) = replay.stop();
    assert_eq!(code, 0);
}

fn the_tour_from_beginning_to_end() {
    the_tour_is_replayed_from(Path::new(TOUR));
}

fn an_exported_text_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("tour.txt");
    let out = text.to_str().unwrap();
    let exported = run(&["export", TOUR, "--to", "text", "-o", out]);
    assert!(exported.status.success(), "{exported:?}");
    the_tour_is_replayed_from(&text);
    let again = run(&["export", TOUR, "--to", "text", "-o", out]);
    assert_eq!(again.status.code(), Some(2), "never overwritten");
    let printed = run(&["export", TOUR, "--to", "text"]);
    assert!(printed.stdout == std::fs::read(&text).unwrap());
}

fn a_text_written_by_hand_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("hand.txt");
    std::fs::write(
        &text,
        "# what a test wants to see\nS: * OK ready\nC: a1 LOGIN alice <secret:password>\nS: a1 OK in\n\
         C: a2 SELECT INBOX\nS: * 1 EXISTS\nS: a2 OK\nC: a3 FETCH 1 BODY[TEXT]\n\
         S: * 1 FETCH (BODY[TEXT] {7}\nS: hello\nS: )\nS\\: a3 OK \\xe9\n",
    )
    .unwrap();
    let mut replay = Replay::start(&text, &["--require-all"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK ready");
    app.command("x", "LOGIN alice any");
    app.command("y", "SELECT INBOX");
    app.say(b"z FETCH 1 BODY[TEXT]\r\n");
    let expected = b"* 1 FETCH (BODY[TEXT] {7}\r\nhello\r\n)\r\nz OK \xe9\r\n";
    assert_eq!(app.hear_octets(expected.len()), expected);
    let (code, report) = replay.stop();
    assert_eq!(code, 0, "{report:#}");
    std::fs::write(&text, "S: * OK\nwhat\n").unwrap();
    let output = run(&["replay", text.to_str().unwrap(), "--listen-plain", "none"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("hand.txt, line 2: "), "{stderr}");
}

/// Not even a password that stands in a recording in clear: reports are passed around.
fn a_report_tells_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("hand.txt");
    std::fs::write(
        &text,
        "S: * OK\nC: a LOGIN alice hunter2\nS: a OK\nC: b AUTHENTICATE PLAIN AGFsaWNlAGh1bnRlcjI=\nS: b OK\n",
    )
    .unwrap();
    let mut replay = Replay::start(&text, &["--require-all"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    let answer = app.command("x", "LOGIN bob another-secret");
    let (code, report) = replay.stop();
    assert_eq!(code, 1);
    assert_eq!(
        report["mismatches"][0]["command"],
        "LOGIN bob <secret:password>"
    );
    let never = &report["never_asked"];
    assert_eq!(never[0]["command"], "LOGIN alice <secret:password>");
    assert_eq!(never[1]["command"], "AUTHENTICATE PLAIN <secret:sasl>");
    for text in [
        answer,
        report.to_string(),
        replay.read("stdout"),
        replay.read("stderr"),
    ] {
        for secret in ["hunter2", "h1bnRlcj", "another-secret"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// What came late in the recorded IDLE comes at once when the app ends it earlier.
fn idle_is_ended_before_what_was_recorded_later() {
    const AN_HOUR: f64 = 3600.0;
    let folder = tempfile::tempdir().unwrap();
    let at = |at: f64, mut event: Value| {
        event["at"] = json!(at);
        event
    };
    let events = [
        at(0.0, server("* PREAUTH hi")),
        at(0.0, client("a SELECT INBOX")),
        at(0.0, server("a OK")),
        at(0.0, client("b IDLE")),
        at(0.0, server("+ idling")),
        at(0.2, server("* 2 EXISTS")),
        at(AN_HOUR, server("* 3 EXISTS")),
        at(AN_HOUR, client("DONE")),
        at(AN_HOUR, server("b OK")),
    ];
    let transcript = transcript(&folder, &events);
    let mut replay = Replay::start(&transcript, &["--timing", "recorded", "--require-all"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    app.command("x", "SELECT INBOX");
    app.say(b"y IDLE\r\n");
    app.hear("+ idling");
    let begun = Instant::now();
    app.hear("* 2 EXISTS");
    assert!(begun.elapsed() >= Duration::from_millis(190));
    app.say(b"DONE\r\n");
    assert_eq!(app.hear("y "), "* 3 EXISTS\r\ny OK\r\n");
    let (code, report) = replay.stop();
    assert_eq!(code, 0, "{report:#}");
}

/// A recording of the tour that ships with mailscope; its app says what it said, line by line.
fn the_tour_is_replayed_from(recording: &Path) {
    let mut replay = Replay::start(recording, &["--require-all", "--match", "strict"]);
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    app.hear("* OK");
    say_the_tour(&mut app);
    let (code, report) = replay.stop();
    assert_eq!(report["mismatches"], json!([]));
    assert_eq!(report["never_asked"], json!([]));
    assert_eq!(code, 0);
}

/// Says what the tour's app said, line by line, once it was greeted.
pub fn say_the_tour(app: &mut App) {
    let tour: Value = serde_json::from_str(&std::fs::read_to_string(TOUR).unwrap()).unwrap();
    for event in tour["events"].as_array().unwrap() {
        if event["from"] != "client" || event.get("wire").is_none() {
            continue;
        }
        let said: String = event["wire"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.as_str().unwrap_or("secret"))
            .collect();
        app.say(said.as_bytes());
        let name = event["name"].as_str().unwrap_or_default();
        match (
            event["kind"].as_str().unwrap(),
            event["tag"].as_str().unwrap(),
        ) {
            ("command", _) if name == "IDLE" => drop(app.hear("+ ")),
            (_, tag) => drop(app.hear(&format!("{tag} "))),
        }
    }
}

fn bad_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.json");
    for (content, words) in [
        ("not json", "not a transcript"),
        ("{\"mailscope\":{\"format\":2},\"events\":[]}", "format"),
        (
            "{\"mailscope\":{\"format\":1,\"started\":\"2026-11-23T12:00:00.000Z\"},\n\"events\":[\n{\"n\":}\n]}",
            "line 3",
        ),
        (
            "{\"mailscope\":{\"format\":1,\"started\":\"2026-11-23T12:00:00.000Z\"},\n\"events\":[]}",
            "nothing is said",
        ),
    ] {
        std::fs::write(&path, content).unwrap();
        let output = run(&[
            "replay",
            path.to_str().unwrap(),
            "--listen-tls",
            "127.0.0.1:0",
        ]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            stderr.contains(words) && stderr.contains("bad.json"),
            "{stderr}"
        );
    }
    let output = run(&["replay", "/no/such/file.json"]);
    assert_eq!(output.status.code(), Some(2));
}
