//! Logs: of a server, of libraries, and lines that people paste.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::replay::{Replay, TOUR};
use super::super::support::app::App;
use super::super::support::dovecot::{Dovecot, PASSWORD, WITH_COMPRESS};
use super::super::support::mailscope::run;
use super::super::support::programs::{DOVECOT, OPENSSL, PYTHON, needing};
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::{asked_again, exported, file, imported, meaning, recordings};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("import::logs";
        a_log_of_thunderbird_is_imported,
        an_exported_text_is_the_same_conversation,
        either_file_of_a_rawlog_is_enough,
        lines_in_other_spellings_are_imported,
    );
    let python = trials!("import::logs"; what_imaplib_logged_is_replayed);
    trials.extend(needing(&[PYTHON], python));
    let openssl = trials!("import::logs"; what_s_client_showed_is_imported);
    trials.extend(needing(&[OPENSSL], openssl));
    let dovecot =
        trials!("import::logs"; a_compressed_rawlog_is_inflated, a_rawlog_of_dovecot_is_replayed);
    trials.extend(needing(&[DOVECOT, PYTHON], dovecot));
    trials
}

fn an_exported_text_is_the_same_conversation() {
    for recording in recordings() {
        let (_folder, path) = file("session.txt", exported(&recording, "text"));
        let (transcript, _) = imported(&path, &[]);
        assert_eq!(meaning(&transcript), meaning(&Transcript::read(&recording)));
    }
}

fn lines_in_other_spellings_are_imported() {
    for (name, text) in [
        (
            "curl",
            "*   Trying 127.0.0.1:143...\n< * OK hi\n> A1 NOOP\n< A1 OK done\n* Connection #0\n",
        ),
        (
            "people",
            "Server: * OK hi\nClient: A1 NOOP\nServer: A1 OK done\n",
        ),
        (
            "times",
            "[10:11:12.5] S: * OK hi\n[10:11:13] C: A1 NOOP\n[10:11:14] S: A1 OK done\n",
        ),
        (
            "mailkit",
            "Connected to imaps://imap.example.com:993/\nS: * OK hi\nC: A1 NOOP\nS: A1 OK done\n",
        ),
    ] {
        let (_folder, path) = file(name, text);
        let (transcript, out) = imported(&path, &[]);
        assert_eq!(transcript.wire(1, "client", b""), b"A1 NOOP\r\n", "{name}");
        assert_eq!(
            transcript.wire(1, "server", b""),
            b"* OK hi\r\nA1 OK done\r\n",
            "{name}"
        );
        let mut replay = Replay::start(&out, &[]);
        let mut app = App::plain(replay.address("plain"));
        app.hear("* OK hi");
        app.command("x", "NOOP");
        let (code, _) = replay.stop();
        assert_eq!(code, 0, "{name}");
    }
}

fn a_log_of_thunderbird_is_imported() {
    let line = |second: u32, said: &str| {
        format!(
            "2023-11-11 10:11:{second:02}.000000 UTC - [Parent 12: IMAP]: D/IMAP 0x7f31:imap.example.com:NA:{said}\n"
        )
    };
    let log = [
        line(1, "CreateNewLineFromSocket: * OK hi"),
        line(
            2,
            "SendData: Logging suppressed for this command (it probably contained authentication information)",
        ),
        line(3, "CreateNewLineFromSocket: 1 OK in"),
        line(4, "SendData: 2 noop"),
        line(5, "CreateNewLineFromSocket: 2 OK done"),
    ];
    let (_folder, path) = file("imap.log", log.concat());
    let (transcript, out) = imported(&path, &[]);
    assert_eq!(transcript.header()["started"], "2023-11-11T10:11:01.000Z");
    assert_eq!(transcript.header()["server"], "imap.example.com:143");
    assert_eq!(transcript.notes("login-not-kept").len(), 1);
    let mut replay = Replay::start(&out, &[]);
    let mut app = App::plain(replay.address("plain"));
    app.hear("* OK hi");
    app.command("x", "LOGIN alice any");
    app.command("y", "NOOP");
    assert_eq!(replay.stop().0, 0);
}

fn either_file_of_a_rawlog_is_enough() {
    let (folder, path) = file(
        "20231114-221320-1.in",
        "1700000000.000010 b IDLE\r\n1700000000.000040 DONE\r\n",
    );
    let server = path.with_extension("out");
    fs::write(
        &server,
        "1700000000.000001 a OK Logged in\r\n1700000000.000020 + idling\r\n1700000000.000030 * 1 EXISTS\r\n\
         1700000000.000050 b OK done\r\n",
    )
    .unwrap();
    let (one, out) = imported(&path, &[]);
    fs::remove_file(&out).unwrap();
    let (other, out) = imported(&server, &[]);
    assert_eq!(one.text(), other.text());
    fs::remove_file(out).unwrap();
    let both = folder.path().join("both.json");
    let both = both.to_str().unwrap();
    let output = run(&[
        "import",
        path.to_str().unwrap(),
        server.to_str().unwrap(),
        "-o",
        both,
    ]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(both).unwrap(), one.text());
    let kinds: Vec<&Value> = one.events().iter().map(|event| &event["kind"]).collect();
    assert_eq!(
        kinds,
        [
            "connected",
            "greeting",
            "command",
            "note",
            "tagged",
            "command",
            "continuation_request",
            "untagged",
            "continuation",
            "tagged",
            "closed"
        ]
    );
    assert_eq!(one.header()["started"], "2023-11-14T22:13:20.000Z");
}

/// Runs a session of Python's imaplib with its log, as what it wrote to standard error.
fn logged_by_imaplib(port: u16, user: &str, password: &str) -> Vec<u8> {
    let program = "import imaplib, sys\nimaplib.Debug = 4\nm = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))\n\
                   m.login(sys.argv[2], sys.argv[3])\nm.noop()\nm.logout()\n";
    let output = Command::new(PYTHON.path().unwrap())
        .args(["-c", program, &port.to_string(), user, password])
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stderr
}

fn what_imaplib_logged_is_replayed() {
    let session = "S: * OK hi\nC: a CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: a OK done\n\
                   C: b LOGIN alice x\nS: b OK in\nC: c NOOP\nS: c OK done\nC: d LOGOUT\nS: * BYE\nS: d OK bye\n";
    let (_session, path) = file("session.txt", session);
    let server = Replay::start(&path, &[]);
    let (_, port) = server.address("plain").rsplit_once(':').unwrap();
    let logged = logged_by_imaplib(port.parse().unwrap(), "alice", "open-Sesame");
    let (_folder, path) = file("imaplib.log", logged);
    let (transcript, out) = imported(&path, &[]);
    assert!(!transcript.text().contains("open-Sesame"));
    let names: Vec<&Value> = transcript
        .kind("command")
        .iter()
        .map(|event| &event["name"])
        .collect();
    assert_eq!(names, ["CAPABILITY", "LOGIN", "NOOP", "LOGOUT"]);
    // imaplib hears BYE and reads no further.
    asked_again(&out, &["CAPABILITY", "LOGIN alice any", "NOOP"]);
}

fn a_rawlog_of_dovecot_is_replayed() {
    let dovecot = Dovecot::start();
    dovecot.user("alice", &[("INBOX", &[])]);
    logged_by_imaplib(dovecot.plain(), "alice", PASSWORD);
    dovecot.rawlogs("alice", 1); // waits for it
    let (_folder, path) = file("20231114-221320-1.in", "");
    dovecot.copy_rawlog("alice", &path);
    let (transcript, out) = imported(&path, &[]);
    let names: Vec<&Value> = transcript
        .kind("command")
        .iter()
        .map(|event| &event["name"])
        .collect();
    assert_eq!(names, ["LOGIN", "NOOP", "LOGOUT"]);
    assert_eq!(transcript.notes("login-not-kept").len(), 1);
    assert_eq!(transcript.notes("unknown-tag").len(), 0);
    asked_again(&out, &["LOGIN alice any", "NOOP", "LOGOUT"]);
}

fn what_s_client_showed_is_imported() {
    use std::io::Write;
    let mut replay = Replay::start(Path::new(TOUR), &[]);
    let mut client = Command::new(OPENSSL.path().unwrap())
        .args([
            "s_client",
            "-crlf",
            "-ign_eof",
            "-connect",
            replay.address("tls"),
            "-CAfile",
        ])
        .arg(replay.ca())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // What a terminal would show: the typed lines stand where they were typed.
    let mut stdin = client.stdin.take().unwrap();
    stdin.write_all(b"a1 CAPABILITY\na9 LOGOUT\n").unwrap();
    drop(stdin);
    let output = client.wait_with_output().unwrap();
    replay.stop();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("CONNECTED("), "{shown}");
    let (before, rest) = shown.split_once("* CAPABILITY").unwrap();
    let (answer, end) = rest.split_once("* BYE").unwrap();
    let terminal = format!("{before}a1 CAPABILITY\n* CAPABILITY{answer}a9 LOGOUT\n* BYE{end}");
    let (_folder, path) = file("terminal.txt", terminal);
    let (transcript, out) = imported(&path, &[]);
    let names: Vec<&Value> = transcript
        .kind("command")
        .iter()
        .map(|event| &event["name"])
        .collect();
    assert_eq!(names, ["CAPABILITY", "LOGOUT"]);
    assert_eq!(transcript.kind("opaque").len(), 0);
    asked_again(&out, &["CAPABILITY", "LOGOUT"]);
}

/// Dovecot keeps the octets of the wire.
fn a_compressed_rawlog_is_inflated() {
    let dovecot = Dovecot::start_with(WITH_COMPRESS);
    dovecot.user("alice", &[("INBOX", &[])]);
    let program = "\
import imaplib, sys, zlib
m = imaplib.IMAP4('127.0.0.1', int(sys.argv[1]))
m.login(sys.argv[2], sys.argv[3])
m.sock.sendall(b'x COMPRESS DEFLATE\\r\\n')
m.sock.recv(1000)
deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
for command in b'y NOOP\\r\\n', b'z LOGOUT\\r\\n':
    m.sock.sendall(deflate.compress(command) + deflate.flush(zlib.Z_SYNC_FLUSH))
    m.sock.recv(1000)
";
    let port = dovecot.plain().to_string();
    let python = PYTHON.path().unwrap();
    let mut session = Command::new(python);
    session.args(["-c", program, &port, "alice", PASSWORD]);
    assert!(session.status_in_time().unwrap().success());
    dovecot.rawlogs("alice", 1);
    let (_folder, path) = file("20231114-221320-1.in", "");
    dovecot.copy_rawlog("alice", &path);
    let (transcript, _) = imported(&path, &[]);
    let commands = transcript.kind("command");
    let names: Vec<&Value> = commands.iter().map(|event| &event["name"]).collect();
    assert_eq!(names, ["LOGIN", "COMPRESS", "NOOP", "LOGOUT"]);
    assert_eq!(transcript.kind("compressed").len(), 1);
    assert_eq!(transcript.kind("tagged").len(), 4);
}
