//! `mailscope stats`: the shape that scripts read, budgets that fail a build, and the same at the end of
//! a recording.

use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{binary, record, run};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("stats";
        the_json_has_the_promised_shape,
        the_text_fits_the_width,
        colours_say_nothing_alone,
        a_budget_is_a_gate,
        bad_input_is_told_and_exit_code_2,
        a_torn_transcript_is_counted_up_to_there,
        record_says_the_same_at_the_end,
    )
}

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn the_json_has_the_promised_shape() {
    let output = run(&["stats", TOUR, "--output", "json"]);
    assert!(output.status.success(), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(stdout(&output).lines().count(), 1);
    let fetch = &told["commands"]["UID FETCH"];
    assert_eq!(fetch["count"], 1);
    for time in ["p50", "p90", "p99", "max"] {
        assert_eq!(fetch[time], 0.0443);
    }
    assert_eq!(fetch["bytes_client"], 81);
    assert_eq!(fetch["round_trips"], 1);
    assert_eq!(told["commands"]["IDLE"]["round_trips"], 0);
    assert_eq!(told["commands"]["LOGIN"]["count"], 2);
    let connection = &told["connections"][0];
    assert_eq!(connection["conn"], 1);
    assert_eq!(connection["time_to_first_message"], 2.0638);
    assert_eq!(connection["idling"], 2.8003);
    assert_eq!(connection["round_trips"], 10);
    let waste = told["waste"].as_array().unwrap().iter();
    let waste: Vec<(&str, Option<&str>)> = waste
        .map(|item| (item["kind"].as_str().unwrap(), item["capability"].as_str()))
        .collect();
    let unused = |name| ("unused-capability", Some(name));
    assert_eq!(
        waste,
        [
            ("asked-again", None),
            unused("COMPRESS=DEFLATE"),
            unused("MOVE")
        ]
    );
}

fn the_text_fits_the_width() {
    for width in [40, 60, 80, 132] {
        let output = binary()
            .args(["stats", TOUR])
            .env("COLUMNS", width.to_string())
            .output_in_time()
            .unwrap();
        let text = stdout(&output);
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{text}"
        );
        assert!(
            text.contains("UID FETCH") && !text.contains('\x1b'),
            "{text}"
        );
    }
}

fn colours_say_nothing_alone() {
    let arguments = ["stats", TOUR, "--budget", "commands=1,bytes=1MiB"];
    let plain = run(&arguments);
    let painted = run(&[&arguments[..], &["--color", "always"]].concat());
    let painted = stdout(&painted);
    assert!(
        painted.contains("\u{1b}[31;1mEXCEEDED\u{1b}["),
        "{painted:?}"
    );
    assert!(painted.contains("asked-again:\u{1b}["), "{painted:?}");
    let mut bare = String::new();
    let mut rest = painted;
    while let Some((before, behind)) = rest.split_once('\u{1b}') {
        bare.push_str(before);
        rest = behind.split_once('m').unwrap().1;
    }
    bare.push_str(rest);
    assert_eq!(bare, stdout(&plain));
}

fn a_budget_is_a_gate() {
    for (budget, code, told) in [
        ("commands=11,bytes=1MiB,round-trips=10", 0, ""),
        ("commands=10", 1, "over budget: commands 11, allowed 10"),
        (
            "commands=11,bytes=2KiB",
            1,
            "over budget: bytes 2.2 KiB, allowed 2.0 KiB",
        ),
        (
            "waiting=700ms",
            1,
            "over budget: waiting 777 ms, allowed 700 ms",
        ),
        ("waste=1", 0, ""),
        ("waste=0", 1, "over budget: waste 1, allowed 0"),
        ("waste:asked-again=0", 1, "over budget: waste:asked-again 1"),
        ("waste:fetched-twice=0,commands:LIST=2,unanswered=0", 0, ""),
        (
            "commands:FETCH=0",
            1,
            "over budget: commands:FETCH 1, allowed 0",
        ),
        ("max:LOGIN=420ms,p50:LOGIN=161ms,bytes:LIST=1KiB", 0, ""),
        (
            "max:LOGIN=400ms",
            1,
            "over budget: max:LOGIN 420 ms, allowed 400 ms",
        ),
        ("first-mail=1s", 1, "over budget: first-mail 2.1 s"),
        ("max:COPY=0s,setup=1s,duration=1min", 0, ""),
    ] {
        let output = run(&["stats", TOUR, "--budget", budget]);
        assert_eq!(output.status.code(), Some(code), "{budget}: {output:?}");
        assert!(stderr(&output).contains(told), "{budget}: {output:?}");
        assert_eq!(stdout(&output).contains("EXCEEDED"), code == 1, "{budget}");
        let json = run(&["stats", TOUR, "--budget", budget, "--output", "json"]);
        let json_told: Value = serde_json::from_slice(&json.stdout).unwrap();
        let budget = json_told["budget"].as_array().unwrap();
        let exceeded = budget.iter().any(|verdict| verdict["exceeded"] == true);
        assert_eq!((json.status.code(), exceeded), (Some(code), code == 1));
    }
}

fn bad_input_is_told_and_exit_code_2() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, told) in [
        (&["stats", "/nowhere/a.json"][..], "/nowhere/a.json"),
        (&["stats", manifest], "not a transcript, nor a text"),
        (
            &["stats", TOUR, "--budget", "commands=many"],
            "commands wants a whole number",
        ),
        (
            &["stats", TOUR, "--budget", "fetches=1"],
            "no figure is called \"fetches\", but bytes",
        ),
        (
            &["stats", TOUR, "--budget", "bytes"],
            "--budget commands=70,bytes=1MiB",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(stderr(&output).contains(told), "{output:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
}

fn a_torn_transcript_is_counted_up_to_there() {
    let folder = tempfile::tempdir().unwrap();
    let torn = folder.path().join("torn.json");
    let text = std::fs::read_to_string(TOUR).unwrap();
    std::fs::write(&torn, &text[..text.find("\"tag\":\"a4\"").unwrap()]).unwrap();
    let output = run(&["stats", torn.to_str().unwrap(), "--output", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stderr(&output).contains("torn.json"), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["totals"]["commands"], 3);
}

fn record_says_the_same_at_the_end() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none", "--stats", "--quiet"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a1", "LOGIN alice hunter2");
    app.command("a2", "NOOP");
    app.finish();
    mailscope.closed(1);
    mailscope.stop();
    let told = run(&["stats", mailscope.out().to_str().unwrap()]);
    let (told, said) = (stdout(&told), mailscope.stderr());
    assert!(
        told.contains("NOOP") && said.contains(told),
        "{said}\n{told}"
    );
    assert_eq!(mailscope.stdout(), "");
}
