//! A bar while something takes long: on a terminal, as wide as that, and gone at the end.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::support::mailscope::{binary, run};
use super::support::patience::InTime;
use super::support::programs::{SCRIPT, needing};
use super::support::terminal::in_a_terminal;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut trials = needing(
        &[SCRIPT],
        trials!("progress";
            long_work_has_a_bar_that_is_gone_at_the_end,
            lines_on_the_terminal_are_in_nobodys_way,
            what_is_over_at_once_has_none,
        ),
    );
    trials.extend(trials!("progress"; a_pipe_has_none));
    trials
}

const COLUMNS: usize = 40;

/// A transcript that takes a while, on this machine and in the quickest way.
fn long_enough(folder: &TempDir) -> PathBuf {
    const LONG: Duration = Duration::from_secs(1);
    let mut exchanges = 12_000;
    loop {
        let path = long(folder, exchanges);
        let out = folder.path().join("out");
        let _ = std::fs::remove_file(&out);
        let [from, to] = [&path, &out].map(|path| path.to_str().unwrap());
        let begun = Instant::now();
        let exported = run(&["export", from, "--to", "pcapng", "-o", to]);
        assert!(exported.status.success());
        if begun.elapsed() > LONG {
            return path;
        }
        exchanges *= 2;
        assert!(exchanges < 2_000_000, "no machine is so quick");
    }
}

fn long(folder: &TempDir, exchanges: usize) -> PathBuf {
    let path = folder.path().join("long.json");
    let mut events = String::from("{\"mailscope\":{\"format\":1},\n\"events\":[\n");
    events.push_str("{\"from\":\"server\",\"wire\":[\"* PREAUTH hi\\r\\n\"]}");
    for n in 0..exchanges {
        events.push_str(&format!(
            ",\n{{\"from\":\"client\",\"wire\":[\"t{n} FETCH {n} ENVELOPE\\r\\n\"]}},\n\
             {{\"from\":\"server\",\"wire\":[\"* {n} FETCH (ENVELOPE (NIL \\\"subject {n} of some length\\\" NIL NIL NIL NIL NIL NIL NIL NIL))\\r\\n\"]}},\n\
             {{\"from\":\"server\",\"wire\":[\"t{n} OK done\\r\\n\"]}}"
        ));
    }
    events.push_str("\n]}\n");
    std::fs::write(&path, events).unwrap();
    path
}

/// What a terminal of [`COLUMNS`] columns is given, by a command of the shell.
fn on_a_terminal(command: &str) -> Output {
    let command = format!("stty rows 24 cols {COLUMNS}; {command}");
    in_a_terminal(&command).output_in_time().unwrap()
}

fn mailscope(arguments: &str, path: &Path) -> String {
    let binary = binary();
    let binary = binary.get_program().to_str().unwrap();
    let path = path.to_str().unwrap();
    let arguments = arguments.replace("LONG", &format!("'{path}'"));
    format!("'{binary}' {arguments}")
}

/// What stands on the terminal in the end, and the longest row that ever stood there.
fn shown(output: &Output) -> (String, usize) {
    let text = String::from_utf8_lossy(&output.stdout);
    let (mut rows, mut row, mut longest) = (Vec::new(), String::new(), 0);
    let mut rest = &*text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\n' => rows.push(std::mem::take(&mut row)),
            '\r' if rest.starts_with('\n') => {}
            '\r' => {
                longest = longest.max(row.chars().count());
                // What is written next stands over it.
                row = String::new();
            }
            '\u{1b}' => {
                let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                if rest[..=end].ends_with('K') {
                    longest = longest.max(row.chars().count());
                    row.clear();
                }
                rest = &rest[end + 1..];
            }
            c => row.push(c),
        }
    }
    rows.push(row);
    (rows.join("\n"), longest)
}

fn long_work_has_a_bar_that_is_gone_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_enough(&folder);
    let (out, text) = (folder.path().join("out"), folder.path().join("long.txt"));
    let exported = run(&[
        "export",
        path.to_str().unwrap(),
        "--to",
        "text",
        "-o",
        text.to_str().unwrap(),
    ]);
    assert!(exported.status.success());
    for (arguments, words) in [
        (
            "scrub LONG -o OUT",
            &["reading", "replacing", "checking"][..],
        ),
        ("export LONG --to pcapng -o OUT", &["reading"]),
        ("export LONG --to html -o OUT", &["reading"]),
        ("export LONG --to text > OUT", &["reading"]),
        ("import TEXT -o OUT", &["writing"]),
        ("show LONG > OUT", &["reading"]),
        ("stats LONG > OUT", &["reading"]),
        ("lint LONG > OUT; true", &["reading"]),
        ("diff LONG LONG > OUT", &["reading"]),
    ] {
        let _ = std::fs::remove_file(&out);
        let arguments = arguments.replace("OUT", &format!("'{}'", out.display()));
        let arguments = arguments.replace("TEXT", &format!("'{}'", text.display()));
        let output = on_a_terminal(&mailscope(&arguments, &path));
        assert!(output.status.success(), "{arguments}: {output:?}");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (left, longest) = shown(&output);
        for word in words {
            assert!(said.contains(word), "{arguments}, {word}: {said:?}");
        }
        assert!(said.contains(" % "), "{arguments}: {said:?}");
        assert!(
            longest <= COLUMNS && longest > COLUMNS / 2,
            "{arguments}: {longest}"
        );
        for word in ["%", "━", "─", "reading", "checking"] {
            assert!(!left.contains(word), "{arguments}: {left:?}");
        }
        let written = std::fs::read(&out).unwrap();
        assert!(!written.windows(3).any(|window| window == "━".as_bytes()));
    }
}

fn lines_on_the_terminal_are_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(&folder, 12_000);
    for arguments in ["show LONG", "export LONG --to text"] {
        let output = on_a_terminal(&mailscope(arguments, &path));
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            !said.contains('━') && said.contains("t11999"),
            "{arguments}"
        );
    }
    let dumb = format!("TERM=dumb {} > /dev/null", mailscope("show LONG", &path));
    let output = on_a_terminal(&dumb);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

fn what_is_over_at_once_has_none() {
    let tour = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/tour.json");
    for arguments in ["show LONG > /dev/null", "stats LONG > /dev/null"] {
        let output = on_a_terminal(&mailscope(arguments, &tour));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments}");
    }
}

fn a_pipe_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = long(&folder, 12_000);
    let path = path.to_str().unwrap();
    for arguments in [&["show", path][..], &["stats", path]] {
        let output = run(arguments);
        assert!(output.status.success());
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
