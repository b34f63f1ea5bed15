//! COMPRESS=DEFLATE against Dovecot's: what the app inflates through mailscope is what mailscope
//! kept.

use std::io::Write;
use std::path::Path;

use flate2::write::{DeflateDecoder, DeflateEncoder};
use libtest_mimic::Trial;

use super::super::replay::Replay;
use super::super::support::app::App;
use super::super::support::dovecot::{Dovecot, PASSWORD, WITH_COMPRESS};
use super::super::support::maildir::Mail;
use super::super::support::programs::{DOVECOT, needing};
use super::super::support::schema;
use super::super::support::{noise, trials};
use super::{Security, THROUGH, recording};

pub fn trials() -> Vec<Trial> {
    let trials = trials!("real::compress";
        a_session_is_read_inflated,
        a_session_is_read_inflated_behind_starttls,
        a_session_is_replayed_compressed,
        hidden_it_is_not_used,
    );
    needing(&[DOVECOT], trials)
}

/// An app that compresses, and keeps what both said before that.
struct Compressing {
    app: App,
    deflate: DeflateEncoder<Vec<u8>>,
    inflate: DeflateDecoder<Vec<u8>>,
    /// What it said.
    said: Vec<u8>,
}

impl Compressing {
    fn say(&mut self, octets: &[u8]) {
        self.said.extend_from_slice(octets);
        self.deflate.write_all(octets).unwrap();
        self.deflate.flush().unwrap();
        let compressed = std::mem::take(self.deflate.get_mut());
        self.app.say(&compressed);
    }

    /// All that was heard, once it has a line that begins so.
    fn hear(&mut self, beginning: &str) {
        let line = format!("\n{beginning}");
        loop {
            let heard = self.inflate.get_ref();
            let is_there = heard.starts_with(beginning.as_bytes())
                || heard
                    .windows(line.len())
                    .any(|part| part == line.as_bytes());
            if is_there && heard.ends_with(b"\r\n") {
                return;
            }
            let octets = self.app.hear_some();
            assert!(!octets.is_empty(), "ended before {beginning:?}");
            self.inflate.write_all(&octets).unwrap();
            self.inflate.flush().unwrap();
        }
    }
}

fn inbox() -> Vec<Mail> {
    let mut large = b"Subject: large\n\n".to_vec();
    for line in noise(11, 300_000).chunks(60) {
        let line = line.iter().filter(|octet| !b"\0\r\n".contains(octet));
        large.extend(line);
        large.push(b'\n');
    }
    vec![
        Mail::new("", large),
        Mail::new(
            "S",
            format!("Subject: dense\n\n{}", "all the same\n".repeat(50_000)),
        ),
    ]
}

fn a_session_is_read_inflated() {
    is_read_inflated(Security::Tls);
}

fn a_session_is_read_inflated_behind_starttls() {
    is_read_inflated(Security::Starttls);
}

fn is_read_inflated(security: Security) {
    let dovecot = Dovecot::start_with(WITH_COMPRESS);
    dovecot.user(THROUGH, &[("INBOX", &inbox())]);
    let mut mailscope = recording(&dovecot, security).start();
    let (said, heard) = session(mailscope.tls(), &mailscope.ca());
    mailscope.closed(1);
    let transcript = mailscope.stop();
    assert_eq!(schema::errors(&transcript), Vec::<String>::new());
    let compressed = transcript.kind("compressed")[0]["n"].as_u64().unwrap();
    let behind = |event: &serde_json::Value| event["n"].as_u64().unwrap() > compressed;
    let wire = |from: &str| transcript.wire_where(1, from, b"", behind);
    assert!(wire("client") == said);
    assert!(wire("server") == heard);
    for kind in ["note", "opaque"] {
        assert!(transcript.kind(kind).is_empty(), "{kind}");
    }
    assert!(transcript.kind("literal_part").len() > 10);
    assert_eq!(mailscope.stdout(), mailscope.show());
    assert!(mailscope.stdout().contains("compressed: DEFLATE"));
}

/// The recording compresses for real as well.
fn a_session_is_replayed_compressed() {
    let dovecot = Dovecot::start_with(WITH_COMPRESS);
    dovecot.user(THROUGH, &[("INBOX", &inbox())]);
    let mut mailscope = recording(&dovecot, Security::Tls).start();
    let (_, expected) = session(mailscope.tls(), &mailscope.ca());
    mailscope.closed(1);
    mailscope.stop();
    drop(dovecot);
    let mut replay = Replay::start(mailscope.out(), &["--require-all", "--quiet"]);
    let (_, heard) = session(replay.address("tls"), &replay.ca());
    let without_go_ahead = |octets: &[u8]| {
        let text = String::from_utf8_lossy(octets).into_owned();
        text.replace("+ OK\r\n", "")
    };
    assert!(without_go_ahead(&heard) == without_go_ahead(&expected));
    let (code, report) = replay.stop();
    assert_eq!(code, 0, "{report:#}");
}

/// What an app says and hears in a session, once it is compressed.
fn session(address: &str, ca: &Path) -> (Vec<u8>, Vec<u8>) {
    let mut app = App::tls(address, "localhost", ca);
    app.hear("* OK");
    let answer = app.command("a", &format!("LOGIN {THROUGH} {PASSWORD}"));
    assert!(answer.contains("COMPRESS=DEFLATE"), "{answer}");
    let answer = app.command("b", "COMPRESS DEFLATE");
    assert!(answer.contains("b OK"), "{answer}");
    let mut app = Compressing {
        app,
        deflate: DeflateEncoder::new(Vec::new(), flate2::Compression::default()),
        inflate: DeflateDecoder::new(Vec::new()),
        said: Vec::new(),
    };
    app.say(b"c SELECT INBOX\r\n");
    app.hear("c OK");
    app.say(b"d FETCH 1:* (UID BODY.PEEK[])\r\ne APPEND INBOX {21}\r\n");
    app.hear("+ ");
    app.say(b"Subject: new\r\n\r\nnew\r\n\r\n");
    app.hear("e OK");
    app.say(b"f LOGOUT\r\n");
    app.hear("f OK");
    app.app.finish();
    let heard = app.inflate.get_ref().clone();
    (app.said, heard)
}

fn hidden_it_is_not_used() {
    let dovecot = Dovecot::start_with(WITH_COMPRESS);
    dovecot.user(THROUGH, &[("INBOX", &[])]);
    let mut mailscope = recording(&dovecot, Security::Tls)
        .with(&[
            "--hide-capability",
            "compress=*",
            "--hide-capability",
            "IDLE",
        ])
        .start();
    let mut app = App::tls(mailscope.tls(), "localhost", &mailscope.ca());
    app.hear("* OK");
    let login = app.command("a", &format!("LOGIN {THROUGH} {PASSWORD}"));
    let listed = app.command("b", "CAPABILITY");
    for answer in [login, listed] {
        assert!(
            !answer.contains("COMPRESS") && !answer.contains("IDLE"),
            "{answer}"
        );
        assert!(answer.contains("UIDPLUS"), "{answer}");
    }
    app.command("c", "LOGOUT");
    app.finish();
    mailscope.closed(1);
    let transcript = mailscope.stop();
    let edited = transcript
        .events()
        .iter()
        .filter(|event| event.get("sent").is_some());
    assert_eq!(edited.count(), 3, "greeting, login, CAPABILITY");
    assert!(transcript.text().contains("COMPRESS=DEFLATE"));
    assert_eq!(mailscope.stdout(), mailscope.show());
}
