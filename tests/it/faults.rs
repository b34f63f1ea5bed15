//! Faults on purpose: what the app is given with `--fault`, by `replay` and by `record` alike, and
//! what a transcript says of it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::{Mailscope, record, run};
use super::support::transcript::Transcript;
use super::support::wiretap::Wiretap;
use super::support::{schema, trials};

pub fn trials() -> Vec<Trial> {
    trials!("faults";
        a_command_is_refused_with_a_code,
        a_command_of_any_length_is_refused,
        a_literal_lies,
        a_reset_is_one,
        a_seed_repeats_what_was_left_to_chance,
        a_stalled_command_gets_no_answer,
        an_append_is_refused_and_does_not_reach_the_server,
        bad_input_is_refused,
        bye_comes_with_the_end,
        latency_is_no_bandwidth,
        octets_take_their_time,
        the_connection_closes_after_so_many_octets,
        the_connection_closes_behind_an_answer,
        uidvalidity_is_another,
        writes_are_split,
    )
}

const MAIL: usize = 20_000;

fn recorded() -> String {
    let mail = "0123456789abcdef\r\n".repeat(MAIL / 18);
    let octets = mail.len();
    let mail: String = mail.lines().map(|line| format!("S: {line}\n")).collect();
    format!(
        "S: * OK ready\nC: a LOGIN alice x\nS: a OK in\nC: b SELECT INBOX\nS: * 1 EXISTS\n\
         S: * OK [UIDVALIDITY 7] ok\nS: b OK [READ-WRITE] selected\nC: c FETCH 1 BODY[TEXT]\n\
         S: * 1 FETCH (BODY[TEXT] {{5}}\nS: 12345 UID 3)\nS: c OK\nC: d FETCH 1 BODY.PEEK[]\n\
         S: * 1 FETCH (BODY[] {{{octets}}}\n{mail}S: )\nS: d OK\nC: e NOOP\nS: e OK\n\
         C: f APPEND x {{3}}\nS: + go\nC: abc\nS: f OK\n"
    )
}

/// mailscope as a server with faults: `replay` alone, or `record` in front of one without.
enum Faulty {
    Replay(Replay),
    Record(Box<Mailscope>, Replay),
}

impl Faulty {
    fn plain(&self) -> &str {
        match self {
            Self::Replay(replay) => replay.address("plain"),
            Self::Record(mailscope, _) => mailscope.plain(),
        }
    }

    fn tls(&self) -> &str {
        match self {
            Self::Replay(replay) => replay.address("tls"),
            Self::Record(mailscope, _) => mailscope.tls(),
        }
    }

    fn ca(&self) -> PathBuf {
        match self {
            Self::Replay(replay) => replay.ca(),
            Self::Record(mailscope, _) => mailscope.ca(),
        }
    }

    /// Logged in.
    fn app(&self) -> App {
        let mut app = App::plain(self.plain());
        app.hear("* OK");
        app.command("a", "LOGIN alice x");
        app
    }

    /// The transcript of a `record`, which ends.
    fn transcript(&mut self) -> Option<Transcript> {
        match self {
            Self::Replay(_) => None,
            Self::Record(mailscope, _) => Some(mailscope.stop()),
        }
    }
}

/// The test is done with both.
fn each(faults: &[&str], test: impl Fn(&mut Faulty)) {
    let (folder, text) = text();
    let flags: Vec<&str> = faults.iter().flat_map(|fault| ["--fault", fault]).collect();
    test(&mut Faulty::Replay(Replay::start(&text, &flags)));
    let server = Replay::start(&text, &[]);
    let mailscope = record(&format!("imap://{}", server.address("plain")))
        .with(&["--server-tls", "none"])
        .with(&flags)
        .start();
    test(&mut Faulty::Record(Box::new(mailscope), server));
    drop(folder);
}

fn text() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("recorded.txt");
    std::fs::write(&text, recorded()).unwrap();
    (folder, text)
}

/// The transcript says which faults there may be, and that this one struck; it fits the schema.
fn is_told(faulty: &mut Faulty, fault: &str) {
    let Some(transcript) = faulty.transcript() else {
        return;
    };
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    let notes = transcript.kind("note");
    let has = |id: &str| {
        let has = |note: &&&Value| note["id"] == id && has_words(note, fault);
        notes.iter().find(has).is_some()
    };
    assert!(has("faults-on") && has("fault"), "{}", transcript.text());
}

fn has_words(note: &Value, words: &str) -> bool {
    note["text"].as_str().unwrap().contains(words)
}

fn a_command_is_refused_with_a_code() {
    each(&["no:SELECT=OVERQUOTA", "bad:noop"], |faulty| {
        let mut app = faulty.app();
        let answer = app.command("x", "SELECT INBOX");
        assert!(answer.starts_with("x NO [OVERQUOTA] "), "{answer}");
        let answer = app.command("y", "NOOP");
        assert!(answer.starts_with("y BAD "), "{answer}");
        app.say(b"z EXAMINE \"INBOX\"\r\nzz NOOP\r\n");
        let answers = app.hear("zz ");
        assert!(answers.contains("zz BAD "), "{answers}");
        is_told(faulty, "no:SELECT=OVERQUOTA");
    });
}

/// What is too long to hold, too: nothing of it reaches the server, and what follows is answered. So is
/// one that no fault strikes.
fn a_command_of_any_length_is_refused() {
    let long = format!("x SEARCH TEXT {}\r\ny NOOP\r\n", "x".repeat(1_500_000));
    each(&["no:SEARCH"], |faulty| {
        let mut app = faulty.app();
        app.say(long.as_bytes());
        let answers = app.hear("y ");
        assert!(answers.starts_with("x NO injected"), "{answers}");
        let bad = answers.lines().find(|line| line.contains("BAD"));
        assert_eq!(bad, None);
    });
    each(&["no:FETCH"], |faulty| {
        let mut app = faulty.app();
        app.say(long.as_bytes());
        app.hear("y OK");
    });
}

fn an_append_is_refused_and_does_not_reach_the_server() {
    each(&["no:APPEND=TRYCREATE"], |faulty| {
        let mut app = faulty.app();
        app.say(b"x APPEND x {3}\r\n");
        let answer = app.hear("x ");
        assert!(answer.starts_with("x NO [TRYCREATE] "), "{answer}");
        app.say(b"y APPEND x {3+}\r\nabc\r\n");
        app.hear("y NO [TRYCREATE] ");
        app.command("z", "NOOP");
        if let Faulty::Record(mailscope, server) = faulty {
            let transcript = mailscope.stop();
            let appends = transcript.kind("command").into_iter();
            let appends: Vec<_> = appends.filter(|c| c["name"] == "APPEND").collect();
            assert_eq!(appends.len(), 2);
            assert!(appends.iter().all(|c| c["sent"] == serde_json::json!([])));
            let (_, report) = server.stop();
            assert!(report["never_asked"].to_string().contains("APPEND"));
        }
    });
}

fn bye_comes_with_the_end() {
    each(&["bye:SELECT=UNAVAILABLE"], |faulty| {
        for mut app in [faulty.app(), {
            let mut app = App::tls(faulty.tls(), "localhost", &faulty.ca());
            app.hear("* OK");
            app.command("a", "LOGIN alice x");
            app
        }] {
            app.say(b"x SELECT INBOX\r\ny NOOP\r\n");
            app.hear("* BYE [UNAVAILABLE] ");
            assert_eq!(app.rest().unwrap(), b"");
        }
        is_told(faulty, "bye:SELECT");
    });
    each(&["bye:GREETING"], |faulty| {
        let mut app = App::plain(faulty.plain());
        app.hear("* BYE ");
        assert_eq!(app.rest().unwrap(), b"");
    });
}

fn a_reset_is_one() {
    each(&["reset:FETCH"], |faulty| {
        let mut app = faulty.app();
        app.command("x", "SELECT INBOX");
        app.say(b"y FETCH 1 BODY[TEXT]\r\n");
        let error = app.rest().expect_err("a reset");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        is_told(faulty, "reset:FETCH");
    });
}

fn a_stalled_command_gets_no_answer() {
    each(&["stall:SELECT"], |faulty| {
        let mut app = faulty.app();
        app.say(b"x SELECT INBOX\r\n");
        for tag in ["y", "z"] {
            assert_eq!(app.command(tag, "NOOP").lines().count(), 1);
        }
        app.finish();
        assert_eq!(app.rest().unwrap(), b"");
        is_told(faulty, "stall:SELECT");
    });
}

fn the_connection_closes_behind_an_answer() {
    each(&["close-after=SELECT"], |faulty| {
        let mut app = faulty.app();
        assert!(app.command("x", "SELECT INBOX").contains("x OK"));
        assert_eq!(app.rest().unwrap(), b"");
        is_told(faulty, "close-after=SELECT");
    });
}

fn the_connection_closes_after_so_many_octets() {
    each(&["close-after=4KiB"], |faulty| {
        let mut app = App::tls(faulty.tls(), "localhost", &faulty.ca());
        app.say(b"a LOGIN alice x\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n");
        assert_eq!(app.rest().unwrap().len(), 4096);
        is_told(faulty, "close-after=4KiB");
    });
}

fn a_literal_lies() {
    each(&["lie-literal"], |faulty| {
        let mut app = faulty.app();
        app.command("x", "SELECT INBOX");
        let answer = app.command("y", "FETCH 1 BODY[TEXT]");
        assert!(
            answer.contains("* 1 FETCH (BODY[TEXT] {6}\r\n12345 UID 3)\r\n"),
            "{answer}"
        );
        is_told(faulty, "lie-literal");
    });
}

fn uidvalidity_is_another() {
    each(&["uidvalidity"], |faulty| {
        let mut app = faulty.app();
        let answer = app.command("x", "SELECT INBOX");
        assert!(answer.contains("[UIDVALIDITY 8] ok"), "{answer}");
        is_told(faulty, "uidvalidity");
    });
}

/// Every TLS record behind the handshake holds one octet; and the app gets what it gets otherwise.
fn writes_are_split() {
    each(&["split=1"], |faulty| {
        let wiretap = Wiretap::before(faulty.tls());
        let mut app = App::tls(&wiretap.name(), "localhost", &faulty.ca());
        app.hear("* OK ready");
        app.command("a", "LOGIN alice x");
        app.command("b", "SELECT INBOX");
        let mail = app.command("c", "FETCH 1 BODY.PEEK[]");
        assert!(mail.len() > MAIL && mail.ends_with(")\r\nc OK\r\n"));
        let lengths = wiretap.application_data_of_the_server();
        // One octet, its content type and its tag (RFC 8446, section 5.2).
        let single = lengths.iter().filter(|length| **length == 1 + 1 + 16);
        assert!(single.count() > MAIL, "{lengths:?}");
        let mut app = App::plain(faulty.plain());
        app.hear("* OK");
        app.command("a", "STARTTLS");
        app.begin_tls("localhost", &faulty.ca());
        assert!(app.command("b", "LOGIN alice x").contains("b OK"));
    });
}

/// Lower bounds alone: a busy machine takes longer.
fn octets_take_their_time() {
    each(&["latency=150ms", "jitter=50ms"], |faulty| {
        let begun = Instant::now();
        let mut app = App::plain(faulty.plain());
        app.hear("* OK");
        assert!(begun.elapsed() >= Duration::from_millis(150));
        let begun = Instant::now();
        app.command("a", "LOGIN alice x");
        assert!(begun.elapsed() >= Duration::from_millis(150));
    });
    each(&["bandwidth=20KiB"], |faulty| {
        let mut app = faulty.app();
        app.command("b", "SELECT INBOX");
        let begun = Instant::now();
        let octets = app.command("c", "FETCH 1 BODY.PEEK[]").len();
        // What is let go at once is a hundredth of a second's.
        let least = Duration::from_secs_f64(octets as f64 / (20.0 * 1024.0)).mul_f64(0.95);
        assert!(begun.elapsed() >= least, "{:?}", begun.elapsed());
    });
}

/// Commands sent one after the other without waiting are all late once, and not each behind the one
/// before it: a hundred of them would take more than three minutes.
fn latency_is_no_bandwidth() {
    each(&["latency=2s"], |faulty| {
        let mut app = App::plain(faulty.plain());
        app.say(b"a LOGIN alice x\r\n");
        app.hear("a OK");
        for n in 0..100 {
            app.say(format!("n{n} NOOP\r\n").as_bytes());
            std::thread::yield_now();
        }
        let begun = Instant::now();
        app.hear("n99 OK");
        assert!(begun.elapsed() < Duration::from_secs(100));
    });
}

fn a_seed_repeats_what_was_left_to_chance() {
    let (_folder, text) = text();
    let pattern = |seed: &str| {
        let arguments = ["--fault", "no:NOOP@0.5", "--seed", seed];
        let replay = Replay::start(&text, &arguments);
        let patterns: Vec<Vec<bool>> = (0..2)
            .map(|_| {
                let mut app = App::plain(replay.address("plain"));
                app.hear("* OK");
                let mut noop = |n| app.command(&format!("t{n}"), "NOOP").contains(" NO ");
                (0..32).map(&mut noop).collect()
            })
            .collect();
        patterns
    };
    let seven = pattern("7");
    assert_eq!(pattern("7"), seven);
    assert_ne!(pattern("8"), seven);
    assert_ne!(seven[0], seven[1], "each connection has its own luck");
    // Without one, the seed that was thrown is told, and repeats the run.
    let thrown = Replay::start(&text, &["--fault", "no:NOOP@0.5"]);
    let told = thrown.read("stderr");
    let seed = told.split("--seed ").nth(1).expect("the seed");
    let seed: String = seed.chars().take_while(char::is_ascii_digit).collect();
    let mut app = App::plain(thrown.address("plain"));
    app.hear("* OK");
    let mut noop = |n| app.command(&format!("t{n}"), "NOOP").contains(" NO ");
    let first: Vec<bool> = (0..32).map(&mut noop).collect();
    assert_eq!(pattern(&seed)[0], first);
}

fn bad_input_is_refused() {
    let (folder, text) = text();
    let text = text.to_str().unwrap();
    for (fault, words) in [
        ("latncy=1s", "latency=50ms"),
        ("split=0", "split=1"),
        ("no:FECTH", "FECTH is no command"),
        ("no:SELECT@7", "from 0 to 1"),
    ] {
        for arguments in [["replay", text], ["record", "localhost:1"]] {
            let flags = ["--listen-tls", "127.0.0.1:0", "--listen-plain", "none"];
            let out = folder.path().join("never.json");
            let mut all = [&arguments[..], &flags, &["--fault", fault]].concat();
            if arguments[0] == "record" {
                all.extend(["--out", out.to_str().unwrap()]);
            }
            let output = run(&all);
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{stderr}");
            let unwrapped = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(unwrapped.contains(words), "{stderr}");
            assert!(!Path::exists(&out), "nothing is made");
        }
    }
    let output = run(&["replay", text, "--seed", "7"]);
    assert_eq!(output.status.code(), Some(2), "a seed of nothing");
}
