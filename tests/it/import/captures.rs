//! Captures: mailscope's own come back, and those of others have what they have.

use std::fs;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Trial;
use serde_json::json;

use super::super::replay::{Replay, TOUR, say_the_tour};
use super::super::support::app::App;
use super::super::support::mailscope::record;
use super::super::support::programs::{TSHARK, needing};
use super::super::support::server::{Server, polite};
use super::super::support::transcript::Transcript;
use super::super::support::trials;
use super::super::support::wiretap::Wiretap;
use super::{asked_again, exported, file, import, imported, meaning, recordings, stderr};
use crate::support::patience::InTime;

pub fn trials() -> Vec<Trial> {
    let mut trials = trials!("import::captures";
        a_capture_that_began_later_is_replayed,
        a_capture_without_imap_is_refused,
        an_exported_capture_has_the_same_wires,
        lost_packets_are_a_gap,
        the_tour_is_replayed_from_its_capture,
    );
    trials.extend(needing(
        &[TSHARK],
        trials!("import::captures"; an_encrypted_capture_is_imported_as_the_error_says),
    ));
    trials
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
pub(super) fn packets(capture: &[u8]) -> Vec<(usize, usize)> {
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
            .output_in_time();
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
