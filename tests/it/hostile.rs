//! Whoever wrote a transcript, or speaks on the wire, does not get at the terminal of the one who reads
//! it: whatever stands in a transcript, in whichever place, no command prints a control character, an
//! escape sequence or a mark that turns text round.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use super::replay::{Replay, TOUR};
use super::support::app::App;
use super::support::mailscope::binary;
use super::support::patience::InTime;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("hostile";
        no_transcript_drives_the_terminal_of_any_command,
        no_log_drives_the_terminal_of_an_import,
        no_app_drives_the_terminal_of_a_replay,
    )
}

/// A colour, a title, C1's CSI, right-to-left override, an invisible space, DEL.
const HOSTILE: &str = "x\u{1b}[31m\u{1b}]0;t\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{7f}\u{8}y";

/// What may not be printed; line ends may.
fn raw(text: &str) -> Option<char> {
    let is_raw = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().find(is_raw)
}

fn assert_clean(output: &Output, what: &str) {
    for octets in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(octets).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(raw(text), None, "{what}: {text:?}");
    }
    let code = output.status.code();
    assert!(matches!(code, Some(0..=2)), "{what}: {output:?}");
}

/// Every key whose value is a string, or a list with strings in it, somewhere below.
fn keys(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let has_text = value.is_string()
                    || value
                        .as_array()
                        .is_some_and(|list| list.iter().any(Value::is_string));
                if has_text && !found.contains(key) {
                    found.push(key.clone());
                }
                keys(value, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
        _ => {}
    }
}

/// Puts hostile text into all strings of this key, before the line's end and in front.
fn poison(value: &mut Value, key: &str) {
    fn put(value: &mut Value) {
        match value {
            Value::String(text) => {
                *text = match text.strip_suffix("\r\n") {
                    Some(line) => format!("{line}{HOSTILE}\r\n"),
                    None => format!("{text}{HOSTILE}"),
                };
            }
            Value::Array(list) => list.iter_mut().for_each(put),
            _ => {}
        }
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match name == key {
                    true => put(value),
                    false => poison(value, key),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| poison(value, key)),
        _ => {}
    }
}

/// In the transcript's own form, one event a line.
fn laid_out(transcript: &Value) -> String {
    let events = transcript["events"].as_array().unwrap();
    let events: Vec<String> = events.iter().map(Value::to_string).collect();
    let head = &transcript["mailscope"];
    format!(
        "{{\"mailscope\":{head},\n\"events\":[\n{}\n]}}\n",
        events.join(",\n")
    )
}

fn tour() -> Value {
    serde_json::from_str(&std::fs::read_to_string(TOUR).unwrap()).unwrap()
}

/// All poisoned copies of the tour, by what is poisoned.
fn poisoned(folder: &Path) -> Vec<(String, String)> {
    let tour = tour();
    let mut names = Vec::new();
    keys(&tour, &mut names);
    assert!(names.len() > 15, "{names:?}");
    let copies = names.into_iter().map(|key| {
        let mut copy = tour.clone();
        poison(&mut copy, &key);
        assert_ne!(copy, tour, "{key}");
        let path = folder.join(format!("{key}.json"));
        std::fs::write(&path, laid_out(&copy)).unwrap();
        (key, path.display().to_string())
    });
    copies.collect()
}

fn no_transcript_drives_the_terminal_of_any_command() {
    let folder = tempfile::tempdir().unwrap();
    for (key, path) in poisoned(folder.path()) {
        let commands: [&[&str]; 11] = [
            &["show", &path],
            &["show", "--explain", "--lint", &path],
            &["show", "--output", "json", &path],
            &["lint", &path],
            &["lint", "--output", "json", &path],
            &["lint", "--sarif", &path],
            &["stats", &path],
            &["stats", "--output", "json", &path],
            &["diff", TOUR, &path],
            &["diff", "--output", "json", TOUR, &path],
            &["export", "--to", "text", &path],
        ];
        for command in commands {
            let output = binary()
                .current_dir(folder.path())
                .args(command)
                .output_in_time()
                .unwrap();
            assert_clean(&output, &format!("{key}: {command:?}"));
        }
        let text = format!("{path}.txt");
        let export = ["export", "--to", "text", &path, "-o", &text];
        if binary().args(export).status_in_time().unwrap().success() {
            let import = binary().args(["import", &text, "-o", "-"]).output_in_time();
            assert_clean(&import.unwrap(), &format!("{key}: import"));
        }
        let scrubbed = format!("{path}.scrubbed");
        let mut scrub = binary();
        let output = scrub
            .args(["scrub", &path, "-o", &scrubbed])
            .output_in_time();
        assert_clean(&output.unwrap(), &format!("{key}: scrub"));
    }
}

/// Logs of others, and no log at all.
fn no_log_drives_the_terminal_of_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.txt");
    for log in [
        format!(
            "S: * OK ready {HOSTILE}\nC: a{HOSTILE} LOGIN a b\nS: {HOSTILE}\nC: b NOOP {{x{HOSTILE}\n"
        ),
        format!("> a NOOP{HOSTILE}\n< * OK {HOSTILE}\n"),
        format!("  17:02:03.5 > b'A1 NOOP{HOSTILE}'\n  17:02:03.6 < b'* OK {HOSTILE}'\n"),
        format!("{HOSTILE}\n"),
        format!("# connection {HOSTILE}\nS: * OK\n"),
    ] {
        std::fs::write(&path, log).unwrap();
        for to in ["-", "imported.json"] {
            let mut import = binary();
            import.current_dir(folder.path()).arg("import").arg(&path);
            let output = import.args(["-o", to]).output_in_time().unwrap();
            assert_clean(&output, &format!("{output:?}"));
        }
        let _ = std::fs::remove_file(folder.path().join("imported.json"));
    }
}

/// What an app says that was not recorded is told at the end, beside what was.
fn no_app_drives_the_terminal_of_a_replay() {
    let folder = tempfile::tempdir().unwrap();
    let mut hostile = tour();
    poison(&mut hostile, "wire");
    let path = folder.path().join("hostile.json");
    std::fs::write(&path, laid_out(&hostile)).unwrap();
    for path in [Path::new(TOUR), &path] {
        let mut replay = Replay::start(path, &[]);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK");
        for line in [
            format!("a1 LOGIN alice{HOSTILE} secret\r\n"),
            format!("a2 SELECT \"{HOSTILE}\"\r\n"),
            format!("a3{HOSTILE} NOOP\r\n"),
        ] {
            app.say(line.as_bytes());
        }
        app.say(b"a4 NOOP\r\n");
        app.hear("a4 ");
        app.finish();
        replay.stop();
        for name in ["stdout", "stderr", "report.json"] {
            let text = replay.read(name);
            assert_eq!(raw(&text), None, "{name}: {text:?}");
        }
    }
}
