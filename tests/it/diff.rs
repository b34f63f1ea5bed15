//! Diff: what is equal is said to be, what differs is shown, and a session that is recorded again in
//! front of a replay is the session that is replayed.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use libtest_mimic::Trial;
use serde_json::Value;

use super::replay::{Replay, TOUR, say_the_tour};
use super::support::app::App;
use super::support::mailscope::{Mailscope, binary, record, run};
use super::support::patience::InTime;
use super::support::{schema, trials};

pub fn trials() -> Vec<Trial> {
    trials!("diff";
        a_closed_pipe_is_no_error,
        a_text_and_its_transcript_are_equal,
        bad_input_is_refused,
        octets_are_compared_on_request,
        nothing_raw_comes_from_the_wire,
        nothing_is_told_of_what_is_ignored,
        one_changed_word_is_shown,
        programs_get_a_line_a_difference,
        recorded_again_with_each_mix_of_legs,
        rows_fit_a_narrow_page,
    )
}

/// What `diff` says of two files: its exit code and its standard output.
pub fn diff(a: &Path, b: &Path) -> (i32, String) {
    let output = run(&["diff", a.to_str().unwrap(), b.to_str().unwrap()]);
    (output.status.code().unwrap(), stdout(&output))
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Files with these contents.
struct Files(tempfile::TempDir);

impl Files {
    fn new(contents: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in contents {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = binary();
        command.current_dir(self.0.path()).arg("diff");
        let output = command.args(arguments).output_in_time().unwrap();
        schema::assert_output(&[&["diff"], arguments].concat(), &output);
        output
    }
}

const BEFORE: &str =
    "S: * OK\nC: a SELECT INBOX\nS: * 3 EXISTS\nS: a OK [READ-WRITE] there\nC: b NOOP\nS: b OK\n";

fn a_text_and_its_transcript_are_equal() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("tour.txt");
    let out = text.to_str().unwrap();
    assert!(
        run(&["export", TOUR, "--to", "text", "-o", out])
            .status
            .success()
    );
    for (a, b) in [(Path::new(TOUR), &*text), (&text, Path::new(TOUR))] {
        let said = diff(a, b);
        assert_eq!(said, (0, "equal: 11 commands in 1 connection\n".into()));
    }
}

fn one_changed_word_is_shown() {
    let after = BEFORE
        .replace("3 EXISTS", "4 EXISTS")
        .replace("b NOOP", "b CHECK");
    let files = Files::new(&[("a.txt", BEFORE.as_bytes()), ("b.txt", after.as_bytes())]);
    let output = files.run(&["a.txt", "b.txt"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "--- a.txt\n+++ b.txt\n@@ connection 1 of A, 1 of B @@\n\
         \x20 C: SELECT INBOX                                                          #2 #2\n\
         - S: * 3 EXISTS\n+ S: * 4 EXISTS\n\
         - C: NOOP                                                                     #5\n\
         + C: CHECK                                                                    #5\n\
         3 differences: 1 command only in A, 1 command only in B, 1 response; 0 commands\n  the same\n"
    );
    assert!(output.stderr.is_empty());
    let colored = stdout(&files.run(&["a.txt", "b.txt", "--color", "always"]));
    assert!(
        colored.contains("\x1b[31m- S: * 3 EXISTS\x1b[0m\n"),
        "{colored:?}"
    );
}

fn rows_fit_a_narrow_page() {
    let long = "x".repeat(300);
    let a = format!("{BEFORE}C: c STATUS {long}1 (MESSAGES)\nS: c NO [NONEXISTENT]\n");
    let b = format!("{BEFORE}C: c STATUS {long}2 (MESSAGES)\nS: c OK\n");
    let files = Files::new(&[("a.txt", a.as_bytes()), ("b.txt", b.as_bytes())]);
    for width in [40, 60, 80, 132] {
        let mut command = binary();
        command
            .current_dir(files.0.path())
            .env("COLUMNS", width.to_string());
        let output = command
            .args(["diff", "a.txt", "b.txt"])
            .output_in_time()
            .unwrap();
        let shown = stdout(&output);
        for row in shown.lines() {
            assert!(row.chars().count() <= width, "{width}: {row}");
        }
        // The very end of the two names is seen.
        assert!(
            shown.contains("xx1\n") && shown.contains("xx2\n"),
            "{shown}"
        );
    }
}

fn octets_are_compared_on_request() {
    let after = BEFORE
        .replace("C: a SELECT INBOX", "C: A1 select \"INBOX\"")
        .replace("S: a OK", "S: A1 OK");
    let files = Files::new(&[("a.txt", BEFORE.as_bytes()), ("b.txt", after.as_bytes())]);
    assert_eq!(files.run(&["a.txt", "b.txt"]).status.code(), Some(0));
    let output = files.run(&["a.txt", "b.txt", "--exact"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let shown = stdout(&output);
    assert!(
        shown.contains("octets: SELECT INBOX → select \"INBOX\""),
        "{shown}"
    );
    let json = stdout(&files.run(&["a.txt", "b.txt", "--exact", "--output", "json"]));
    assert!(json.contains("\"of\":\"octets\""), "{json}");
    assert_eq!(
        files.run(&["a.txt", "a.txt", "--exact"]).status.code(),
        Some(0)
    );
}

fn programs_get_a_line_a_difference() {
    let after = BEFORE.replace("SELECT INBOX", "SELECT Sent");
    let files = Files::new(&[("a.txt", BEFORE.as_bytes()), ("b.txt", after.as_bytes())]);
    let output = files.run(&["a.txt", "b.txt", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines = stdout(&output);
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["difference"], "argument");
    assert_eq!(lines[0]["of"], "mailbox");
    assert_eq!(lines[0]["is"]["b"], "Sent");
    assert_eq!(lines[1]["differences"], 1);
    let same = files.run(&["a.txt", "a.txt", "--output", "json"]);
    let same: Value = serde_json::from_slice(&same.stdout).unwrap();
    assert_eq!(
        (&same["equal"], &same["same"]["commands"]),
        (&true.into(), &2.into())
    );
}

fn nothing_raw_comes_from_the_wire() {
    let bad = "S\\: * OK \\x1b[2J\nC\\: a SELECT \"\\x1b]0;x\\x07\\xe2\\x80\\xae\\xff\"\nS\\: a NO [\\x1b[31mX] \\x9b\n";
    let files = Files::new(&[("a.txt", BEFORE.as_bytes()), ("b.txt", bad.as_bytes())]);
    for arguments in [
        &["a.txt", "b.txt"][..],
        &["a.txt", "b.txt", "--output", "json"],
    ] {
        let shown = stdout(&files.run(arguments));
        let is_raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!shown.contains(is_raw), "{shown:?}");
        assert!(shown.contains("]0;x"), "{shown}");
    }
}

fn nothing_is_told_of_what_is_ignored() {
    let after = BEFORE
        .replace("3 EXISTS", "4 EXISTS")
        .replace("C: b NOOP\nS: b OK\n", "");
    let files = Files::new(&[("a.txt", BEFORE.as_bytes()), ("b.txt", after.as_bytes())]);
    let one = files.run(&["a.txt", "b.txt", "--ignore", "NOOP"]);
    assert!(
        stdout(&one).contains("\n1 difference: 1 response; "),
        "{one:?}"
    );
    let both = files.run(&["a.txt", "b.txt", "--ignore", "noop", "--ignore", "EXISTS"]);
    assert_eq!(both.status.code(), Some(0));
    assert_eq!(stdout(&both), "equal: 1 command in 1 connection\n");
}

fn bad_input_is_refused() {
    let header =
        "{\"mailscope\":{\"format\":1,\"started\":\"2026-11-23T12:00:00.000Z\"},\n\"events\":[";
    let broken = format!("{header}\n{{\"n\":}}\n]}}");
    let empty = format!("{header}]}}");
    let files = Files::new(&[
        ("good.txt", BEFORE.as_bytes()),
        ("other.json", b"not json"),
        (
            "newer.json",
            b"{\"mailscope\":{\"format\":2},\"events\":[]}",
        ),
        ("broken.json", broken.as_bytes()),
        ("empty.json", empty.as_bytes()),
        ("text.txt", b"S: * OK\nwhat\n"),
    ]);
    for (bad, words) in [
        ("other.json", "not a transcript"),
        ("newer.json", "format"),
        ("broken.json", "broken.json, line 3"),
        ("empty.json", "nothing is said"),
        ("text.txt", "text.txt, line 2"),
        ("nowhere.json", "nowhere.json"),
    ] {
        for pair in [["good.txt", bad], [bad, "good.txt"]] {
            let output = files.run(&pair);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            assert!(stderr.contains(words) && stderr.contains(bad), "{stderr}");
            assert!(output.stdout.is_empty());
        }
    }
    let torn = std::fs::read(TOUR).unwrap();
    let torn = &torn[..torn.len() - 20];
    std::fs::write(files.path("torn.json"), torn).unwrap();
    let output = files.run(&[TOUR, "torn.json"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("torn.json ends unfinished"), "{stderr}");
}

fn a_closed_pipe_is_no_error() {
    let files = Files::new(&[("a.txt", BEFORE.as_bytes())]);
    let mut child = binary()
        .args(["diff", TOUR])
        .arg(files.path("a.txt"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty());
}

/// How a leg is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leg {
    Tls,
    Starttls,
    Cleartext,
}

/// A mailscope that records in front of a replay, to which its leg is secured so.
fn in_front_of(replay: &Replay, leg: Leg) -> Mailscope {
    let port = |key: &str| replay.address(key).rsplit_once(':').unwrap().1.to_owned();
    let ca = replay.ca();
    let trust = ["--server-ca", ca.to_str().unwrap()];
    match leg {
        Leg::Tls => record(&format!("imaps://localhost:{}", port("tls"))).with(&trust),
        Leg::Starttls => record(&format!("imap://localhost:{}", port("plain"))).with(&trust),
        Leg::Cleartext => {
            record(&format!("imap://localhost:{}", port("plain"))).with(&["--server-tls", "none"])
        }
    }
    .start()
}

/// The tour's app, once more, against this recording.
fn again(recording: &Path, app_leg: Leg, server_leg: Leg) -> Mailscope {
    let mut replay = Replay::start(recording, &["--quiet"]);
    let mut mailscope = in_front_of(&replay, server_leg);
    let ca = mailscope.ca();
    let mut app = match app_leg {
        Leg::Tls => App::tls(mailscope.tls(), "localhost", &ca),
        Leg::Starttls | Leg::Cleartext => App::plain(mailscope.plain()),
    };
    app.hear("* OK");
    if app_leg == Leg::Starttls {
        app.command("t1", "STARTTLS");
        app.begin_tls("localhost", &ca);
    }
    say_the_tour(&mut app);
    app.finish();
    drop(app);
    mailscope.closed(1);
    mailscope.stop();
    let (code, report) = replay.stop();
    assert_eq!(code, 0, "{app_leg:?} {server_leg:?}: {report:#}");
    mailscope
}

fn recorded_again_with_each_mix_of_legs() {
    let legs = [Leg::Tls, Leg::Starttls, Leg::Cleartext];
    let tour = Path::new(TOUR);
    let mut before: Option<Mailscope> = None;
    for app in legs {
        for server in legs {
            let recording = before.as_ref().map_or(tour, Mailscope::out);
            let again = again(recording, app, server);
            for original in [tour, recording] {
                let said = diff(original, again.out());
                assert_eq!(said.0, 0, "{app:?} {server:?}: {}", said.1);
            }
            before = Some(again);
        }
    }
}
