//! Import: what others kept is a transcript that fits the schema, is shown and is replayed; and what
//! mailscope exported comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use libtest_mimic::Trial;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::replay::{Replay, TOUR, say_the_tour};
use super::support::app::App;
use super::support::dovecot::{Dovecot, PASSWORD};
use super::support::mailscope::{binary, record, run};
use super::support::programs::{DOVECOT, OPENSSL, PYTHON, TSHARK, needing};
use super::support::server::{Server, polite};
use super::support::transcript::Transcript;
use super::support::wiretap::Wiretap;
use super::support::{schema, trials};

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("import";
        a_capture_without_imap_is_refused,
        a_log_of_thunderbird_is_imported,
        a_password_is_masked_unless_it_is_to_be_shown,
        a_capture_that_began_later_is_replayed,
        an_exported_capture_has_the_same_wires,
        an_exported_text_is_the_same_conversation,
        bad_input_is_told_and_what_can_be_read_is_kept,
        either_file_of_a_rawlog_is_enough,
        it_is_for_its_owner_alone_and_never_overwritten,
        lines_in_other_spellings_are_imported,
        lost_packets_are_a_gap,
        standard_output_has_the_same,
        the_tour_is_replayed_from_its_capture,
    );
    trials.extend(needing(
        &[PYTHON],
        trials!("import"; what_imaplib_logged_is_replayed),
    ));
    trials.extend(needing(
        &[OPENSSL],
        trials!("import"; what_s_client_showed_is_imported),
    ));
    trials.extend(needing(
        &[TSHARK],
        trials!("import"; an_encrypted_capture_is_imported_as_the_error_says),
    ));
    trials.extend(needing(
        &[DOVECOT, PYTHON],
        trials!("import"; a_rawlog_of_dovecot_is_replayed),
    ));
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
        .output()
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

fn an_exported_text_is_the_same_conversation() {
    for recording in recordings() {
        let (_folder, path) = file("session.txt", exported(&recording, "text"));
        let (transcript, _) = imported(&path, &[]);
        assert_eq!(meaning(&transcript), meaning(&Transcript::read(&recording)));
    }
}

fn an_exported_capture_has_the_same_wires() {
    for recording in recordings() {
        let (_folder, path) = file("session.pcapng", exported(&recording, "pcapng"));
        let (transcript, _) = imported(&path, &[]);
        let recorded = Transcript::read(&recording);
        assert_eq!(meaning(&transcript), meaning(&recorded));
        let order = |transcript: &Transcript| -> Vec<f64> {
            transcript
                .events()
                .iter()
                .map(|event| event["at"].as_f64().unwrap())
                .collect()
        };
        assert!(order(&transcript).is_sorted());
    }
}

fn the_tour_is_replayed_from_its_capture() {
    let (_folder, path) = file("tour.pcapng", exported(Path::new(TOUR), "pcapng"));
    let (_, out) = imported(&path, &[]);
    let mut replay = Replay::start(&out, &["--require-all", "--match", "strict"]);
    let mut app = App::tls(replay.address("tls"), "localhost", &replay.ca());
    app.hear("* OK");
    say_the_tour(&mut app);
    let (code, report) = replay.stop();
    assert_eq!((code, &report["mismatches"]), (0, &json!([])));
}

/// The packets of a capture in the pcapng form: where each begins, and how long it is.
fn packets(capture: &[u8]) -> Vec<(usize, usize)> {
    const ENHANCED_PACKET: u32 = 6;
    let number = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let (mut at, mut packets) = (0, Vec::new());
    while at < capture.len() {
        let length = number(at + 4) as usize;
        if number(at) == ENHANCED_PACKET {
            packets.push((at, length));
        }
        at += length;
    }
    packets
}

/// Behind the login, and behind the greeting.
fn a_capture_that_began_later_is_replayed() {
    let capture = exported(Path::new(TOUR), "pcapng");
    let first = packets(&capture)[0].0;
    for (line, greeting, asks) in [
        ("a7 SEARCH", "PREAUTH", "SEARCH UNSEEN"),
        ("a3 LOGIN", "OK", "LOGIN alice@example.com any"),
    ] {
        let is_it = |octets: &[u8]| octets == line.as_bytes();
        let place = capture.windows(line.len()).position(is_it).unwrap();
        let all = packets(&capture);
        let (begin, _) = *all.iter().rfind(|(start, _)| *start < place).unwrap();
        let later = [&capture[..first], &capture[begin..]].concat();
        let (_folder, path) = file("later.pcapng", later);
        let (transcript, out) = imported(&path, &[]);
        let greeted = transcript.kind("greeting")[0];
        assert_eq!(greeted["from"], "mailscope");
        assert_eq!(greeted["status"], greeting);
        assert_eq!(transcript.notes("login-not-kept").len(), 1);
        let mut replay = Replay::start(&out, &[]);
        let mut app = App::plain(replay.address("plain"));
        app.hear(&format!("* {greeting}"));
        app.command("x", asks);
        assert_eq!(replay.stop().0, 0, "{line}");
    }
}

fn lost_packets_are_a_gap() {
    let capture = exported(Path::new(TOUR), "pcapng");
    let login = b"a3 LOGIN";
    let place = capture
        .windows(login.len())
        .position(|octets| octets == login)
        .unwrap();
    let packets = packets(&capture);
    let (start, length) = *packets
        .iter()
        .find(|(start, length)| (*start..start + length).contains(&place))
        .unwrap();
    let without = [&capture[..start], &capture[start + length..]].concat();
    let (_folder, path) = file("lossy.pcapng", without);
    let (transcript, _) = imported(&path, &[]);
    let gaps = transcript.kind("gap");
    assert_eq!(gaps.len(), 1);
    let line = "a3 LOGIN alice@example.com ********\r\n";
    assert_eq!(gaps[0]["octets"], line.len());
    assert_eq!(
        transcript.notes("unknown-tag").len(),
        1,
        "the answer to what is lost"
    );
    // Doubled packets, and two that changed places, change nothing.
    let (last, length) = packets[packets.len() / 2];
    let doubled = [&capture[..last + length], &capture[last..]].concat();
    let (_folder, path) = file("doubled.pcapng", doubled);
    let (transcript, _) = imported(&path, &[]);
    assert_eq!(
        meaning(&transcript),
        meaning(&Transcript::read(Path::new(TOUR)))
    );
}

fn a_capture_without_imap_is_refused() {
    let capture = exported(Path::new(TOUR), "pcapng");
    // The first octets of each side, as TLS begins.
    let mut tls = capture.clone();
    for begin in [&b"* OK [CAPABILITY"[..], b"a1 CAPABILITY"] {
        let place = tls
            .windows(begin.len())
            .position(|octets| octets == begin)
            .unwrap();
        tls[place..place + 3].copy_from_slice(&[0x16, 3, 1]);
    }
    let (_folder, path) = file("tls.pcapng", tls);
    let (output, out) = import(&path, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!out.exists());
    let said = stderr(&output);
    assert!(
        said.contains("encrypted") && said.contains("tshark -r "),
        "{said}"
    );
    assert!(
        said.contains("-o tls.keylog_file:KEYS") && said.contains("tcp.port==143,tls"),
        "{said}"
    );
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
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stderr
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

/// Both with a key log, and with the keys in the capture.
fn an_encrypted_capture_is_imported_as_the_error_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let keys = path("keys.log");
    let server = Server::plain(polite);
    let mut mailscope = record(&server.name())
        .with(&["--server-tls", "none", "--keylog", keys.to_str().unwrap()])
        .start();
    let near = Wiretap::before(mailscope.tls());
    let mut app = App::tls(&near.name(), "localhost", &mailscope.ca());
    app.hear("* OK");
    app.command("a", "LOGIN alice open-Sesame");
    app.command("b", "LOGOUT");
    app.finish();
    app.rest().unwrap();
    mailscope.closed(1);
    mailscope.stop();
    let capture = path("session.pcap");
    near.write_capture(&capture, 993);
    let shell = |command: &str| {
        let output = Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", command])
            .output();
        assert!(output.unwrap().status.success(), "{command}");
    };
    shell("editcap --inject-secrets tls,keys.log session.pcap with-keys.pcapng");
    for name in ["session.pcap", "with-keys.pcapng"] {
        let (output, out) = import(&path(name), &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(!out.exists());
        let said = stderr(&output);
        let (_, command) = said.split_once("  try: ").unwrap();
        let (command, _) = command.split_once(", and import decrypted.pcapng").unwrap();
        assert_eq!(
            command.contains("KEYS"),
            name == "session.pcap",
            "{command}"
        );
        shell(&command.replace("KEYS", "keys.log"));
        let (transcript, out) = imported(&path("decrypted.pcapng"), &[]);
        assert_eq!(
            transcript.wire(1, "client", b"*"),
            b"a LOGIN alice *\r\nb LOGOUT\r\n"
        );
        assert_eq!(transcript.header()["server"], "10.0.0.2:993");
        asked_again(&out, &["LOGIN alice any"]);
        fs::remove_file(out).unwrap();
        fs::remove_file(path("decrypted.pcapng")).unwrap();
    }
}
