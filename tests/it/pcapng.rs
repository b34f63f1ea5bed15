//! Captures: what Wireshark's own dissectors make of them, by `tshark`.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::json;
use tempfile::TempDir;

use super::replay::Replay;
use super::support::app::App;
use super::support::mailscope::{record, run};
use super::support::patience::InTime;
use super::support::programs::{TSHARK, needing};
use super::support::transcript::Transcript;
use super::support::trials;

pub fn trials() -> Vec<Trial> {
    let mut all = needing(
        &[TSHARK],
        trials!("pcapng";
            a_capture_made_while_recording_is_the_exported_one,
            every_recording_is_a_healthy_capture,
            faults_and_half_closes_leave_healthy_captures,
            findings_and_edits_are_comments,
            large_literals_and_several_connections,
            many_connections_over_ipv6_with_large_literals,
            names_and_ipv6,
        ),
    );
    all.extend(trials!("pcapng"; a_capture_is_never_overwritten));
    all
}

/// A capture in a folder of its own.
struct Capture {
    path: PathBuf,
    _folder: TempDir,
}

fn exported(transcript: &Path) -> Capture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session.pcapng");
    let (from, to) = (transcript.to_str().unwrap(), path.to_str().unwrap());
    let output = run(&["export", from, "--to", "pcapng", "-o", to]);
    assert!(output.status.success(), "{output:?}");
    Capture {
        path,
        _folder: folder,
    }
}

/// What tshark prints, its own checks of checksums turned on.
fn tshark(capture: &Path, arguments: &[&str]) -> String {
    let output = Command::new(TSHARK.path().unwrap())
        .args(["-n", "-o", "tcp.check_checksum:TRUE"])
        .args(["-o", "ip.check_checksum:TRUE", "-r"])
        .arg(capture)
        .args(arguments)
        .output_in_time()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn fields(capture: &Path, filter: &str, field: &str) -> Vec<String> {
    let lines = tshark(capture, &["-Y", filter, "-T", "fields", "-e", field]);
    lines.lines().map(str::to_owned).collect()
}

/// No packet is malformed, none was lost or sent again, checksums are right, and every octet of both
/// directions is that of the transcript's wires.
fn is_healthy(capture: &Path, transcript: &Transcript) {
    let wrong = "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || \
                 ip.checksum.status == 0 || _ws.expert.severity >= \"Warning\"";
    assert_eq!(tshark(capture, &["-Y", wrong]), "");
    let has_said = |from: &str| {
        let mut events = transcript.events().iter();
        events.any(|event| event["from"] == from && event.get("wire").is_some())
    };
    for (from, filter) in [("client", "imap.request"), ("server", "imap.response")] {
        let found = !fields(capture, filter, "frame.number").is_empty();
        assert_eq!(found, has_said(from), "{filter}");
    }
    let connections = transcript.kind("connected");
    for (stream, connected) in connections.iter().enumerate() {
        let conn = connected["conn"].as_u64().unwrap();
        let (client, server) = followed(capture, stream);
        let wire = |from| transcript.wire(conn, from, b"********");
        assert!(client == wire("client"), "the client of {conn}");
        assert!(server == wire("server"), "the server of {conn}");
    }
    let streams: std::collections::BTreeSet<_> =
        fields(capture, "tcp", "tcp.stream").into_iter().collect();
    assert_eq!(streams.len(), connections.len());
}

/// Both directions of a stream.
fn followed(capture: &Path, stream: usize) -> (Vec<u8>, Vec<u8>) {
    let printed = tshark(capture, &["-q", "-z", &format!("follow,tcp,raw,{stream}")]);
    let (mut client, mut server) = (Vec::new(), Vec::new());
    let is_hex = |line: &&str| {
        let digits = line.trim_start();
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    for line in printed.lines().filter(is_hex) {
        let octets = |digits: &str| -> Vec<u8> {
            let pairs = digits.as_bytes().chunks(2);
            let octet = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
            pairs.map(|pair| octet(pair).unwrap()).collect()
        };
        // The one who answers is indented.
        match line.strip_prefix('\t') {
            Some(digits) => server.extend(octets(digits)),
            None => client.extend(octets(line)),
        }
    }
    (client, server)
}

fn every_recording_is_a_healthy_capture() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "json") {
            let capture = exported(&path);
            is_healthy(&capture.path, &Transcript::read(&path));
            count += 1;
        }
    }
    assert!(count > 0);
}

/// A literal that streams, in both directions, and two connections at once.
fn large_literals_and_several_connections() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("recorded.txt");
    let mail = "0123456789abcdef\r\n".repeat(20_000);
    let lines: String = mail.lines().map(|line| format!("S: {line}\n")).collect();
    let octets = mail.len();
    std::fs::write(
        &text,
        format!(
            "S: * PREAUTH hi\nC: a SELECT INBOX\nS: a OK\nC: b FETCH 1 BODY.PEEK[]\n\
             S: * 1 FETCH (BODY[] {{{octets}}}\n{lines}S:  UID 3)\nS: b OK\n"
        ),
    )
    .unwrap();
    let server = Replay::start(&text, &[]);
    let capture = folder.path().join("live.pcapng");
    let mut mailscope = record(&format!("imap://{}", server.address("plain")))
        .with(&[
            "--server-tls",
            "none",
            "--pcapng",
            capture.to_str().unwrap(),
        ])
        .start();
    let mut apps = [0, 1].map(|_| App::plain(mailscope.plain()));
    for app in &mut apps {
        app.hear("* PREAUTH");
        app.command("a", "SELECT INBOX");
    }
    for app in &mut apps {
        app.say(format!("c APPEND x {{{octets}+}}\r\n{mail}\r\n").as_bytes());
        app.hear("c BAD");
        assert!(app.command("b", "FETCH 1 BODY.PEEK[]").len() > octets);
        app.finish();
    }
    mailscope.closed(2);
    let transcript = mailscope.stop();
    assert!(!transcript.kind("literal_part").is_empty());
    is_healthy(&capture, &transcript);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(&capture).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

/// What is exported later is what was written then, but for the time of two events in one file.
fn a_capture_made_while_recording_is_the_exported_one() {
    let server = Replay::start(&tour(), &[]);
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live.pcapng");
    let mut mailscope = record(&format!("imap://{}", server.address("plain")))
        .with(&["--server-tls", "none", "--pcapng", live.to_str().unwrap()])
        .start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
    app.command("a", "CAPABILITY");
    app.command("b", "LOGIN alice@example.com hunter2");
    app.command("c", "LOGOUT");
    app.finish();
    drop(app);
    mailscope.closed(1);
    mailscope.stop();
    let later = exported(mailscope.out());
    let packets = |path: &Path| {
        let mut fields = vec!["-T", "fields"];
        for field in [
            "ip.src",
            "tcp.seq",
            "tcp.ack",
            "tcp.flags",
            "tcp.payload",
            "frame.comment",
        ] {
            fields.extend(["-e", field]);
        }
        tshark(path, &fields)
    };
    assert_eq!(packets(&live), packets(&later.path));
    let octets = std::fs::read(&live).unwrap();
    assert!(!octets.windows(7).any(|window| window == b"hunter2"));
}

fn findings_and_edits_are_comments() {
    let server = Replay::start(&tour(), &[]);
    let mut mailscope = record(&format!("imap://{}", server.address("plain")))
        .with(&["--server-tls", "none", "--fault", "no:LOGIN=EXPIRED"])
        .with(&["--hide-capability", "ID"])
        .start();
    let mut app = App::plain(mailscope.plain());
    app.hear("* OK");
    app.command("a", "LOGIN alice@example.com x");
    app.command("b", "NOOP");
    app.finish();
    drop(app);
    mailscope.closed(1);
    mailscope.stop();
    let capture = exported(mailscope.out());
    let comments = fields(&capture.path, "frame.comment", "frame.comment").join("\n");
    for words in [
        "fault: --fault no:LOGIN=EXPIRED strikes here",
        "not passed on to the server",
        "mailscope said to the app: a NO [EXPIRED]",
        "passed on to the app as: * OK",
    ] {
        assert!(comments.contains(words), "{words}: {comments}");
    }
}

/// However a connection ends, and however its octets come.
fn faults_and_half_closes_leave_healthy_captures() {
    let server = Replay::start(&tour(), &[]);
    for (fault, end) in [
        ("reset:NOOP", ""),
        ("close-after=600", ""),
        ("close-after=LIST", ""),
        ("bye:LIST", ""),
        ("stall:NOOP", "b "),
        ("bad:LIST", "b "),
        ("split=1", "c "),
    ] {
        let mut mailscope = record(&format!("imap://{}", server.address("plain")))
            .with(&["--server-tls", "none", "--fault", fault])
            .start();
        let mut app = App::plain(mailscope.plain());
        let commands = b"a LOGIN alice@example.com x\r\nb LIST \"\" *\r\nc NOOP\r\n";
        app.say(commands);
        match end {
            "" => drop(app.rest()),
            end => drop(app.hear(end)),
        }
        let _ = app.tcp().shutdown(std::net::Shutdown::Write);
        drop(app);
        mailscope.closed(1);
        let transcript = mailscope.stop();
        let capture = exported(mailscope.out());
        is_healthy(&capture.path, &transcript);
        let comments = fields(&capture.path, "frame.comment", "frame.comment").join("\n");
        let says = format!("fault: --fault {fault} strikes here");
        assert!(
            comments.contains(&says) || fault == "split=1",
            "{fault}: {comments}"
        );
    }
}

/// Thirty at once, each with a literal of many segments in each direction, and ended in its own way.
fn many_connections_over_ipv6_with_large_literals() {
    let folder = tempfile::tempdir().unwrap();
    let mail = "0123456789abcde\n".repeat(8_000);
    let mut events = Vec::new();
    let mut add = |event: serde_json::Value| events.push(event);
    for conn in 1..=30 {
        add(
            json!({"conn": conn, "at": 0.001 * f64::from(conn), "kind": "connected",
            "client": format!("[2001:db8::{conn:x}]:50000"), "server": "[2001:db8::ffff]:143"}),
        );
        add(json!({"conn": conn, "at": 0.1, "from": "server", "wire": ["* PREAUTH hi\r\n"]}));
    }
    for conn in 1..=30 {
        add(json!({"conn": conn, "at": 0.2, "from": "client",
            "wire": ["a APPEND x ", {"literal": mail, "form": "nonsync"}, "\r\n"]}));
    }
    for conn in 1..=30 {
        add(json!({"conn": conn, "at": 0.3, "from": "client", "wire": ["b FETCH 1 BODY[]\r\n"]}));
        add(json!({"conn": conn, "at": 0.3, "from": "server", "wire": ["a OK done\r\n"]}));
        add(json!({"conn": conn, "at": 0.3, "from": "server",
            "wire": ["* 1 FETCH (BODY[] ", {"literal": mail}, ")\r\n"]}));
        match conn % 4 {
            0 => add(
                json!({"conn": conn, "at": 0.4, "kind": "closed", "from": "client", "half": true}),
            ),
            1 => add(
                json!({"conn": conn, "at": 0.4, "kind": "closed", "from": "server", "half": true}),
            ),
            2 => add(
                json!({"conn": conn, "at": 0.4, "kind": "note", "id": "bare-lf", "text": "a finding"}),
            ),
            _ => {}
        }
        if conn % 4 != 1 {
            add(json!({"conn": conn, "at": 0.5, "from": "server", "wire": ["b OK done\r\n"]}));
        }
        if conn % 5 != 0 {
            add(
                json!({"conn": conn, "at": 0.6, "kind": "closed", "reason": "connection reset by peer"}),
            );
        }
    }
    let path = folder.path().join("many.json");
    let header = json!({"format": 1, "started": "2026-11-23T12:00:00.000Z"});
    std::fs::write(
        &path,
        json!({"mailscope": header, "events": events}).to_string(),
    )
    .unwrap();
    let capture = exported(&path);
    is_healthy(&capture.path, &Transcript::read(&path));
    let comments = fields(&capture.path, "frame.comment", "frame.comment").join("\n");
    assert!(comments.contains("a finding"), "{comments}");
}

fn names_and_ipv6() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("six.json");
    std::fs::write(
        &path,
        "{\"mailscope\":{\"format\":1,\"started\":\"2026-11-23T12:00:00.000Z\"},\n\"events\":[\n\
         {\"n\":1,\"conn\":1,\"at\":0.5,\"kind\":\"connected\",\"client\":\"[::1]:50000\",\
         \"server\":\"imap.example.org:993\"},\n\
         {\"n\":2,\"conn\":1,\"at\":1.25,\"from\":\"server\",\"kind\":\"greeting\",\
         \"wire\":[\"* OK hi\\r\\n\"]},\n\
         {\"n\":3,\"conn\":1,\"at\":1.25,\"from\":\"client\",\"wire\":[\"a NOOP\\r\\n\"]},\n\
         {\"n\":4,\"conn\":1,\"at\":1.25,\"from\":\"server\",\"wire\":[\"a OK\\r\\n\"]}\n]}\n",
    )
    .unwrap();
    let capture = exported(&path);
    is_healthy(&capture.path, &Transcript::read(&path));
    let output = Command::new(TSHARK.path().unwrap())
        .args(["-N", "nN", "-r"])
        .arg(&capture.path)
        .args([
            "-T",
            "fields",
            "-e",
            "ipv6.src_host",
            "-e",
            "frame.time_epoch",
        ])
        .args(["-Y", "imap.response"])
        .output_in_time()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    // 2026-11-23 12:00:01.25 UTC.
    assert_eq!(printed.trim(), "imap.example.org\t1795435201.250000000");
}

fn a_capture_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("there.pcapng");
    std::fs::write(&there, "mine").unwrap();
    let (tour, there) = (tour(), there.to_str().unwrap());
    let out = folder.path().join("session.json");
    for arguments in [
        vec![
            "export",
            tour.to_str().unwrap(),
            "--to",
            "pcapng",
            "-o",
            there,
        ],
        vec![
            "record",
            "localhost:1",
            "--pcapng",
            there,
            "--listen-tls",
            "127.0.0.1:0",
            "--listen-plain",
            "none",
            "--out",
            out.to_str().unwrap(),
        ],
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("it is there already"), "{stderr}");
        assert_eq!(std::fs::read(there).unwrap(), b"mine");
        assert!(!out.exists(), "no transcript is begun");
    }
}

fn tour() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/tour.json")
}
