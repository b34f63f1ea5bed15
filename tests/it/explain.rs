//! What the words of IMAP mean: `explain`, and `--explain` below each line.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;
use serde_json::Value;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::{binary, record, run};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    trials!("explain";
        a_rule_of_lint_is_a_term,
        a_term_is_explained_with_its_rfc,
        terms_are_taken_as_they_stand_on_the_wire,
        an_unknown_term_is_exit_code_2_with_near_ones,
        json_has_an_object_a_meaning,
        without_a_term_all_are_listed,
        no_row_is_wider_than_the_page,
        show_explains_as_record_does,
        explaining_adds_rows_and_changes_none,
        the_tour_is_a_tutorial,
        json_is_the_same_with_and_without,
        live_a_session_is_explained_as_on_its_transcript,
    )
}

const TOUR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// What `explain` says of terms that it knows.
fn explained(terms: &[&str]) -> String {
    let output = run(&[&["explain"], terms].concat());
    assert!(output.status.success(), "{terms:?}: {output:?}");
    assert_eq!(stderr(&output), "");
    stdout(&output).to_owned()
}

fn a_term_is_explained_with_its_rfc() {
    assert_eq!(
        explained(&["unselect"]),
        "UNSELECT  command  RFC 9051, 6.4.2\n  \
         Closes the mailbox and removes nothing from it.\n\
         UNSELECT  capability  RFC 3691, 2\n  \
         A mailbox can be closed without removing anything from it.\n"
    );
    assert_eq!(
        explained(&["BODY.PEEK[1]<0.100>"]),
        "BODY.PEEK  FETCH item  RFC 9051, 6.4.5\n  \
         A part of the message, without marking the message as read.\n  \
         Here: the first 100 octets of part 1.\n"
    );
    assert!(explained(&["X-GM-LABELS"]).starts_with("X-GM-LABELS  FETCH item  no RFC, Gmail\n"));
    let colored = run(&["--color", "always", "explain", "unselect"]);
    assert!(stdout(&colored).starts_with("\x1b["), "{colored:?}");
}

fn terms_are_taken_as_they_stand_on_the_wire() {
    for (terms, begins) in [
        (&["uid fetch"][..], "UID FETCH  command"),
        (&["UID", "FETCH"], "UID FETCH  command"),
        (&["\\Seen"], "\\Seen  flag"),
        (&["$Phishing"], "$Phishing  flag"),
        (&["[UIDVALIDITY"], "UIDVALIDITY  response code"),
        (&["AUTH=PLAIN"], "AUTH=  capability"),
        (&["BODY.PEEK[HEADER]"], "BODY.PEEK  FETCH item"),
        (&["BODY[1.2]<0.100>"], "BODY  FETCH item"),
        (&["COMPRESS=DEFLATE"], "COMPRESS=DEFLATE  capability"),
        (&["--", "-FLAGS"], "-FLAGS  option"),
        (&["noop", "--color", "never"], "NOOP  command"),
        (&["starttls-injection"], "starttls-injection  note"),
        (
            &["/shared/vendor/cmu/size"],
            "/shared/vendor/  METADATA entry",
        ),
        (&["lrs"], "l  ACL right"),
        (&["MessageNew"], "MessageNew  NOTIFY event"),
    ] {
        assert!(explained(terms).starts_with(begins), "{terms:?}");
    }
    let several = explained(&["UID", "NOOP", "IDLE"]);
    for begins in ["UID  FETCH item", "NOOP  command", "IDLE  command"] {
        assert!(several.contains(begins), "{several}");
    }
}

fn an_unknown_term_is_exit_code_2_with_near_ones() {
    let output = run(&["explain", "FECTH", "NOOP"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("FECTH"), "{output:?}");
    assert!(stderr(&output).contains("did you mean FETCH"), "{output:?}");
    assert!(stdout(&output).starts_with("NOOP  command"), "{output:?}");

    let output = run(&["explain", "qqqqqqqq\x1b[31m"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("explain --list"), "{output:?}");
    assert!(!stderr(&output).contains('\x1b'), "{output:?}");
}

fn objects(output: &Output) -> Vec<Value> {
    let lines = stdout(output).lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn json_has_an_object_a_meaning() {
    let output = run(&["--output", "json", "explain", "AUTH=xoauth2"]);
    let objects = objects(&output);
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["asked"], "AUTH=xoauth2");
    assert_eq!(objects[0]["kind"], "capability");
    assert_eq!(objects[0]["clause"], "RFC 9051, 7.2.2");
    assert_eq!(objects[1]["term"], "XOAUTH2");
    assert_eq!(objects[1]["origin"], "Google");
    assert_eq!(objects[1].get("clause"), None);
    assert!(objects[1]["sentence"].as_str().unwrap().ends_with('.'));
}

fn without_a_term_all_are_listed() {
    let list = explained(&[]);
    assert_eq!(list, explained(&["--list"]));
    for heading in [
        "commands\n",
        "\ncapabilities\n",
        "\nSEARCH keys\n",
        "\nnotes\n",
    ] {
        assert!(list.contains(heading), "{list}");
    }
    let all = objects(&run(&["--output", "json", "explain"]));
    assert!(all.len() > 500, "{}", all.len());
    for object in all {
        let term = object["term"].as_str().unwrap();
        assert!(list.contains(term), "{term}");
        let again = objects(&run(&["--output", "json", "explain", "--", term]));
        assert!(
            again.iter().any(|found| found["kind"] == object["kind"]),
            "{term}"
        );
    }
}

fn no_row_is_wider_than_the_page() {
    for columns in ["40", "50", "80"] {
        let width: usize = columns.parse().unwrap();
        for arguments in [
            &["explain", "--list"][..],
            &["explain", "UIDVALIDITY", "SCRAM-SHA-512-PLUS", "UIDBATCHES"],
            &["show", "--explain", TOUR],
        ] {
            let output = binary()
                .args(arguments)
                .env("COLUMNS", columns)
                .output_in_time()
                .unwrap();
            for row in stdout(&output).lines() {
                // The longest terms and drafts are wider than the narrowest page.
                let is_one_word = row.trim().split("  ").count() == 1 && !row.trim().contains(". ");
                let fits = row.chars().count() <= width;
                assert!(
                    fits || is_one_word && row.chars().count() < 60,
                    "{columns}: {row}"
                );
            }
        }
    }
}

fn show_explains_as_record_does() {
    for arguments in [&["--explain"][..], &["--explain", "--color", "always"]] {
        let server = Server::plain(polite);
        let mut mailscope = record(&server.name())
            .with(&["--server-tls", "none"])
            .with(arguments)
            .start();
        for _ in 0..2 {
            let mut app = App::plain(mailscope.plain());
            app.hear("* OK");
            app.command("a1", "LOGIN alice hunter2");
            app.say("a2 CREATE \"\u{202e}\x1b[31mü\"\r\n".as_bytes());
            app.hear("a2 ");
            app.command("a3", "UID FETCH 1:* (FLAGS)");
            app.command("a4", "LOGOUT");
            app.finish();
            app.rest().unwrap();
        }
        mailscope.closed(2);
        mailscope.stop();
        let shown = binary()
            .arg("show")
            .args(arguments)
            .arg(mailscope.out())
            .output_in_time()
            .unwrap();
        assert_eq!(stdout(&shown), mailscope.stdout(), "{arguments:?}");
        let text = stdout(&shown);
        assert_eq!(text.matches("creates the mailbox").count(), 1, "{text}");
        assert!(text.contains("RFC 9051, 6.3.4"), "{text}");
        for hostile in ["\u{202e}", "\x1b[31mü", "hunter2"] {
            assert!(!text.contains(hostile), "{text}");
        }
    }
}

fn explaining_adds_rows_and_changes_none() {
    let plain = run(&["show", TOUR]);
    let explained = run(&["show", "--explain", TOUR]);
    let mut rows = stdout(&explained).lines();
    for row in stdout(&plain).lines() {
        assert!(rows.any(|other| other == row), "{row}");
    }
    let (before, after) = (stdout(&plain).lines(), stdout(&explained).lines());
    assert!(after.count() > before.count() + 50);
}

/// Each of these is what somebody new to IMAP would ask at that line.
fn the_tour_is_a_tutorial() {
    let output = run(&["show", "--explain", TOUR]);
    let text = unfolded(stdout(&output));
    let mut rest = text.as_str();
    for answer in [
        "-- the server speaks first: it is ready for commands (RFC 9051, 7.1.1)",
        "[CAPABILITY]: a response code: what an app can act on, where the text behind it is for people",
        "IMAP4rev1: the version of the protocol from 2003",
        "-- asks what the server can do (RFC 9051, 6.1.1) a1: a word that the app makes up",
        "-- logs in as alice@example.com, with a password (RFC 9051, 6.2.3)",
        "AUTHENTICATIONFAILED: the name or the password is wrong",
        "-- asks which mailboxes there are, on all levels (*)",
        "\\Noselect: cannot be opened",
        "is modified UTF-7 for Reisen/Köln (RFC 3501, 5.1.3)",
        "-- opens the mailbox INBOX (RFC 9051, 6.3.2)",
        "-- the mailbox holds 55 messages (RFC 9051, 7.4.1)",
        "-- asks for the UIDs of the messages that are unread",
        "-- asks for UID, flags and the header lines DATE, FROM and SUBJECT of the messages with \
         UIDs 4388 and 4390, without marking them as read",
        "is an encoded word for René (RFC 2047, 2)",
        "-- a server may report changes at any time",
        "-- waits: the server reports changes as they happen until the app says DONE",
        "-- ends the session",
    ] {
        let Some(at) = rest.find(answer) else {
            panic!("not in its place: {answer}\n{text}")
        };
        rest = &rest[at + answer.len()..];
    }
    for once in ["RFC 9051, 6.3.9)", "\\HasNoChildren:", "IDLE:", "UID:"] {
        assert_eq!(text.matches(once).count(), 1, "{once}");
    }
}

fn json_is_the_same_with_and_without() {
    let plain = run(&["--output", "json", "show", TOUR]);
    let explained = run(&["--output", "json", "show", "--explain", TOUR]);
    assert_eq!(stdout(&plain), stdout(&explained));
}

fn a_rule_of_lint_is_a_term() {
    let listed = run(&["lint", "--list-rules", "--output", "json"]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    for line in listed.lines() {
        let rule: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = rule["id"].as_str().unwrap();
        let output = run(&["explain", &id.to_uppercase()]);
        assert!(output.status.success(), "{id}: {output:?}");
        assert!(!output.stdout.is_empty(), "{id}");
    }
}

/// The text on one row, however it was folded.
fn unfolded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The tour, played by a replay that explains, to an app behind a relay that explains: what both say of it
/// while it happens is what `show` says of the relay's transcript.
fn live_a_session_is_explained_as_on_its_transcript() {
    let mut replay = Replay::start(Path::new(TOUR), &["--explain"]);
    let mut mailscope = record(replay.address("plain"))
        .with(&["--server-tls", "none", "--explain"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    for (tag, command) in [
        ("b1", "CAPABILITY"),
        ("b2", "LOGIN alice@example.com wrong"),
        ("b3", "LOGIN alice@example.com hunter2"),
        ("b4", "LIST \"\" \"*\""),
        ("b5", "SELECT INBOX (CONDSTORE)"),
        ("b6", "UID SEARCH UNSEEN"),
        (
            "b7",
            "UID FETCH 4388,4390 (UID FLAGS BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)])",
        ),
        ("b8", "LOGOUT"),
    ] {
        app.command(tag, command);
    }
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    mailscope.stop();
    replay.stop();
    let out = mailscope.out();
    let shown = run(&["show", "--explain", out.to_str().unwrap()]);
    assert_eq!(stdout(&shown), mailscope.stdout());
    let served = replay.read("stdout");
    for (who, text) in [("record", &mailscope.stdout()), ("replay", &served)] {
        let text = unfolded(text);
        for answer in [
            "-- asks what the server can do (RFC 9051, 6.1.1) b1: a word that the app makes up",
            "-- logs in as alice@example.com, with a password (RFC 9051, 6.2.3)",
            "AUTHENTICATIONFAILED: the name or the password is wrong",
            "is modified UTF-7 for Reisen/Köln (RFC 3501, 5.1.3)",
            "-- the mailbox holds 55 messages (RFC 9051, 7.4.1)",
            "-- asks for the UIDs of the messages that are unread",
            "is an encoded word for René (RFC 2047, 2)",
            "-- ends the session",
        ] {
            assert_eq!(text.matches(answer).count(), 1, "{who}: {answer}\n{text}");
        }
    }
    let played = "an app has connected to mailscope, which plays the server from a recording";
    assert!(unfolded(&served).contains(played), "{served}");
    assert!(!served.contains("hunter2") && !mailscope.stdout().contains("hunter2"));
}
