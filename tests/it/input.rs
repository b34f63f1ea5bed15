//! Where a recording is read from: a transcript, a text with C: and S: lines, standard input; for every
//! command that reads one.

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::mailscope::{run, run_with};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("input";
        each_command_takes_both_forms_and_standard_input,
        a_text_has_no_times,
        an_exported_text_is_the_same_from_a_text,
        one_of_two_may_be_standard_input,
        what_is_no_recording_is_told_with_what_to_do,
        nothing_is_added_to_standard_input,
    )
}

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
const LATER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour-later.txt");
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

fn each_command_takes_both_forms_and_standard_input() {
    let commands: [&[&str]; 9] = [
        &["show"],
        &["show", "--filter", "command:FETCH"],
        &["stats"],
        &["stats", "--output", "json"],
        &[
            "stats",
            "--filter",
            "command:FETCH",
            "--budget",
            "commands=99",
        ],
        &["lint"],
        &["export", "--to", "text"],
        &["export", "--to", "pcapng", "--filter", "command:FETCH"],
        &["export", "--to", "html"],
    ];
    for path in [TOUR, LATER] {
        let octets = std::fs::read(path).unwrap();
        for command in commands {
            let named = run(&[command, &[path]].concat());
            assert_ne!(named.status.code(), Some(2), "{command:?}: {named:?}");
            assert!(!named.stdout.is_empty(), "{command:?}");
            let piped = run_with(&[command, &["-"]].concat(), &octets);
            assert_eq!(piped.status.code(), named.status.code(), "{command:?}");
            assert!(piped.stdout == named.stdout, "{command:?} {path}");
        }
    }
}

fn a_text_has_no_times() {
    let told = run(&["stats", LATER, "--output", "json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let select = &told["commands"]["SELECT"];
    assert!(
        select["count"].as_u64() > Some(0) && select["p50"].is_null(),
        "{select}"
    );
    assert!(told["connections"][0]["waiting"].is_null());
    let told = run(&["stats", LATER]);
    assert!(text(&told.stdout).contains("does not say when"), "{told:?}");
    let gate = run(&["stats", LATER, "--budget", "max:SELECT=1s"]);
    assert_eq!(gate.status.code(), Some(2));
    assert!(
        text(&gate.stderr).contains("measure max:SELECT"),
        "{gate:?}"
    );
    let slow = run(&["show", LATER, "--filter", "elapsed>=0s"]);
    assert_eq!(text(&slow.stdout), "");
    let shown = run(&["show", LATER]);
    assert!(!text(&shown.stdout).contains(" ms\n"), "{shown:?}");
}

fn an_exported_text_is_the_same_from_a_text() {
    let exported = run(&["export", TOUR, "--to", "text"]);
    let again = run_with(&["export", "-", "--to", "text"], &exported.stdout);
    assert_eq!(text(&again.stdout), text(&exported.stdout));
    let marked = [b"\xef\xbb\xbf", &*exported.stdout].concat();
    let again = run_with(&["export", "-", "--to", "text"], &marked);
    assert_eq!(text(&again.stdout), text(&exported.stdout));
}

fn one_of_two_may_be_standard_input() {
    let tour = std::fs::read(TOUR).unwrap();
    let same = run_with(&["diff", "-", TOUR], &tour);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    let other = run_with(&["diff", LATER, "-"], &tour);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
    assert!(
        text(&other.stdout).contains("+++ standard input"),
        "{other:?}"
    );
    let both = run_with(&["diff", "-", "-"], &tour);
    assert_eq!(both.status.code(), Some(2));
    assert!(
        text(&both.stderr).contains("a file for one of both"),
        "{both:?}"
    );
}

fn what_is_no_recording_is_told_with_what_to_do() {
    let commands: [&[&str]; 4] = [
        &["show"],
        &["stats"],
        &["lint"],
        &["export", "--to", "text"],
    ];
    let inputs: [(&[u8], &str); 5] = [
        (b"", "it is empty"),
        (b"\x1f\x8b\x08\x00", "gunzip -c"),
        (b"\x0a\x0d\x0d\x0a", "mailscope import"),
        (
            b"[package]",
            "not a transcript, nor a text of C: and S: lines",
        ),
        (b"{\"a\":1}", "not a transcript"),
    ];
    for command in commands {
        for (octets, why) in inputs {
            let output = run_with(&[command, &["-"]].concat(), octets);
            assert_eq!(output.status.code(), Some(2), "{command:?}: {output:?}");
            let said = text(&output.stderr);
            assert!(
                said.contains("standard input") && said.contains(why),
                "{said}"
            );
            assert_eq!(text(&output.stdout), "");
        }
        let named = run(&[command, &[MANIFEST]].concat());
        assert_eq!(named.status.code(), Some(2));
        assert!(
            text(&named.stderr).contains("Cargo.toml: this is not a transcript"),
            "{named:?}"
        );
    }
    let replay = run_with(&["replay", "-"], b"[package]");
    assert_eq!(replay.status.code(), Some(2));
    assert!(
        text(&replay.stderr).contains("nor a text of C: and S: lines"),
        "{replay:?}"
    );
}

fn nothing_is_added_to_standard_input() {
    let arguments = [
        "replay",
        "-",
        "--on-miss",
        "record",
        "--server",
        "imap://localhost",
    ];
    let output = run_with(&arguments, b"S: * OK hi\n");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        text(&output.stderr).contains("no file that could be added to"),
        "{output:?}"
    );
    assert!(!std::path::Path::new("-").exists());
}
