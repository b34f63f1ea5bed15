//! What scripts rely on: exit codes, what goes to which stream, the files and their names.

use std::os::unix::fs::PermissionsExt;
use std::process::{Output, Stdio};

use libtest_mimic::Trial;
use serde_json::Value;

use super::support::app::App;
use super::support::mailscope::{Mailscope, binary, record, run};
use super::support::patience::InTime;
use super::support::server::{Server, polite};
use super::support::{trials, wait_for};

pub fn trials() -> Vec<Trial> {
    trials!("command_line";
        a_start_that_fails_leaves_nothing_behind,
        an_earlier_ready_file_is_taken_away,
        bad_input_gets_a_clear_error_and_exit_code_2,
        the_ready_file_has_the_addresses,
        a_listener_can_be_turned_off,
        other_machines_are_let_in_by_allow_remote_alone,
        who_is_let_in_from_other_machines_is_told,
        the_transcript_is_there_before_the_ready_file_and_private,
        a_folder_gets_a_name_and_a_file_is_never_overwritten,
        standard_output_holds_the_conversation_only,
        quiet_says_nothing_on_standard_output,
        json_output_is_the_transcripts_events,
        show_repeats_record_in_every_form,
        a_torn_transcript_gives_its_whole_events,
        a_broken_transcript_is_an_error_with_its_line,
        a_closed_pipe_is_no_error,
        the_demo_works_from_any_folder,
    )
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A recording of a short session in cleartext, ended, and the server that it was made with.
fn recorded(arguments: &[&str]) -> Mailscope {
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .with(arguments)
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a1", "LOGIN alice hunter2");
    app.command("a2", "NOOP");
    app.command("a3", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    mailscope.stop();
    mailscope
}

fn bad_input_gets_a_clear_error_and_exit_code_2() {
    let none = ["--listen-tls", "none", "--listen-plain", "none"];
    let cases: &[(&[&str], &str)] = &[
        (&["record"], "SERVER"),
        (&["record", ""], "host"),
        (&["record", "host:99999"], "99999"),
        (&["record", "http://host"], "http"),
        (
            &["record", "host", "--listen-tls", "nonsense"],
            "--listen-tls",
        ),
        (
            &["record", "host", "--server-ca", "/nowhere/ca.pem"],
            "/nowhere/ca.pem",
        ),
        (
            &["record", "host", "--insecure", "--server-ca", "x"],
            "--insecure",
        ),
        (&["record", "host", "-o", "-"], "./- for a file"),
        (&["record", "host", "--ready-file", "-"], "./- for a file"),
        (&["replay", "a.json", "--report", "-"], "./- for a file"),
        (&["show", "/nowhere/a.json"], "/nowhere/a.json"),
        (
            &["show", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")],
            "not a transcript",
        ),
        (&["nonsense"], "nonsense"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let in_folder = |arguments: &[&str]| {
        let mut command = binary();
        command
            .current_dir(folder.path())
            .env("MAILSCOPE_CA_DIR", folder.path().join("ca"));
        command.args(arguments).output_in_time().unwrap()
    };
    for (arguments, named) in cases {
        let output = in_folder(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(
            stderr(&output).contains(named),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{arguments:?}");
    }
    let output = in_folder(&[&["record", "host"][..], &none].concat());
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(
        !folder.path().join("recordings").exists(),
        "nothing was begun"
    );
}

fn the_ready_file_has_the_addresses() {
    let server = Server::plain(polite);
    let mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .start();
    let ready = mailscope.ready().as_object().unwrap();
    for key in ["tls", "plain", "ca"] {
        assert!(ready[key].is_string(), "{ready:?}");
    }
    assert!(mailscope.ca().is_file());
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
}

fn a_listener_can_be_turned_off() {
    let server = Server::plain(polite);
    let mailscope = record(&server.name())
        .with(&["--server-tls", "none"])
        .set("--listen-tls", "none")
        .start();
    assert!(mailscope.ready()["tls"].is_null(), "{}", mailscope.ready());
    App::plain(mailscope.plain()).hear("* OK");
}

/// Each listener, each kind of address that other machines reach.
fn other_machines_are_let_in_by_allow_remote_alone() {
    let folder = tempfile::tempdir().unwrap();
    let tour = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
    let listeners = [
        ("record", "--listen-tls"),
        ("record", "--listen-plain"),
        ("record", "--listen-socks"),
        ("record", "--listen-transparent"),
        ("replay", "--listen-tls"),
        ("replay", "--listen-plain"),
    ];
    for (command, listener) in listeners {
        let output = run(&[command, "--help"]);
        let help = stdout(&output);
        for part in [listener, "--allow-remote", "127.0.0.1:"] {
            assert!(help.contains(part), "{command} has no {part}: {help}");
        }
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:1993"] {
            let what = match command {
                "record" => "localhost:1",
                _ => tour,
            };
            let off = ["--listen-tls", "--listen-plain"];
            let off = off.into_iter().filter(|other| *other != listener);
            let output = binary()
                .current_dir(folder.path())
                .args([command, what, listener, address])
                .args(off.flat_map(|other| [other, "none"]))
                .args(["--ca-dir=ca", "--ready-file=ready.json"])
                .args(["--as=imap.example.com"])
                .output_in_time()
                .unwrap();
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let said = stderr(&output);
            for part in [
                &format!("listen on {address}: "),
                "other machines could connect",
                &format!("try: {listener} "),
                "--allow-remote",
            ] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

fn who_is_let_in_from_other_machines_is_told() {
    let server = Server::plain(polite);
    let mailscope = record(&server.name())
        .with(&["--server-tls", "none", "--allow-remote"])
        .set("--listen-plain", "0.0.0.0:0")
        .start();
    let said = mailscope.stderr();
    let warnings: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("other machines"))
        .collect();
    let [warning] = warnings[..] else {
        panic!("{said}")
    };
    assert!(
        warning.starts_with("mailscope: warning: 0.0.0.0:") && warning.contains("--allow-remote"),
        "{warning}"
    );
    App::plain(mailscope.plain()).hear("* OK");
}

fn the_transcript_is_there_before_the_ready_file_and_private() {
    let mailscope = record("localhost:1").start();
    let transcript = mailscope.transcript();
    assert!(transcript.events().is_empty());
    assert_eq!(transcript.header()["format"], 1);
    assert_eq!(transcript.header()["protocol"], "imap");
    assert_eq!(transcript.header()["server"], "localhost:1");
    assert_eq!(transcript.header()["secrets"], "masked");
    let mode = std::fs::metadata(mailscope.out())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

fn a_folder_gets_a_name_and_a_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("kept/");
    let mut first = record("localhost:1").out(&into).start();
    let mut second = record("localhost:1").out(&into).start();
    for mailscope in [&mut first, &mut second] {
        mailscope.signal(rustix::process::Signal::TERM);
        assert_eq!(mailscope.wait().code(), Some(0));
    }
    let entries = std::fs::read_dir(&into).unwrap();
    let names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for name in &names {
        assert!(
            name.starts_with("20") && name.contains("Z-localhost"),
            "{name}"
        );
        assert!(name.ends_with(".json"), "{name}");
    }
    let taken = into.join(&names[0]);
    let before = std::fs::read(&taken).unwrap();
    let output = binary()
        .args([
            "record",
            "localhost:1",
            "--listen-tls",
            "127.0.0.1:0",
            "--listen-plain",
            "none",
        ])
        .env("MAILSCOPE_CA_DIR", folder.path().join("ca"))
        .arg("--out")
        .arg(&taken)
        .output_in_time()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("never overwritten"), "{output:?}");
    assert_eq!(std::fs::read(&taken).unwrap(), before);
}

fn standard_output_holds_the_conversation_only() {
    let mailscope = recorded(&[]);
    let (out, err) = (mailscope.stdout(), mailscope.stderr());
    assert!(
        out.contains("a2 NOOP") && out.contains("BYE see you"),
        "{out}"
    );
    assert!(!out.contains('\x1b'), "no colour in a file: {out:?}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    assert!(
        err.contains("SSL/TLS") && err.contains("mailscope show"),
        "{err}"
    );
    assert!(
        !err.contains("NOOP") && !out.contains("mailscope show"),
        "{err}"
    );
}

fn quiet_says_nothing_on_standard_output() {
    let mailscope = recorded(&["--quiet"]);
    assert_eq!(mailscope.stdout(), "");
    assert!(mailscope.transcript().events().len() > 8);
}

fn json_output_is_the_transcripts_events() {
    let mailscope = recorded(&["--output", "json"]);
    let lines: Vec<Value> = mailscope
        .stdout()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines, mailscope.transcript().events());
}

fn show_repeats_record_in_every_form() {
    for (arguments, variables) in [
        (&[][..], &[][..]),
        (&["--color", "always"], &[]),
        (&["--color", "always"], &[("NO_COLOR", "1")]),
        (&["--output", "json"], &[]),
        (&[], &[("COLUMNS", "50")]),
    ] {
        let server = Server::plain(polite);
        let mut recording = record(&server.name())
            .with(&["--server-tls", "none"])
            .with(arguments);
        for (name, value) in variables {
            recording = recording.environment(name, value);
        }
        let mut mailscope = recording.start();
        let mut app = App::plain(mailscope.plain());
        app.hear("* OK");
        app.command("a1", "LOGIN alice hunter2");
        app.say("a2 CREATE \"\u{202e}\x1b[31mü\"\r\n".as_bytes());
        app.hear("a2 ");
        app.finish();
        mailscope.closed(1);
        mailscope.stop();
        let shown = binary()
            .args(arguments)
            .arg("show")
            .arg(mailscope.out())
            .envs(variables.iter().copied())
            .output_in_time()
            .unwrap();
        assert_eq!(
            stdout(&shown),
            mailscope.stdout(),
            "{arguments:?} {variables:?}"
        );
        assert_eq!(
            stdout(&shown).contains("\x1b["),
            arguments.contains(&"always")
        );
        for hostile in ["\u{202e}", "\x1b[31mü"] {
            assert!(!stdout(&shown).contains(hostile), "{hostile:?}");
        }
    }
}

fn a_torn_transcript_gives_its_whole_events() {
    let mailscope = recorded(&[]);
    let text = mailscope.transcript().text().to_owned();
    let torn = mailscope.folder().join("torn.json");
    let cut = text.find("\"a2\"").unwrap();
    std::fs::write(&torn, &text[..cut]).unwrap();
    let output = run(&["show", torn.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stderr(&output).contains("torn.json"), "{output:?}");
    let whole = mailscope.show();
    let shown = stdout(&output);
    assert!(
        whole.starts_with(shown) && shown.contains("a1 LOGIN"),
        "{shown}"
    );
}

fn a_broken_transcript_is_an_error_with_its_line() {
    let mailscope = recorded(&[]);
    let text = mailscope.transcript().text().to_owned();
    let broken = mailscope.folder().join("broken.json");
    for (bad, line) in [
        (text.replacen("\"a2\"", "\"a2", 1), "line"),
        (text.replacen("\"format\":1", "\"format\":2", 1), "line 1"),
        ("Hello".to_owned(), "not a transcript"),
    ] {
        std::fs::write(&broken, bad).unwrap();
        let output = run(&["show", broken.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = stderr(&output);
        assert!(
            said.contains("broken.json") && said.contains(line),
            "{said}"
        );
    }
}

fn a_closed_pipe_is_no_error() {
    // Longer than any pipe's buffer, so that it is noticed.
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("long.json");
    let tour = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
    let tour = std::fs::read_to_string(tour).unwrap();
    let mut tour: Value = serde_json::from_str(&tour).unwrap();
    let events = tour["events"].as_array_mut().unwrap();
    for event in events.iter_mut() {
        // Counts that would repeat; a reader makes them anew.
        let members = event.as_object_mut().unwrap();
        members.retain(|name, _| !matches!(name.as_str(), "n" | "answers"));
    }
    *events = events
        .iter()
        .cycle()
        .take(100 * events.len())
        .cloned()
        .collect();
    std::fs::write(&long, tour.to_string()).unwrap();
    let mut child = binary()
        .arg("show")
        .arg(&long)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = wait_for("the end of show", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert_eq!(stderr(&child.wait_with_output().unwrap()), "");
}

fn the_demo_works_from_any_folder() {
    let folder = tempfile::tempdir().unwrap();
    let output = binary()
        .arg("demo")
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .output_in_time()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let kept = std::fs::read_dir(folder.path().join("recordings")).unwrap();
    let kept: Vec<_> = kept.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let said = stderr(&output);
    assert!(
        said.contains(&format!(
            "mailscope show recordings/{}",
            kept[0].file_name().unwrap().to_str().unwrap()
        )),
        "{said}"
    );
    assert!(said.contains("mailscope record imap.example.com"), "{said}");
    let shown = run(&["show", kept[0].to_str().unwrap()]);
    assert_eq!(stdout(&shown), stdout(&output));
    let secured = stdout(&output).matches("secured: ").count();
    assert_eq!(secured, 2, "TLS on both legs");
}

/// Nobody is to go by the addresses of an earlier run.
/// What it made would be in the way of the next start, since nothing is overwritten.
fn a_start_that_fails_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("taken"), "x").unwrap();
    for (out, capture, ready) in [
        ("taken", "c.pcapng", "ready.json"),
        ("session.json", "taken", "ready.json"),
        ("session.json", "c.pcapng", "taken"),
        ("session.json", "c.pcapng", "none/ready.json"),
        ("session.json", "c.pcapng", "session.json"),
        ("session.json", "c.pcapng", "c.pcapng"),
        // A name that no file may have.
        ("session.json", "c.pcapng", &"x".repeat(300)),
    ] {
        let output = binary()
            .current_dir(folder.path())
            .args(["record", "localhost:1", "--listen-tls", "127.0.0.1:0"])
            .args(["--listen-plain", "none", "--ca-dir", "ca"])
            .args(["--out", out, "--pcapng", capture, "--ready-file", ready])
            .output_in_time()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let left = std::fs::read_dir(folder.path()).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name != "ca").collect();
        assert_eq!(left, ["taken"], "{out} {capture} {ready}");
        assert_eq!(std::fs::read(folder.path().join("taken")).unwrap(), b"x");
    }
}

fn an_earlier_ready_file_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    for command in ["record", "replay"] {
        std::fs::write(&ready, "{}").unwrap();
        let tour = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/tour.json");
        let what = match command {
            "record" => "localhost:1",
            _ => tour,
        };
        // An address that is not this machine's.
        let output = binary()
            .current_dir(folder.path())
            .args([
                command,
                what,
                "--listen-tls",
                "192.0.2.1:1",
                "--listen-plain",
                "none",
            ])
            .args(["--ready-file", "ready.json", "--ca-dir", "ca"])
            .arg("--allow-remote")
            .output_in_time()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!ready.exists(), "{command}");
    }
}
