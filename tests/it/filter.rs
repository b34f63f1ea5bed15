//! `--filter`: the same for every command that has it, live and from a transcript.

use std::collections::BTreeSet;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{Mailscope, binary, record, run};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("filter";
        show_repeats_what_a_filtered_record_showed,
        json_has_the_matching_events_alone,
        an_exported_text_has_what_matches,
        pages_and_captures_have_what_matches,
        stats_count_whole_exchanges,
        bad_filters_say_where_with_exit_code_2,
        a_filter_that_nothing_matches_says_so,
    )
}

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn recorded(arguments: &[&str]) -> Mailscope {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .with(arguments)
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a1", "LOGIN alice hunter2");
    app.command("a2", "SELECT INBOX");
    app.command("a3", "NOOP");
    app.command("a4", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    mailscope.stop();
    mailscope
}

fn show_repeats_what_a_filtered_record_showed() {
    for arguments in [
        &["--filter", "command:NOOP,LOGIN"][..],
        &[
            "--filter",
            "-from:server elapsed>0 or status:OK mailbox:INBOX",
        ],
        &["--filter", "kind:closed or \"HUNTER2\"", "--output", "json"],
        &["--filter", "from:client", "--color", "always"],
    ] {
        let mailscope = recorded(arguments);
        let shown = binary()
            .arg("show")
            .arg(mailscope.out())
            .args(arguments)
            .output_in_time()
            .unwrap();
        assert_eq!(stdout(&shown), mailscope.stdout(), "{arguments:?}");
        assert_ne!(stdout(&shown), "", "{arguments:?}");
        assert!(!stdout(&shown).contains("hunter2"), "{arguments:?}");
        // The transcript is whole.
        let transcript = mailscope.transcript();
        let kinds = transcript
            .events()
            .iter()
            .map(|event| event["kind"].as_str().unwrap());
        let kinds: BTreeSet<&str> = kinds.collect();
        assert!(kinds.is_superset(&["connected", "command", "tagged", "closed"].into()));
        let numbers = transcript
            .events()
            .iter()
            .map(|event| event["n"].as_u64().unwrap());
        assert!(numbers.eq(1..=transcript.events().len() as u64));
    }
}

fn json_has_the_matching_events_alone() {
    let events = run(&["show", TOUR, "--output", "json"]);
    let events: Vec<Value> = stdout(&events)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kind = |event: &Value| event["kind"].as_str().unwrap().to_owned();
    let kinds: BTreeSet<String> = events.iter().map(kind).collect();
    assert!(kinds.len() > 8);
    let check = |filter: &str, wanted: &dyn Fn(&Value) -> bool| {
        let shown = run(&["show", TOUR, "--output", "json", "--filter", filter]);
        let shown: Vec<Value> = stdout(&shown)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let expected: Vec<Value> = events
            .iter()
            .filter(|event| wanted(event))
            .cloned()
            .collect();
        assert_eq!(shown, expected, "{filter}");
        assert!(!shown.is_empty(), "{filter}");
    };
    for kind in &kinds {
        check(&format!("kind:{kind}"), &|event| event["kind"] == **kind);
    }
    check("from:server", &|event| event["from"] == "server");
    check("status:NO,BAD", &|event| {
        event["status"] == "NO" || event["status"] == "BAD"
    });
    check("unsolicited", &|event| event["unsolicited"] == true);
    check("code:UIDNEXT", &|event| event["code"]["name"] == "UIDNEXT");
    check("elapsed>=44.3ms", &|event| {
        event["elapsed"].as_f64().is_some_and(|time| time >= 0.0443)
    });
    check("not n<=30", &|event| event["n"].as_u64().unwrap() > 30);
    check("command:SELECT", &|event| {
        event["n"] == 27 || event["answers"] == 27
    });
}

fn an_exported_text_has_what_matches() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("fetch.txt");
    let filter = ["--filter", "command:FETCH or kind:greeting"];
    let arguments = ["export", TOUR, "--to", "text", "-o", out.to_str().unwrap()];
    let output = run(&[&arguments[..], &filter].concat());
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("S: * OK [CAPABILITY"), "{text}");
    assert!(lines[1].starts_with("C: a9 UID FETCH"), "{text}");
    assert!(
        text.contains("S: Subject: Re: the moth") && !text.contains("EXPUNGE"),
        "{text}"
    );
    assert_eq!(lines.last(), Some(&"S: a9 OK Success"));
}

fn pages_and_captures_have_what_matches() {
    for (form, list, fetch) in [
        ("html", "{\"n\":15,", "{\"n\":42,"),
        ("pcapng", "a5 LIST", "a9 UID FETCH"),
    ] {
        let exported = |filter: &[&str]| {
            let output = run(&[&["export", TOUR, "--to", form][..], filter].concat());
            assert!(output.status.success(), "{output:?}");
            output.stdout
        };
        let has = |octets: &[u8], text: &str| {
            let mut windows = octets.windows(text.len());
            windows.any(|window| window == text.as_bytes())
        };
        let (whole, some) = (exported(&[]), exported(&["--filter", "command:FETCH"]));
        assert!(has(&whole, list) && has(&whole, fetch), "{form}");
        assert!(!has(&some, list) && has(&some, fetch), "{form}");
        assert!(some.len() < whole.len(), "{form}");
    }
}

fn stats_count_whole_exchanges() {
    for (filter, commands, octets) in [
        ("command:FETCH", 1, 81),
        ("status:NO,BAD", 2, 37 + 12),
        ("conn:1", 11, 295),
        ("conn:2", 0, 0),
    ] {
        let output = run(&["stats", TOUR, "--output", "json", "--filter", filter]);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["totals"]["commands"], commands, "{filter}");
        assert_eq!(told["totals"]["bytes_client"], octets, "{filter}");
    }
}

fn bad_filters_say_where_with_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let bad = ["--filter", "command:FETCH conn:two"];
    for command in [
        &["show", TOUR][..],
        &["stats", TOUR],
        &["export", TOUR, "--to", "text"],
        &[
            "record",
            "localhost:1",
            "--listen-tls",
            "none",
            "--listen-plain",
            "127.0.0.1:0",
        ],
    ] {
        let output = binary()
            .args(command)
            .args(bad)
            .current_dir(folder.path())
            .output_in_time()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {output:?}");
        assert_eq!(stdout(&output), "", "{command:?}");
        assert_eq!(
            stderr(&output),
            "mailscope: read the filter: expected a whole number behind conn:\n    \
             command:FETCH conn:two\n                       ^^^\n",
            "{command:?}"
        );
    }
    let left = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 0, "nothing was begun");
}

fn a_filter_that_nothing_matches_says_so() {
    let output = run(&["show", TOUR, "--filter", "conn:2"]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), ""));
    assert!(
        stderr(&output).contains("none of the 59 events matches"),
        "{output:?}"
    );
}
