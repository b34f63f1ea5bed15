//! Import: what others kept is a transcript that fits the schema, is shown, linted and replayed; and what
//! mailscope exported comes back.

mod captures;
mod counts;
mod links;
mod logs;
mod programs;
mod samples;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::replay::{Replay, TOUR};
use super::support::app::App;
use super::support::mailscope::{binary, run};
use super::support::transcript::Transcript;
use super::support::{schema, trials};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("import";
        a_password_is_masked_unless_it_is_to_be_shown,
        bad_input_is_told_and_what_can_be_read_is_kept,
        it_is_for_its_owner_alone_and_never_overwritten,
        standard_output_has_the_same,
    );
    trials.extend(captures::trials());
    trials.extend(counts::trials());
    trials.extend(links::trials());
    trials.extend(logs::trials());
    trials.extend(programs::trials());
    trials.extend(samples::trials());
    trials
}

/// A folder with one file in it.
fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn import(path: &Path, arguments: &[&str]) -> (Output, PathBuf) {
    let out = path.with_extension("imported.json");
    let output = binary()
        .arg("import")
        .arg(path)
        .arg("-o")
        .arg(&out)
        .args(arguments)
        .output_in_time()
        .unwrap();
    (output, out)
}

/// The import of a file that is whole: it fits the schema and is shown.
fn imported(path: &Path, arguments: &[&str]) -> (Transcript, PathBuf) {
    let (output, out) = import(path, arguments);
    assert!(output.status.success(), "{output:?}");
    (checked(&out), out)
}

fn checked(out: &Path) -> Transcript {
    let transcript = Transcript::read(out);
    let errors = schema::errors(&transcript);
    assert!(errors.is_empty(), "{errors:?}");
    let shown = run(&["show", out.to_str().unwrap()]);
    assert!(shown.status.success(), "{shown:?}");
    assert!(!shown.stdout.is_empty());
    let linted = run(&["lint", out.to_str().unwrap()]);
    assert!(matches!(linted.status.code(), Some(0 | 1)), "{linted:?}");
    transcript
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn exported(transcript: &Path, form: &str) -> Vec<u8> {
    let transcript = transcript.to_str().unwrap();
    let output = run(&["export", transcript, "--to", form]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// What was said, of each message what it is, without numbers and times.
fn meaning(transcript: &Transcript) -> Vec<Value> {
    let said = transcript
        .events()
        .iter()
        .filter(|event| event.get("wire").is_some());
    said.map(|event| {
        json!([
            event["conn"],
            event["from"],
            event["kind"],
            event["tag"],
            event["name"],
            event["wire"]
        ])
    })
    .collect()
}

/// The recordings that ship.
fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(TOUR).parent().unwrap();
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let recordings: Vec<PathBuf> = entries.filter(json).collect();
    assert!(!recordings.is_empty());
    recordings
}

fn a_password_is_masked_unless_it_is_to_be_shown() {
    let text = "S: * OK hi\nC: a LOGIN alice open-Sesame\nS: a OK open-Sesame is right\n";
    let (_folder, path) = file("session.txt", text);
    let (transcript, out) = imported(&path, &[]);
    assert!(!transcript.text().contains("open-Sesame"));
    assert_eq!(transcript.header()["secrets"], "masked");
    assert_eq!(transcript.kind("command")[0]["identity"], "alice");
    fs::remove_file(out).unwrap();
    let (transcript, _) = imported(&path, &["--show-secrets"]);
    assert!(transcript.text().contains("open-Sesame"));
    assert_eq!(transcript.header()["secrets"], "shown");
    assert_eq!(transcript.notes("secrets-shown").len(), 1);
}

fn it_is_for_its_owner_alone_and_never_overwritten() {
    let (_folder, path) = file("session.txt", "S: * OK hi\n");
    let (_, out) = imported(&path, &[]);
    assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&out).unwrap();
    let (output, _) = import(&path, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("never overwritten"));
    assert_eq!(fs::read(&out).unwrap(), before);
    let without = run(&["import", path.to_str().unwrap()]);
    assert_eq!(without.status.code(), Some(2));
    assert!(stderr(&without).contains("--out"));
}

fn standard_output_has_the_same() {
    let (_folder, path) = file("session.txt", "S: * OK hi\nC: a NOOP\nS: a OK\n");
    let (_, out) = imported(&path, &[]);
    let printed = run(&["import", path.to_str().unwrap(), "-o", "-"]);
    assert!(printed.status.success());
    assert!(printed.stdout == fs::read(out).unwrap());
}

fn bad_input_is_told_and_what_can_be_read_is_kept() {
    let capture = exported(Path::new(TOUR), "pcapng");
    let cut = capture[..capture.len() / 2].to_vec();
    let cases: [(&str, &[u8], &str, bool); 8] = [
        ("empty", b"", "it is empty", false),
        ("mail.txt", b"Dear all,\n", "of no kind", false),
        ("a.gz", b"\x1f\x8b\x08", "compressed", false),
        (
            "a.json",
            b"{\"mailscope\":{}}",
            "a transcript already",
            false,
        ),
        (
            "a.txt",
            b"S: * OK hi\nC: a NOOP\nand so on\n",
            "a.txt, line 3: ",
            true,
        ),
        (
            "b.txt",
            b"S: * OK hi\nC\\: a \\q\n",
            "b.txt, line 2: ",
            true,
        ),
        ("c.pcapng", &cut, "c.pcapng, octet ", true),
        (
            "d.in",
            b"1700000000.000001 a NOOP\r\nNOOP\r\n",
            "d.in, line 2: ",
            true,
        ),
    ];
    for (name, content, words, is_kept) in cases {
        let (_folder, path) = file(name, content);
        let (output, out) = import(&path, &[]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        let said = stderr(&output);
        assert!(
            said.contains(words) && said.contains(name),
            "{name}: {said}"
        );
        assert_eq!(out.exists(), is_kept, "{name}");
        if is_kept {
            let transcript = checked(&out);
            assert_eq!(transcript.notes("import-ends").len(), 1, "{name}");
            assert_eq!(transcript.kind("gap").len(), 1, "{name}");
            assert!(said.contains("events are in"), "{name}: {said}");
        }
    }
    let output = run(&["import", "/no/such/file", "-o", "/no/such/out"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/no/such/file"));
}

/// Asks a replay for the same by an app of our own.
fn asked_again(transcript: &Path, commands: &[&str]) {
    let mut replay = Replay::start(transcript, &[]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK");
    for (number, command) in commands.iter().enumerate() {
        app.command(&format!("x{number}"), command);
    }
    let (code, report) = replay.stop();
    assert_eq!((code, &report["mismatches"]), (0, &json!([])));
}
