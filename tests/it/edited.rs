//! Recordings that somebody edited, cut short or broke: what is right is played, and what is not is
//! refused with file, line and reason.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::{binary, run};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("edited";
        a_longer_and_a_shorter_literal_in_json_play,
        a_longer_literal_in_text_plays_with_its_new_count,
        a_refused_literal_in_a_text_is_no_wrong_count,
        a_torn_recording_is_played_as_far_as_it_goes,
        what_a_later_version_may_add_is_no_obstacle,
        what_is_no_recording_is_refused,
        what_is_broken_is_refused_with_its_line,
        wrong_counts_in_a_text_are_refused_with_their_line,
    )
}

const TOUR: &str = include_str!("../../recordings/tour.json");
const TWO_MAILS: &str = include_str!("../../recordings/two-mails.txt");

fn written(folder: &TempDir, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The text with one place in it changed, as with an editor.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// What the app of the tour obtains of its mails.
fn fetched(recording: &Path) -> String {
    let mut replay = Replay::start(recording, &["--quiet"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "LOGIN alice@example.com x");
    app.command("b", "LOGIN alice@example.com x");
    app.command("c", "SELECT INBOX (CONDSTORE)");
    let items = "(UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])";
    let fetched = app.command("d", &format!("UID FETCH 4388,4390 {items}"));
    assert_eq!(replay.stop().0, 0);
    fetched
}

fn a_longer_and_a_shorter_literal_in_json_play() {
    let folder = tempfile::tempdir().unwrap();
    let before = fetched(&written(&folder, "tour.json", TOUR));
    assert!(
        before.contains("{141}\r\nDate: Mon, 23 Nov 2026"),
        "{before}"
    );
    let subject = "Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=";
    for other in [
        "Subject: much longer than what the server said, and with {9} in it, as typed by hand",
        "Subject: x",
        // Octets count, not letters.
        "Subject: gr\u{fc}n",
    ] {
        let count = 141 - subject.len() + other.len();
        let edited = changed(TOUR, subject, other);
        let after = fetched(&written(&folder, "edited.json", edited));
        assert!(after.contains(&format!("{{{count}}}\r\n")), "{after}");
        let expected = before
            .replace(subject, other)
            .replace("{141}", &format!("{{{count}}}"));
        assert_eq!(after, expected);
    }
}

fn body_of_two_mails(recording: &Path) -> String {
    let mut replay = Replay::start(recording, &["--quiet"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    app.command("a", "LOGIN alice x");
    app.command("b", "SELECT INBOX");
    let body = app.command("c", "FETCH 2 BODY[TEXT]");
    assert_eq!(replay.stop().0, 0);
    body
}

fn a_longer_literal_in_text_plays_with_its_new_count() {
    let folder = tempfile::tempdir().unwrap();
    let edited = changed(
        TWO_MAILS,
        "{7}\nS: hello\n",
        "{19}\nS: hello\nS: \nS: good bye\n",
    );
    assert_eq!(
        body_of_two_mails(&written(&folder, "edited.txt", edited)),
        "* 2 FETCH (BODY[TEXT] {19}\r\nhello\r\n\r\ngood bye\r\n)\r\nc OK done\r\n"
    );
    // A literal may end within a line.
    let edited = changed(TWO_MAILS, "{7}\nS: hello\nS: )\n", "{5}\nS: hello)\n");
    assert_eq!(
        body_of_two_mails(&written(&folder, "edited.txt", edited)),
        "* 2 FETCH (BODY[TEXT] {5}\r\nhello)\r\nc OK done\r\n"
    );
    // So does the tour's, whose literals were written by mailscope.
    let path = written(&folder, "tour.json", TOUR);
    let text = run(&["export", path.to_str().unwrap(), "--to", "text"]);
    let text = String::from_utf8(text.stdout).unwrap();
    let text = changed(&text, "{141}", "{101}");
    let subject = "=?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=";
    let edited = fetched(&written(&folder, "tour.txt", changed(&text, subject, "x")));
    assert!(
        edited.contains("{101}\r\nDate: Mon, 23 Nov 2026"),
        "{edited}"
    );
    assert!(edited.contains("Subject: x\r\n\r\n)\r\n"), "{edited}");
}

/// `replay` does not start; what it says.
fn refused(path: &Path) -> String {
    let path = path.to_str().unwrap();
    let listeners = ["--listen-tls", "127.0.0.1:0", "--listen-plain", "none"];
    let mut replay = binary()
        .args(["replay", path])
        .args(listeners)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    let mut lines = BufReader::new(replay.stderr.take().unwrap());
    while lines.read_line(&mut said).unwrap() > 0 {
        if said.contains("mailscope: replaying") {
            replay.kill().unwrap();
            replay.wait().unwrap();
            panic!("it was not refused: {path}");
        }
    }
    assert_eq!(replay.wait().unwrap().code(), Some(2), "{said}");
    assert!(said.contains(path), "{said}");
    said
}

fn wrong_counts_in_a_text_are_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let line = 1 + TWO_MAILS
        .lines()
        .position(|line| line.ends_with("{7}"))
        .unwrap();
    for (count, reason) in [
        // `lo` is left over.
        ("{3}", "does not go on with it"),
        // Reaches into the tagged response, to its end and beyond.
        ("{10}", "does not go on with it"),
        ("{12}", "does not go on with it"),
        ("{100}", "fewer octets than its count says, up to the end"),
    ] {
        let edited = changed(TWO_MAILS, "{7}", count);
        let said = refused(&written(&folder, "edited.txt", edited));
        assert!(
            said.contains(&format!("line {line}: ")) && said.contains(reason),
            "{count}: {said}"
        );
    }
    for (text, line, reason) in [
        (
            "S: * OK\nC: a APPEND x {9+}\nC: hello\nS: a OK done\n",
            2,
            "up to line 4",
        ),
        (
            "S: * OK\nC: a APPEND x {3+}\nC: hello\nS: a OK done\n",
            2,
            "does not go on",
        ),
        (
            "S: * OK\nS: * LIST () \"/\" {9}\nS: Drafts\n# connection 2\nS: * OK\n",
            2,
            "up to line 5",
        ),
    ] {
        let said = refused(&written(&folder, "hand.txt", text));
        assert!(
            said.contains(&format!("line {line}: ")) && said.contains(reason),
            "{text}: {said}"
        );
    }
}

fn a_refused_literal_in_a_text_is_no_wrong_count() {
    let folder = tempfile::tempdir().unwrap();
    let text = "S: * PREAUTH ready\nC: a APPEND x {300}\nS: a NO too large\nC: b APPEND y {5}\nS: + go\n\
                C: hello\nS: b OK done\n";
    let mut replay = Replay::start(&written(&folder, "hand.txt", text), &["--require-all"]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* PREAUTH");
    app.say(b"x APPEND x {300}\r\n");
    app.hear("x NO too large");
    app.say(b"y APPEND y {5}\r\n");
    app.hear("+ ");
    app.say(b"hello\r\n");
    app.hear("y OK done");
    let (code, report) = replay.stop();
    assert_eq!(code, 0, "{report:#}");
}

/// As a power cut leaves it: in the middle of an event, or just before its end.
fn a_torn_recording_is_played_as_far_as_it_goes() {
    let folder = tempfile::tempdir().unwrap();
    let within = TOUR.find("\"n\":43,").unwrap() + 200;
    for (length, never_asked) in [(within, 6), (TOUR.len() - 4, 8), (TOUR.len() - 2, 8)] {
        let path = written(&folder, "torn.json", &TOUR[..length]);
        let mut replay = Replay::start(&path, &["--quiet"]);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK");
        app.command("a", "LOGIN alice@example.com x");
        app.command("b", "LOGIN alice@example.com x");
        assert!(
            app.command("c", "SELECT INBOX (CONDSTORE)")
                .contains("c OK")
        );
        let (code, report) = replay.stop();
        assert_eq!(code, 0);
        let never = report["never_asked"].as_array().unwrap().len();
        assert_eq!(never, never_asked, "{report:#}");
        let said = replay.read("stderr");
        assert!(
            said.contains("torn.json ends unfinished in line "),
            "{said}"
        );
    }
}

fn what_is_broken_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<&str> = TOUR.lines().collect();
    let line = 7;
    let with = |text: &str| {
        let mut edited = lines.clone();
        edited[line - 1] = text;
        edited.join("\n")
    };
    let own = lines[line - 1];
    for (from, to, reason) in [
        ("\"kind\"", "kind", "key must be a string"),
        ("]},", "]}", "expected , or ]"),
        ("]},", "]},,", "expected a value"),
        ("]},", "]}x,", "expected , or ]"),
        ("]},", "", "the line ends within a string"),
        ("[\"", "[\"\\x", "invalid escape"),
        ("\"wire\":[", "\"wire\":7,\"w\":[", "integer `7`"),
        ("\"from\":\"client\"", "\"from\":\"nobody\"", "\"nobody\""),
        ("\"from\":\"client\"", "\"from\":3", "integer `3`"),
        ("\"kind\":\"command\"", "\"kind\":3", "integer `3`"),
        ("\"n\":5", "\"n\":\"five\"", "\"five\""),
        ("\"conn\":1", "\"conn\":-1", "`-1`"),
        ("\"at\":0.050000", "\"at\":\"soon\"", "\"soon\""),
        ("\"a1 CAPABILITY\\r\\n\"", "{\"base64\":\"%\"}", "base64"),
        (
            "\"a1 CAPABILITY\\r\\n\"",
            "{\"litteral\":\"\"}",
            "one of base64, literal",
        ),
        (own, "[],", "a kind or a wire"),
        (own, "\u{fffd}", "expected value"),
    ] {
        let broken = match to {
            "" => own[..own.len() - 10].to_owned(),
            to => changed(own, from, to),
        };
        let said = refused(&written(&folder, "broken.json", with(&broken)));
        // What is missing is noticed in the line behind it.
        let place = match to {
            "]}" => line + 1,
            _ => line,
        };
        let place = format!("line {place}: ");
        assert!(
            said.contains(&place) && said.contains(reason),
            "{broken}\n{said}"
        );
    }
}

/// `wire` is the truth; a kind that nobody knows, and what a later version adds, is no obstacle.
fn what_a_later_version_may_add_is_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let more = "\"kind\":\"order\",\"weather\":{\"rain\":[1]}";
    let edited = TOUR.replace("\"kind\":\"command\"", more);
    let end = "\"kind\":\"closed\"}\n]}";
    let edited = changed(
        &edited,
        end,
        &format!("\"kind\":\"weather\"}},\n{{\"n\":60,\"conn\":1,\"at\":6.0,{end}"),
    );
    let edited = fetched(&written(&folder, "later.json", edited));
    assert_eq!(edited, fetched(&written(&folder, "tour.json", TOUR)));
}

fn what_is_no_recording_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let newer = changed(TOUR, "\"format\":1", "\"format\":2");
    for (name, content, reason) in [
        ("newer.json", newer.as_bytes(), "line 1: "),
        ("newer.json", newer.as_bytes(), "format 2"),
        ("empty.json", b"", "not a transcript"),
        ("blank.json", b"\n \n", "not a transcript"),
        ("letter.json", b"Dear mailscope,\n", "not a transcript"),
        ("other.json", b"{\"name\":\"x\"}", "not a transcript"),
        ("list.json", b"[1,2]", "not a transcript"),
        ("binary.json", b"\x89PNG\r\n\x1a\n\x00\xff", "not a transcript"),
("zeros.json", b"\x00\x00", "not a transcript"),
        ("half.json", b"{\"mailscope\":{\"format\":1,\"started\":\"2026-11-23T12:00:00.000Z\"},\n\"events\":[\n", "nothing is said"),
        ("hand.txt", b"S: * OK\nwhat\n", "line 2: "),
        ("hand.txt", b"# nothing\n", "nothing is said"),
    ] {
        let said = refused(&written(&folder, name, content));
        assert!(said.contains(reason), "{name}: {said}");
    }
    refused(folder.path());
    refused(&folder.path().join("missing.json"));
}
