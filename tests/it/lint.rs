//! `mailscope lint`: what scripts rely on, and what people read.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{binary, record, run};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("lint";
        exit_codes_tell_how_it_went,
        a_finding_is_quoted_with_its_clause_and_who_is_to_blame,
        findings_as_json_are_one_a_line,
        findings_as_sarif_are_a_log_by_its_own_schema,
        a_result_says_where_and_what,
        rules_are_listed,
        a_rule_can_be_allowed_and_a_wrong_id_is_told_with_near_ones,
        no_octet_reaches_the_terminal_raw_and_no_row_is_too_wide,
        a_secret_is_not_quoted,
        a_literal_that_nobody_awaited_shows_in_a_recording,
        what_ships_has_the_mistakes_that_it_shows,
        findings_stand_below_their_events_live_as_in_show,
    )
}

const RECORDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings");

/// A mailbox of three messages, of which the app wants a fourth.
const WRONG: &str = "S: * OK [CAPABILITY IMAP4rev1] hi\nC: a LOGIN alice <secret:password>\n\
    S: a OK [CAPABILITY IMAP4rev1] in\nC: b SELECT INBOX\nS: * FLAGS (\\Seen)\nS: * 3 EXISTS\n\
    S: * OK [UIDVALIDITY 7] valid\nS: * OK [UIDNEXT 20] next\n\
    S: * OK [PERMANENTFLAGS (\\Seen)] these\nS: b OK [READ-WRITE] in\nC: c STORE 4 FLAGS ()\n\
    S: c NO there is none\n";

/// Nothing is wrong with it, but that LSUB is of the past.
const OLD: &str = "S: * OK hi\nC: a LOGIN alice <secret:password>\nS: a OK in\n\
    C: b LSUB \"\" \"*\"\nS: b OK done\n";

fn linted(text: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.txt");
    std::fs::write(&path, text).unwrap();
    run(&[&["lint", path.to_str().unwrap()], arguments].concat())
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn exit_codes_tell_how_it_went() {
    let quiet = "S: * OK hi\nC: a NOOP\nS: a OK done\n";
    for (text, code) in [(quiet, 0), (OLD, 0), (WRONG, 1), ("S: a\nnonsense\n", 2)] {
        let output = linted(text, &[]);
        assert_eq!(output.status.code(), Some(code), "{text}: {output:?}");
    }
    let broken = linted("S: * OK hi\nnonsense\n", &[]);
    assert!(
        stderr(&broken).contains("session.txt, line 2: "),
        "{broken:?}"
    );
    let literal = "S: * OK hi\nC: a LOGIN {5}\nC: alice <secret:password>\nS: a NO\n";
    assert_eq!(linted(literal, &[]).status.code(), Some(0));
    let wrong = linted(&literal.replace("{5}", "{50}"), &[]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    assert!(
        stderr(&wrong).contains("session.txt, line 2: "),
        "{wrong:?}"
    );
    let none = run(&["lint", "/nowhere/a.json"]);
    assert_eq!(none.status.code(), Some(2), "{none:?}");
    assert!(stderr(&none).contains("/nowhere/a.json"), "{none:?}");
    let torn = run(&["lint", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]);
    assert_eq!(torn.status.code(), Some(2), "{torn:?}");
}

fn a_finding_is_quoted_with_its_clause_and_who_is_to_blame() {
    let output = linted(WRONG, &[]);
    let expected = "#11 connection 1, 0.000 s\n  C: c STORE 4 FLAGS ()\n             ^ error \
        number-beyond-exists, by the client\n     A message number is not larger than the number of \
        messages, nor * where\n     there are none. Here: there are 3 messages.\n     RFC 9051, 9\n\n1 error, 0 warnings in 12 \
        events of 1 connection\n";
    assert_eq!(stdout(&output), expected);
}

fn findings_as_json_are_one_a_line() {
    let output = linted(WRONG, &["--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [finding] = lines.as_slice() else {
        panic!("{lines:?}");
    };
    for (member, value) in [
        ("id", "number-beyond-exists"),
        ("severity", "error"),
        ("blame", "client"),
        ("clause", "RFC 9051, 9"),
        ("about", "there are 3 messages"),
        ("from", "client"),
        ("line", "c STORE 4 FLAGS ()\\r\\n"),
        ("wrong", "4"),
    ] {
        assert_eq!(finding[member], value, "{finding}");
    }
    assert_eq!(
        (&finding["event"], &finding["conn"]),
        (&11.into(), &1.into())
    );
    assert_eq!((&finding["start"], &finding["end"]), (&8.into(), &9.into()));
}

/// SARIF's own schema, which a crate has in its sources.
fn sarif_schema() -> Value {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output_in_time()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let sarif = packages.iter().find(|one| one["name"] == "serde-sarif");
    let manifest = Path::new(sarif.unwrap()["manifest_path"].as_str().unwrap());
    let schema = manifest.with_file_name("src").join("schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    // A language tag's pattern has a bracket that nobody opened, which is no regular expression.
    for of in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][of]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    schema
}

fn findings_as_sarif_are_a_log_by_its_own_schema() {
    let schema = jsonschema::validator_for(&sarif_schema()).unwrap();
    let long = "x".repeat(2_000);
    let odd = format!(
        "S: * OK hi\nC\\: a SELECT {long}\\x1b[31m\\xff{long}\nC: b LOGIN a <secret:password>\n"
    );
    for (text, code) in [(WRONG, 1), (OLD, 0), ("S: * OK hi\n", 0), (&odd, 1)] {
        let output = linted(text, &["--sarif"]);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let log: Value = serde_json::from_slice(&output.stdout).unwrap();
        let wrong: Vec<_> = schema.iter_errors(&log).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    let bad = serde_json::json!({"version": "2.1.0", "runs": [{}]});
    assert!(!schema.is_valid(&bad), "a log without a tool is told");
}

/// Those that a viewer shows.
fn a_result_says_where_and_what() {
    let output = linted(WRONG, &["--sarif"]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let only = &log["runs"][0];
    assert_eq!(only["tool"]["driver"]["name"], "mailscope");
    let rules = only["tool"]["driver"]["rules"].as_array().unwrap();
    let [result] = only["results"].as_array().unwrap().as_slice() else {
        panic!("{only}");
    };
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(rules[index]["id"], "number-beyond-exists");
    assert_eq!(result["ruleId"], rules[index]["id"]);
    assert_eq!(result["level"], "error");
    let message = result["message"]["text"].as_str().unwrap();
    assert!(message.contains("3 messages"), "{message}");
    let place = &result["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(uri.ends_with("session.txt"), "{place}");
    assert_eq!(place["region"]["startLine"], 11, "{place}");
    let snippet = "c STORE 4 FLAGS ()\\r\\n";
    assert_eq!(place["region"]["snippet"]["text"], snippet, "{place}");
    // In a transcript, an event has a line of its own.
    let path = format!("{RECORDINGS}/tour.json");
    let output = run(&["lint", "--sarif", &path]);
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let result = &log["runs"][0]["results"][0];
    let region = &result["locations"][0]["physicalLocation"]["region"];
    let line = usize::try_from(region["startLine"].as_u64().unwrap()).unwrap();
    let file = std::fs::read_to_string(path).unwrap();
    let event = file.lines().nth(line - 1).unwrap();
    let number = format!("{{\"n\":{},", result["properties"]["event"]);
    assert!(event.starts_with(&number), "{event}");
}

fn rules_are_listed() {
    let text = run(&["lint", "--list-rules"]);
    assert_eq!(text.status.code(), Some(0));
    assert!(stdout(&text).contains("bare-lf  error, either, RFC 9051, 2.2\n"));
    let json = run(&["lint", "--list-rules", "--output", "json"]);
    let rules: Vec<Value> = stdout(&json)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(rules.len() >= 60, "{}", rules.len());
    for rule in rules {
        for member in ["id", "severity", "side", "clause", "url", "sentence"] {
            assert!(rule[member].is_string(), "{rule}");
        }
        assert!(stdout(&text).contains(rule["id"].as_str().unwrap()));
    }
}

fn a_rule_can_be_allowed_and_a_wrong_id_is_told_with_near_ones() {
    let output = linted(
        WRONG,
        &["--allow", "bare-lf", "--allow", "number-beyond-exists"],
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let output = linted(WRONG, &["--allow", "number-beyond-exist"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        stderr(&output).contains("try: number-beyond-exists"),
        "{output:?}"
    );
    assert_eq!(stdout(&output), "");
}

fn no_octet_reaches_the_terminal_raw_and_no_row_is_too_wide() {
    let long = "x".repeat(2_000);
    let text = format!("S: * OK hi\nC\\: a SELECT {long}\\x1b[31m\\xff\\u{long}\n")
        .replace("\\u", "\\xe2\\x80\\xae");
    for columns in ["40", "80", "200"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.txt");
        std::fs::write(&path, &text).unwrap();
        let output = binary()
            .env("COLUMNS", columns)
            .arg("lint")
            .arg(&path)
            .output_in_time()
            .unwrap();
        let printed = stdout(&output);
        assert!(printed.contains("\\x1b[31m"), "{printed}");
        assert!(
            printed.chars().all(|c| c == '\n' || !c.is_control()),
            "{printed:?}"
        );
        let widest = printed
            .lines()
            .map(|row| row.chars().count())
            .max()
            .unwrap();
        assert!(widest <= columns.parse().unwrap(), "{widest}: {printed}");
    }
    let colored = linted(WRONG, &["--color", "always"]);
    assert!(stdout(&colored).contains('\x1b'), "{colored:?}");
}

/// In a recording with secrets shown as well: findings are passed around.
fn a_secret_is_not_quoted() {
    let text = "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\nC: a LOGIN alice hunter2\n\
        C: LOGIN alice hunter2\nC: (hunter2\n";
    for arguments in [&[][..], &["--output", "json"], &["--sarif"]] {
        let output = linted(text, arguments);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        for id in ["login-disabled", "unknown-command", "malformed-command"] {
            assert!(stdout(&output).contains(id), "{output:?}");
        }
        assert!(!stdout(&output).contains("hunter2"), "{output:?}");
    }
}

/// The octets of a literal came, and no `+` before them: in a recording, which has all of them.
fn a_literal_that_nobody_awaited_shows_in_a_recording() {
    let recording = |go_ahead: &str| {
        format!(
            r#"{{"mailscope":{{"format":1,"started":"2026-11-23T12:00:00.000Z"}},"events":[
            {{"kind":"connected","client":"127.0.0.1:5","server":"localhost:143"}},
            {{"from":"server","kind":"greeting","wire":["* PREAUTH hi\\r\\n"]}},{go_ahead}
            {{"from":"client","kind":"command","wire":["a CREATE ",{{"literal":"x"}},"\\r\\n"]}},
            {{"from":"server","kind":"tagged","wire":["a OK done\\r\\n"]}}]}}"#
        )
    };
    let go_ahead = r#"{"from":"server","kind":"continuation_request","for":"literal","tag":"a","wire":["+ go\r\n"]},"#;
    for (recording, expected) in [(recording(""), true), (recording(go_ahead), false)] {
        let output = linted(&recording, &["--output", "json"]);
        let found = stdout(&output).contains("literal-not-awaited");
        assert_eq!(found, expected, "{output:?}");
    }
}

fn what_ships_has_the_mistakes_that_it_shows() {
    let found = |name: &str| {
        let path = format!("{RECORDINGS}/{name}");
        let output = run(&["lint", "--output", "json", &path]);
        let lines = stdout(&output).lines();
        let ids = lines.map(|line| {
            let finding: Value = serde_json::from_str(line).unwrap();
            finding["id"].as_str().unwrap().to_owned()
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found("tour.json"), ["arguments-missing", "rejected-as-bad"]);
    assert!(found("tour-later.txt").is_empty());
    // As little as an app's test needs.
    assert_eq!(
        found("two-mails.txt"),
        [
            "obsolete-command",
            "select-without-flags",
            "select-without-uidnext",
            "select-without-uidvalidity",
            "select-without-permanentflags",
        ]
    );
    let known = [
        "mistakes.txt",
        "tour-later.txt",
        "tour.json",
        "two-mails.txt",
    ];
    for file in std::fs::read_dir(RECORDINGS).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let is_known = known.contains(&&*name) || name.ends_with(".svg") || name.ends_with(".png");
        assert!(is_known, "say here what is found in {name}");
    }
    assert_eq!(
        found("mistakes.txt"),
        [
            "login-disabled",
            "cleartext-login",
            "ambiguous-pipelining",
            "extension-without-capability",
            "rejected-as-bad",
            "number-beyond-exists",
            "rejected-as-bad",
        ]
    );
}

fn findings_stand_below_their_events_live_as_in_show() {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none", "--lint"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a1", "LOGIN alice hunter2");
    app.command("a1", "NOOP");
    app.command("a2", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    mailscope.stop();
    let live = mailscope.stdout();
    assert!(
        live.contains("-- lint warning tag-reused (client): "),
        "{live}"
    );
    let out = mailscope.out().to_str().unwrap();
    let shown = run(&["show", "--lint", out]);
    assert_eq!(stdout(&shown), live);
    let json = run(&["show", "--lint", "--output", "json", out]);
    assert_eq!(json.status.code(), Some(2), "{json:?}");
    assert!(
        stderr(&json).contains("mailscope lint --output json"),
        "{json:?}"
    );
}
